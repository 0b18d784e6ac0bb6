"""The crops of a question's two sides: from `faces` on the day itself, from the reserve later."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from footfall_assets.contracts.audit import AuditSample, Side
from footfall_assets.contracts.schemas import FACES
from footfall_assets.storage.crop_reserve import CropExpired, CropReserve
from footfall_assets.storage.partitions import PartitionPlace, PartitionStore

_SAME_DAY: Final = 1  # days: a business day may lie a day before or behind the date in UTC


class AuditCrops:
    """Reads the crops that a sample's questions show, as of a day."""

    def __init__(self, store: PartitionStore, sample: AuditSample, reserve: CropReserve, *, today: date) -> None:
        self._store = store
        self._sample = sample
        self._reserve = reserve
        self._today = today

    def of(self, side: Side) -> list[bytes]:
        """Return the JPEGs of a side's faces, best first; fewer or none where they are gone.

        Raises:
            CropExpired: they may not be shown any more.
        """
        found = self._kept(side) if self._sample.from_reserve else self._of_the_day(side)
        return [found[face] for face in side.faces if face in found]

    def _kept(self, side: Side) -> Mapping[UUID, bytes]:
        return self._reserve.get(side.day, side.local_visitor_id)

    def _of_the_day(self, side: Side) -> Mapping[UUID, bytes]:
        if not shown_from_faces(side.day, self._today):
            raise CropExpired(
                f"this audit is of {side.day} and its crops may be shown on that day only; an audit of past days needs "
                "the reserve (FOOTFALL_AUDIT__CROP_RESERVE=true, docs/audit.md)"
            )
        place = PartitionPlace("faces", self._sample.versions["faces"], side.day, side.location_id)
        return crops_of(self._store, place, side.faces)


def shown_from_faces(day: date, today: date) -> bool:
    """Return whether the crops of `faces` of a day may be shown: on that day, give or take the time zone."""
    return abs((today - day).days) <= _SAME_DAY


def crops_of(store: PartitionStore, place: PartitionPlace, faces: tuple[UUID, ...]) -> dict[UUID, bytes]:
    """Return the crops of some faces of a partition of `faces`; those without one are missing."""
    wanted = pa.array([each.bytes for each in faces], pa.binary(16))
    found: dict[UUID, bytes] = {}
    manifest = store.manifest(place)
    for part in manifest.parts if manifest else ():
        rows = store.read_part(part).cast(FACES).select(["face_image_id", "crop"])
        chosen = rows.filter(pc.is_in(rows["face_image_id"].combine_chunks().storage, wanted))
        pairs = zip(chosen["face_image_id"].to_pylist(), chosen["crop"].to_pylist(), strict=True)
        found |= {face: crop for face, crop in pairs if crop is not None}
    return found
