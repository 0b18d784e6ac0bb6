"""The fleet key: it signs what devices are to do. Its secret half never leaves the home's keys."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.fleet import PUBLIC_KEY_KEY, KeyHandover, handover_key
from footfall_assets.storage.fleet_store import write_signed
from footfall_assets.storage.lake import LakeStore, sync_folder
from footfall_assets.storage.secret_file import read_or_create_secret

_FILE: Final = "fleet-signing.key"
_NEXT_FILE: Final = "fleet-signing.next.key"


def load_fleet_key(lake: LakeStore, keys_dir: Path) -> Ed25519PrivateKey:
    """Return the fleet key, made on first use; its public half is put into the lake for whoever wants to compare.

    Raises:
        UserMistake: the file holds something else.
    """
    key = _load(keys_dir / _FILE)
    public_key = public_key_text(key).encode()
    if not lake.exists(PUBLIC_KEY_KEY) or lake.read(PUBLIC_KEY_KEY) != public_key:
        lake.write(PUBLIC_KEY_KEY, public_key)
    return key


def rotate_fleet_key(lake: LakeStore, keys_dir: Path) -> tuple[str, str]:
    """Replace the fleet key and return the old and the new public half.

    The old key signs a handover to the new one, so that a device that pinned the old one can follow, whenever it comes
    back. Killed half-way, the same command goes on with the same new key. What the old key has signed is signed again
    by whoever publishes next.

    Raises:
        UserMistake: a key file holds something else.
    """
    old, new = _load(keys_dir / _FILE), _load(keys_dir / _NEXT_FILE)
    handover = KeyHandover(public_key=public_key_text(old), next_public_key=public_key_text(new))
    if handover.public_key != handover.next_public_key:  # killed between its last two steps
        write_signed(lake, handover_key(handover.public_key), handover, old)
    (keys_dir / _NEXT_FILE).replace(keys_dir / _FILE)
    sync_folder(keys_dir)
    load_fleet_key(lake, keys_dir)
    return handover.public_key, handover.next_public_key


def _load(path: Path) -> Ed25519PrivateKey:
    stored = read_or_create_secret(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Ed25519PrivateKey.from_private_bytes(stored)
    except ValueError as error:
        raise UserMistake(f"{path}: expected 32 bytes of an Ed25519 key, got {len(stored)}; restore it") from error
