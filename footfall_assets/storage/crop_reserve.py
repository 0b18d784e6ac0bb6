"""Face crops of few local visitors, kept for audits of past days: off by default, encrypted, gone after days.

    crop_reserve/day=<d>/<name>.bin      in the lake: nonce, then AES-256-GCM of one local visitor's crops
    keys/crop-reserve/day-<d>.key        beside the lake, one a day: destroying it is the deletion
    keys/crop-reserve/selection.key      decides who is kept, and names the objects

The additional authenticated data are the object's key, so that no object opens in another's place (NIST SP 800-38D).
The nonce is a keyed hash of the object's key and content: another content never meets the same nonce, and writing the
same crops again gives the same bytes.
"""

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from footfall_assets.contracts.errors import CorruptObject, PermanentFailure, UserMistake
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.arrow import uuid_column
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.secret_file import read_or_create_secret

_FOLDER: Final = "crop_reserve"
_KEY_BYTES: Final = 32  # AES-256
_NONCE_BYTES: Final = 12  # what GCM takes without hashing it first
_LARGEST_SHARE: Final = 0.01  # of the local visitors, in production
_KEY_NAME: Final = re.compile(r"day-(\d{4}-\d{2}-\d{2})\.key")
_CROPS: Final = pa.schema([pa.field("face_image_id", pa.uuid()), pa.field("crop", pa.binary())])


class CropExpired(PermanentFailure):
    """The crops of that day are gone, or have to go."""


class CropReserve:
    """The reserve of one home as of a day."""

    def __init__(self, lake: LakeStore, keys_dir: Path, *, days: int, today: date) -> None:
        self._lake = lake
        self._keys = keys_dir / "crop-reserve"
        self._first_kept = today - timedelta(days=days - 1)
        self._today = today

    def keeps(self, day: date) -> bool:
        """Return whether the crops of a day may be in the reserve."""
        return self._first_kept <= day <= self._today

    def selects(self, local_visitor_id: UUID, share: float) -> bool:
        """Return whether a local visitor is among the `share` that is kept: always the same, by a keyed hash."""
        return int.from_bytes(self._hash(b"select", local_visitor_id)[:8], "big") < share * 2**64

    def put(self, day: date, local_visitor_id: UUID, crops: Mapping[UUID, bytes]) -> bool:
        """Keep the crops of a local visitor; return whether that changed anything.

        Raises:
            CropExpired: the day is too old to be kept.
        """
        if not self.keeps(day):
            raise CropExpired(f"crops of {day} may not be kept on {self._today}")
        name = self._object(day, local_visitor_id)
        secret = read_or_create_secret(self._key_path(day), lambda: secrets.token_bytes(_KEY_BYTES))
        content = _packed(crops)
        nonce = hmac.digest(secret, b"nonce" + name.encode() + bytes.fromhex(sha256_hex(content)), "sha256")
        nonce = nonce[:_NONCE_BYTES]
        sealed = nonce + AESGCM(secret).encrypt(nonce, content, name.encode())
        if self._lake.exists(name) and self._lake.read(name) == sealed:
            return False
        self._lake.write(name, sealed)
        return True

    def get(self, day: date, local_visitor_id: UUID) -> dict[UUID, bytes]:
        """Return the crops of a local visitor by face; none where it is not in the reserve.

        Raises:
            CropExpired: the day is too old, whether or not it was purged yet.
            CorruptObject: the object was changed, moved or written under another key.
        """
        if not self.keeps(day):
            raise CropExpired(f"crops of {day} are no longer kept on {self._today}")
        name, path = self._object(day, local_visitor_id), self._key_path(day)
        if not path.exists() or not self._lake.exists(name):
            return {}
        sealed = self._lake.read(name)
        try:
            cipher = AESGCM(path.read_bytes())
            return _unpacked(cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode()))
        except (InvalidTag, ValueError) as error:
            raise CorruptObject(f"{name}: does not open with its day's key; it was changed or moved") from error

    def holds(self, day: date, local_visitor_id: UUID) -> bool:
        """Return whether crops of a local visitor can be had."""
        return (
            self.keeps(day) and self._key_path(day).exists() and self._lake.exists(self._object(day, local_visitor_id))
        )

    def purge(self, *, everything: bool = False) -> tuple[date, ...]:
        """Destroy the keys of the days that are over, then their objects; return those days.

        The key goes first: from then on nothing of the day opens, whatever happens to the objects.

        Args:
            everything: also what could still be kept, as when the reserve is switched off.
        """
        kept = {date.fromisoformat(found[1]) for path in self._keys.glob("day-*.key") if (found := _day_of(path))}
        stored = {date.fromisoformat(key.split("/")[1].removeprefix("day=")) for key in self._lake.list_keys(_FOLDER)}
        over = sorted(day for day in kept | stored if everything or not self.keeps(day))
        for day in over:
            _destroy(self._key_path(day))
            for key in self._lake.list_keys(f"{_FOLDER}/day={day.isoformat()}"):
                self._lake.delete(key)
        return tuple(over)

    def _key_path(self, day: date) -> Path:
        return self._keys / f"day-{day.isoformat()}.key"

    def _object(self, day: date, local_visitor_id: UUID) -> str:
        return f"{_FOLDER}/day={day.isoformat()}/{self._hash(b'name', local_visitor_id).hex()[:32]}.bin"

    def _hash(self, use: bytes, local_visitor_id: UUID) -> bytes:
        path = self._keys / "selection.key"
        secret = read_or_create_secret(path, lambda: secrets.token_bytes(_KEY_BYTES))
        return hmac.digest(secret, use + local_visitor_id.bytes, "sha256")


def open_reserve(settings: PlatformSettings, lake: LakeStore, today: date) -> CropReserve:
    """Return the reserve that the settings name, as of `today`.

    Raises:
        UserMistake: a production home that would keep more than one in a hundred.
    """
    audit = settings.audit
    if settings.environment == "production" and audit.reserve_share > _LARGEST_SHARE:
        raise UserMistake(
            f"FOOTFALL_AUDIT__RESERVE_SHARE: expected at most {_LARGEST_SHARE} in production, got {audit.reserve_share}"
        )
    return CropReserve(lake, settings.keys_dir, days=audit.reserve_days, today=today)


def _day_of(path: Path) -> re.Match[str] | None:
    return _KEY_NAME.fullmatch(path.name)


def _destroy(path: Path) -> None:
    """Overwrite a key and remove it. What a disk or a backup kept of it is beyond this."""
    if not path.exists():
        return
    with path.open("r+b") as key:
        key.write(secrets.token_bytes(_KEY_BYTES))
        key.flush()
        os.fsync(key.fileno())
    path.unlink()


def _packed(crops: Mapping[UUID, bytes]) -> bytes:
    faces = sorted(crops)
    table = pa.Table.from_arrays(
        [uuid_column(faces), pa.array([crops[each] for each in faces], pa.binary())], schema=_CROPS
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _unpacked(content: bytes) -> dict[UUID, bytes]:
    with pa.ipc.open_stream(content) as reader:
        table = reader.read_all()
    return dict(zip(table["face_image_id"].to_pylist(), table["crop"].to_pylist(), strict=True))
