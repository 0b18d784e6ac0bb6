"""The registry in the lake: immutable revisions and a pointer to the current one."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock
from pydantic import ValidationError

from footfall_assets.contracts.errors import CorruptObject, RegistryError
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.registry import Registry
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey

_CURRENT: Final = "registry/CURRENT"


def current_revision(lake: LakeStore) -> str | None:
    """Return what the pointer to the current revision says, or None where nothing was registered yet.

    A revision's name holds its hash, so the same name is the same registry.
    """
    return lake.read(_CURRENT).decode(errors="replace") if lake.exists(_CURRENT) else None


def read_registry(lake: LakeStore) -> Registry:
    """Return the current registry; an empty one where nothing was registered yet.

    Raises:
        CorruptObject: the pointer leads nowhere, or the revision does not have the hash its name says.
    """
    key = current_revision(lake)
    if key is None:
        return Registry()
    try:
        document = lake.read(key)
    except (ObjectMissing, UnsafeKey) as error:
        raise CorruptObject(f"{_CURRENT}: leads to {key[:120]!r}, which is no revision; restore it") from error
    if not key.endswith(f"-{sha256_hex(document)}.json"):
        raise CorruptObject(f"{key}: content does not match the hash in its name; restore it from a backup")
    try:
        return Registry.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CorruptObject(
            f"{key}: expected a registry of this version of footfall, got {field}: {first['msg']}; "
            "use the version that wrote it, or a new FOOTFALL_HOME"
        ) from error


def change_registry(lake: LakeStore, lock_folder: Path, change: Callable[[Registry], Registry]) -> Registry:
    """Apply `change` to the current registry, store the result as a new revision and return it.

    One change at a time: a file lock in `lock_folder` orders them. A change that changes nothing stores nothing.

    Raises:
        RegistryError: the changed registry contradicts itself.
    """
    lock_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock_folder / "registry.lock"):
        before = read_registry(lake)
        try:
            after = change(before)
        except ValidationError as error:
            raise RegistryError(
                "; ".join(_told(problem["loc"], problem["msg"]) for problem in error.errors())
            ) from error
        if after == before:
            return before
        revised = after.model_copy(update={"revision": before.revision + 1})
        document = revised.model_dump_json(indent=1).encode()
        key = f"registry/{revised.revision:08d}-{sha256_hex(document)}.json"
        lake.write(key, document)
        lake.write(_CURRENT, key.encode())
        return revised


def _told(place: tuple[int | str, ...], message: str) -> str:
    field = ".".join(str(part) for part in place if isinstance(part, str))
    return f"{field}: {message}" if field else message
