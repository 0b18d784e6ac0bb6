"""Calibrations: those of the lake, with a pointer for each embedder and threshold, and those that ship.

In the lake, `calibration/<digest>.json` is immutable; `calibration/active/<hash of embedder and threshold>` is swapped
last and holds the digest of the one in use.
"""

from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from footfall_assets.contracts.calibration import Calibration
from footfall_assets.contracts.errors import CorruptObject, PermanentFailure
from footfall_assets.contracts.ids import Sha256, digest_of
from footfall_assets.contracts.schemas import CUT_COLUMNS
from footfall_assets.storage.lake import LakeStore, ObjectMissing

SHIPPED: Final = Path(__file__).parents[1] / "calibration" / "defaults"
_FOLDER: Final = "calibration"
_DIGEST: Final = TypeAdapter(Sha256)


def active_calibration(
    lake: LakeStore, embedder_identity: str, window_max_distance: float, *, shipped: Path = SHIPPED
) -> Calibration | None:
    """Return the calibration for an embedder and threshold: the lake's own, else one that ships, else None.

    Raises:
        CorruptObject: one is not what was written.
    """
    wanted = embedder_identity, window_max_distance
    pointer = _pointer(*wanted)
    if lake.exists(pointer):
        found = _stored(lake, pointer)
        if (found.embedder, found.window_max_distance) != wanted:
            raise _corrupt(pointer, f"a calibration of {wanted}", f"one of {found.embedder}")
        return found
    fitting = [each for each in _shipped(shipped) if (each.embedder, each.window_max_distance) == wanted]
    return max(fitting, key=lambda each: (each.made_on, each.digest), default=None)


def store_calibration(lake: LakeStore, calibration: Calibration) -> str:
    """Store a calibration, make it the active one of its embedder and threshold, and return its digest.

    Raises:
        PermanentFailure: it does not have as many cuts as the `cuts` table has columns.
    """
    if len(calibration.cuts) != len(CUT_COLUMNS):
        raise PermanentFailure(f"expected a calibration with {len(CUT_COLUMNS)} cuts, got {len(calibration.cuts)}")
    lake.write(_key(calibration.digest), calibration.model_dump_json().encode())
    pointer = _pointer(calibration.embedder, calibration.window_max_distance)
    lake.write(pointer, calibration.digest.encode())
    return calibration.digest


def parse_calibration(document: str | bytes, digest: str, *, source: str) -> Calibration:
    """Return the calibration in a JSON document that must have this digest; `source` names it in messages.

    Raises:
        CorruptObject: it has another digest, is no calibration, or has another number of cuts than the table.
    """
    try:
        found = Calibration.model_validate_json(document)
    except ValidationError as error:
        raise _corrupt(source, "a calibration", error.errors()[0]["msg"]) from error
    if found.digest != digest:
        raise _corrupt(source, f"a calibration with the hash {digest}", found.digest)
    if len(found.cuts) != len(CUT_COLUMNS):
        raise _corrupt(source, f"{len(CUT_COLUMNS)} cuts", str(len(found.cuts)))
    return found


def _stored(lake: LakeStore, pointer: str) -> Calibration:
    try:
        digest = _DIGEST.validate_python(lake.read(pointer).decode(errors="replace"))
        document = lake.read(_key(digest))
    except (ValidationError, ObjectMissing) as error:
        raise _corrupt(pointer, "the digest of a calibration that is there", str(error)[:120]) from error
    return parse_calibration(document, digest, source=_key(digest))


def _shipped(folder: Path) -> list[Calibration]:
    """Return the calibrations in a folder; the name of each file ends with its digest."""
    return [
        parse_calibration(path.read_bytes(), path.stem.rsplit("-", 1)[-1], source=path.name)
        for path in sorted(folder.glob("*.json"))
    ]


def _key(digest: str) -> str:
    return f"{_FOLDER}/{digest}.json"


def _pointer(embedder_identity: str, window_max_distance: float) -> str:
    return f"{_FOLDER}/active/{digest_of(embedder_identity, repr(window_max_distance))}"


def _corrupt(key: str, expected: str, got: str) -> CorruptObject:
    return CorruptObject(f"{key}: expected {expected}, got {got}; calibrate again, or restore the file")
