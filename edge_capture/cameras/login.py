"""How to log in to an HTTP camera: Basic (RFC 7617) and Digest (RFC 7616), with what it asks for."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Final
from urllib.request import parse_http_list, parse_keqv_list

from edge_capture.addresses import Credential
from edge_capture.errors import UnreadableSource

_HASHES: Final[dict[str, Callable[[bytes], "hashlib._Hash"]]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False),  # what nearly all cameras ask for
    "sha-256": hashlib.sha256,
}


def authorization(challenges: Sequence[str], credential: Credential, *, method: str, resource: str) -> str:
    """Return the Authorization header that answers WWW-Authenticate headers; Digest is preferred to Basic.

    Raises:
        UnreadableSource: none of them is of a kind known here.
    """
    by_scheme = {challenge.partition(" ")[0].lower(): challenge.partition(" ")[2] for challenge in challenges}
    if "digest" in by_scheme:
        asked = parse_keqv_list(parse_http_list(by_scheme["digest"]))
        if asked.get("algorithm", "md5").lower() in _HASHES:
            return _digest(asked, credential, method=method, resource=resource)
    if "basic" in by_scheme:
        pair = f"{credential.username}:{credential.password.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    raise UnreadableSource("expected a camera that asks for Basic or Digest login (MD5 or SHA-256), got another kind")


def _digest(asked: dict[str, str], credential: Credential, *, method: str, resource: str) -> str:
    algorithm = asked.get("algorithm", "MD5")
    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")

    def hashed(*parts: str) -> str:
        return _HASHES[algorithm.lower()](":".join(parts).encode()).hexdigest()

    user = hashed(credential.username, realm, credential.password.get_secret_value())
    request = hashed(method, resource)
    fields = {"username": credential.username, "realm": realm, "nonce": nonce, "uri": resource}
    if "auth" in [each.strip() for each in asked.get("qop", "").split(",")]:
        count, own = "00000001", secrets.token_hex(8)  # one request per nonce
        fields["response"] = hashed(user, nonce, count, own, "auth", request)
        fields |= {"cnonce": own}
        tail = f", qop=auth, nc={count}"
    else:
        fields["response"] = hashed(user, nonce, request)
        tail = ""
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    quoted = ", ".join(f'{name}="{_quotable(value)}"' for name, value in fields.items())
    return f"Digest {quoted}, algorithm={algorithm}{tail}"


def _quotable(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
