"""How the models of age, gender and expression confuse people: documents in the lake, and a pointer for each location.

`attribute_calibration/<digest>.json` is immutable; `attribute_calibration/active/<hash of location and models>` is
swapped last and holds the digest of the one in use. Other models have no confusion until one is measured for them.
"""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from footfall_assets.contracts.attributes import AttributeCalibration
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import Sha256, digest_of
from footfall_assets.storage.lake import LakeStore, ObjectMissing

_FOLDER: Final = "attribute_calibration"
_DIGEST: Final = TypeAdapter(Sha256)


def active_attribute_calibration(lake: LakeStore, location_id: str, models: str) -> AttributeCalibration | None:
    """Return what was measured for a location under these models (`Platform.attribute_models`), None without.

    Raises:
        CorruptObject: it is not what was written.
    """
    pointer = _pointer(location_id, models)
    if not lake.exists(pointer):
        return None
    try:
        digest = _DIGEST.validate_python(lake.read(pointer).decode(errors="replace"))
        found = AttributeCalibration.model_validate_json(lake.read(_key(digest)))
    except (ValidationError, ObjectMissing) as error:
        raise _corrupt(pointer, "the digest of a measured confusion that is there", str(error)[:120]) from error
    if found.digest != digest:
        raise _corrupt(_key(digest), f"a document with the hash {digest}", found.digest)
    if found.models != models or location_id not in found.location_ids:
        raise _corrupt(pointer, f"a document about {location_id}", f"one about {', '.join(found.location_ids[:5])}")
    return found


def store_attribute_calibration(lake: LakeStore, calibration: AttributeCalibration) -> str:
    """Store what was measured, make it the one in use at each of its locations, and return its digest."""
    lake.write(_key(calibration.digest), calibration.model_dump_json().encode())
    for location_id in calibration.location_ids:
        lake.write(_pointer(location_id, calibration.models), calibration.digest.encode())
    return calibration.digest


def _key(digest: str) -> str:
    return f"{_FOLDER}/{digest}.json"


def _pointer(location_id: str, models: str) -> str:
    return f"{_FOLDER}/active/{digest_of(location_id, models)}"


def _corrupt(key: str, expected: str, got: str) -> CorruptObject:
    return CorruptObject(f"{key}: expected {expected}, got {got}; measure it again: footfall attributes calibrate")
