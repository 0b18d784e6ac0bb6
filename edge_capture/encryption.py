"""Batches at rest: AES-256-GCM (NIST SP 800-38D), bound to the place in the lake where each one goes."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_capture.errors import DamagedItem, UnusableKey
from footfall_assets.storage.secret_file import read_or_create_secret

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # 96 random bits: safe for 2^32 batches under one key (SP 800-38D, section 8.3)
_KEY_ID_LENGTH: Final = 16  # hexadecimal digits; names the key without giving anything of it away


class BatchSeal:
    """Seals with one key; the nonce stands before the ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.key_id = sha256(b"footfall-spool-key\0" + key).hexdigest()[:_KEY_ID_LENGTH]

    def __repr__(self) -> str:
        return f"BatchSeal(key_id={self.key_id!r})"

    def seal(self, plain: bytes, name: str) -> bytes:
        """Return nonce and ciphertext; `name` is authenticated with it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the plain bytes.

        Raises:
            DamagedItem: changed since, or sealed under another name.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise DamagedItem("not_authentic", f"{name}: the ciphertext is not what was sealed under it") from error


def load_or_create_seal(path: Path) -> BatchSeal:
    """Return the seal whose key is in `path`, made on first use (32 raw bytes, mode 0600).

    Raises:
        UnusableKey: the file holds something else.
    """
    key = read_or_create_secret(path, lambda: os.urandom(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise UnusableKey(f"{path}: expected {KEY_BYTES} bytes, got {len(key)}; restore it, or delete it for a new key")
    return BatchSeal(key)
