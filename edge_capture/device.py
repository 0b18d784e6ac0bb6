"""The device's own key: made once, kept in a file that only its owner can read."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.errors import UnusableKey


def load_or_create_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key in `path`, made on first use (32 raw bytes, mode 0600).

    Raises:
        UnusableKey: the file holds something else, such as nothing after a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _stored_key(path)
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as target:
        target.write(key.private_bytes_raw())
        target.flush()
        os.fsync(target.fileno())
    return key


def _stored_key(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError as error:
        raise UnusableKey(f"{path}: {error}; restore it, or delete it and register this device anew") from error
