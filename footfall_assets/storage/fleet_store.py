"""The fleet area of the lake: signed documents, small and read with suspicion. Platform and devices both use it."""

import base64
from typing import Final, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel

from footfall_assets.contracts.documents import parse_document
from footfall_assets.contracts.errors import InvalidDocument
from footfall_assets.contracts.fleet import MOST_DOCUMENT_BYTES
from footfall_assets.storage.lake import LakeStore, ObjectMissing

SIGNATURE_BYTES: Final = 64  # RFC 8032
_SIGNATURES: Final = 2  # of the document and of the one it replaces
_READS: Final = 3  # a document that is replaced between two reads is read again

_Record = TypeVar("_Record", bound=BaseModel)


class WrongSigner(InvalidDocument):
    """A document that nobody signed, or somebody else than expected."""


def signature_key(key: str) -> str:
    """Return where the signature of the document under `key` lies."""
    return key.removesuffix(".json") + ".sig"


def write_signed(lake: LakeStore, key: str, record: BaseModel, signer: Ed25519PrivateKey) -> None:
    """Store `record` as JSON under `key` with its signature; a reader finds the old one or the new one, both signed.

    Raises:
        InvalidDocument: too large to be read again.
    """
    document = record.model_dump_json().encode()
    if len(document) > MOST_DOCUMENT_BYTES:
        raise InvalidDocument(f"{key}: expected at most {MOST_DOCUMENT_BYTES} bytes of JSON, got {len(document)}")
    lake.write(signature_key(key), signer.sign(document) + _signature_in_force(lake, key, signer))
    lake.write(key, document)


def _signature_in_force(lake: LakeStore, key: str, signer: Ed25519PrivateKey) -> bytes:
    """Return the signature that goes with the document as it lies there; it is carried over, never made anew.

    Where a writer died between its two writes that is the second one. One of an earlier key cannot be told: the first.
    """
    signatures = _read_or_nothing(lake, signature_key(key), _SIGNATURES * SIGNATURE_BYTES)
    document = _read_or_nothing(lake, key, MOST_DOCUMENT_BYTES + 1)
    public_key = base64.b64encode(signer.public_key().public_bytes_raw()).decode()
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        if is_signed(document, signatures[start : start + SIGNATURE_BYTES], public_key):
            return signatures[start : start + SIGNATURE_BYTES]
    return signatures[:SIGNATURE_BYTES]


def read_signed(lake: LakeStore, key: str, record: type[_Record], public_key: str) -> _Record:
    """Return the record under `key` when the holder of `public_key` (base64) signed its very bytes.

    Raises:
        ObjectMissing: there is none.
        WrongSigner: no signature of that key fits.
        InvalidDocument: too large, or not what `record` takes.
        TransientFailure: the lake cannot be reached.
    """
    for _ in range(_READS):
        document = lake.read_range(key, 0, MOST_DOCUMENT_BYTES + 1)  # before its signatures: they announce it
        signatures = _read_or_nothing(lake, signature_key(key), _SIGNATURES * SIGNATURE_BYTES)
        if is_signed(document, signatures, public_key):
            return parse_document(document, record, most_bytes=MOST_DOCUMENT_BYTES)
    raise WrongSigner(f"{key}: expected a signature of {public_key[:12]}..., got none that fits")


def _read_or_nothing(lake: LakeStore, key: str, most_bytes: int) -> bytes:
    try:
        return lake.read_range(key, 0, most_bytes)
    except ObjectMissing:
        return b""


def is_signed(document: bytes, signatures: bytes, public_key: str) -> bool:
    """Return whether one of the `signatures`, laid end to end, is that of `public_key` (base64) over `document`."""
    try:
        verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
    except ValueError:
        return False
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        try:
            verifier.verify(signatures[start : start + SIGNATURE_BYTES], document)
        except InvalidSignature:
            continue
        return True
    return False


def read_record(lake: LakeStore, key: str, record: type[_Record]) -> _Record | None:
    """Return an unsigned record of the fleet area, or None where there is none; raises InvalidDocument."""
    try:
        document = lake.read_range(key, 0, MOST_DOCUMENT_BYTES + 1)
    except ObjectMissing:
        return None
    return parse_document(document, record, most_bytes=MOST_DOCUMENT_BYTES)
