"""Which addresses a camera may have, who may log in there, and what of it may be said aloud."""

import ipaddress
import re
import socket
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from edge_capture.errors import EdgeError
from footfall_assets.contracts.ids import Slug

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]  # host and port to textual addresses; raises OSError

DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
SECURE_SCHEMES: Final = frozenset({"rtsps", "https"})
_NAME: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,62}))*")
_RESOURCE: Final = re.compile(r"[!-~]*")  # printable ASCII without a space: nothing that ends a request line
_SECRET_WORDS: Final = re.compile(r"//[^/\s@]*@")
# Addresses that are no camera's unless they are named: this machine, its link (where clouds keep a machine's secrets),
# groups, reserved space, and for IPv6 all but global and private unicast (RFC 4291, RFC 4193).
_SPECIAL: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        "100.100.100.200/32",  # a cloud's secrets outside the link
        *("::/3", "4000::/2", "8000::/2", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/7"),
        "fd00:ec2::254/128",  # a cloud's secrets in private space
    )
)
_EMBEDDING: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))  # RFC 6052, 8215


class AddressRefused(EdgeError):
    """A camera's address that this device does not open."""


class UnusableCredentials(EdgeError):
    """A file that holds no camera credentials, or that others can read."""


@dataclass(frozen=True)
class Credential:
    """A camera's user; the password never prints."""

    username: str
    password: SecretStr


class _Login(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    username: str
    password: SecretStr


_LOGINS: Final = TypeAdapter(dict[Slug, _Login], config=ConfigDict(hide_input_in_errors=True))


def load_credentials(path: Path) -> dict[str, Credential]:
    """Return the credentials by camera id: JSON as `{"store-101-door": {"username": "...", "password": "..."}}`.

    Raises:
        UnusableCredentials: others than its owner may read the file, or it holds something else.
    """
    try:
        mode = path.stat().st_mode
        document = path.read_bytes()
    except OSError as error:
        raise UnusableCredentials(f"expected camera credentials in {path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableCredentials(f"expected {path} to be its owner's alone, got mode {mode & 0o777:o}; chmod 600 it")
    try:
        logins = _LOGINS.validate_json(document)
    except ValidationError as error:
        kinds = ", ".join(sorted({each["type"] for each in error.errors()}))  # names and values may be secrets
        raise UnusableCredentials(f"expected username and password by camera id in {path}, got: {kinds}") from None
    return {name: Credential(each.username, each.password) for name, each in logins.items()}


@dataclass(frozen=True)
class AllowedAddresses:
    """The networks that cameras may be in.

    Without any, a camera may be anywhere but on this machine, on its link (where clouds keep their secrets), or at
    what is not one host. Such an address is allowed where a network that holds nothing else names it, as
    `127.0.0.0/8` does.
    """

    networks: tuple[Network, ...] = ()

    def permits(self, address: Address) -> bool:
        """Return whether a camera may have this address."""
        plain = plain_address(address)
        named = [each for each in self.networks if plain in each]
        special = [each for each in _SPECIAL if plain in each]
        if special:
            return any(_is_within(network, block) for network in named for block in special)
        return bool(named) or not self.networks


@dataclass(frozen=True)
class CameraAddress:
    """A network camera's address in its parts; `resource` is path and query as they go on the wire."""

    scheme: str
    host: str
    port: int
    resource: str

    def __str__(self) -> str:
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"  # a query may hold a token

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken there."""
        return self.scheme in SECURE_SCHEMES


def parse_address(text: str) -> CameraAddress:
    """Return the parts of a camera's address.

    Raises:
        AddressRefused: not rtsp, rtsps, http or https, with one plain host and no user.
    """
    if not _RESOURCE.fullmatch(text) or "\\" in text:
        raise AddressRefused("expected an address of printable ASCII characters without spaces or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("expected an address such as rtsp://10.0.0.7:554/stream1") from error
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not text.lower().startswith(f"{scheme}://"):
        raise AddressRefused(f"expected an address with one of {', '.join(DEFAULT_PORTS)}, got {scheme[:20] or 'none'}")
    if "@" in parts.netloc:
        raise AddressRefused("expected an address without credentials; put those into the device's secrets file")
    if port == 0:
        raise AddressRefused("expected a port from 1 to 65535, got 0")
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
    return CameraAddress(scheme, host, port or DEFAULT_PORTS[scheme], resource)


def _host(text: str, *, bracketed: bool) -> str:
    """Return a host name as it is and a numeric address in its one usual form."""
    try:
        return str(plain_address(ipaddress.ip_address(text)))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(text))  # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to a socket
    except OSError:
        pass
    if bracketed or not _NAME.fullmatch(text.removesuffix(".")):
        raise AddressRefused(f"expected a host name or an address, got {text[:80]!r}")
    return text.removesuffix(".")


def plain_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and any(address in each for each in _EMBEDDING):
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is None and int(address) < 2**32 and int(address) > 1:  # "compatible", ::7f00:1
        inner = IPv4Address(int(address))
    return inner or (IPv6Address(int(address)) if address.scope_id else address)


def _is_within(network: Network, block: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(block, IPv4Network) and network.subnet_of(block)
    return isinstance(block, IPv6Network) and network.subnet_of(block)


def system_resolve(host: str, port: int) -> list[str]:
    """Return what the system's resolver says of a host; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def pin(address: CameraAddress, allowed: AllowedAddresses, *, resolve: Resolve = system_resolve) -> tuple[str, ...]:
    """Return the numeric addresses behind a camera's, resolved this once: connect to these and to nothing else.

    Raises:
        AddressRefused: one of them, or none at all, is allowed. A name that also leads elsewhere is not trusted.
        OSError: the name was not resolved.
    """
    texts = resolve(address.host, address.port)
    found = [ipaddress.ip_address(each.partition("%")[0]) for each in texts]
    wrong = [each for each in found if not allowed.permits(each)]
    if wrong or not found:
        raise AddressRefused(
            f"expected {address} in the networks that cameras may be in, got {wrong[0] if wrong else 'no address'}; "
            "list its network on this device if that is right"
        )
    return tuple(str(plain_address(each)) for each in found)


def redacted(text: str, credential: Credential | None = None) -> str:
    """Return `text` without users, passwords and whatever stands for them in an address."""
    text = _SECRET_WORDS.sub("//***@", text)
    secret = credential.password.get_secret_value() if credential else ""
    return text.replace(secret, "***") if secret else text


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
