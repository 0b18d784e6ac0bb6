"""The device's own key: made once, kept in a file that only its owner can read."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.errors import UnusableKey
from footfall_assets.storage.secret_file import read_or_create_secret


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key in `path`, made on first use (32 raw bytes, mode 0600).

    Raises:
        UnusableKey: the file holds something else.
    """
    stored = read_or_create_secret(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Ed25519PrivateKey.from_private_bytes(stored)
    except ValueError as error:
        raise UnusableKey(f"{path}: {error}; restore it, or delete it and register this device anew") from error
