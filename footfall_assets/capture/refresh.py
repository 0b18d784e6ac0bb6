"""Bringing `images` up to date; running it again computes nothing."""

from collections import Counter

import pyarrow as pa

from footfall_assets.capture.images import images_of_batch
from footfall_assets.contracts.errors import FinalPartition
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.parts import refresh_parts


def refresh_images(platform: Platform, place: Place) -> Outcome:
    """Bring `images` of a place up to date with its accepted batches.

    Raises:
        FinalPartition: batches it was made from are gone.
    """
    removed = platform.removed_batches(place)
    if removed:
        raise FinalPartition(
            f"{place.location_id} on {place.day} is final: retention has removed {len(removed)} of its batches; "
            "it stays as it is"
        )
    batches = platform.accepted_batches(place)
    left_out: Counter[str] = Counter()

    def compute(batch: str) -> dict[str, pa.Table]:
        part = images_of_batch(platform.lake, batches[batch], platform.settings.intake)
        left_out.update(part.quarantined)
        return {"images": part.images, "coverage": part.coverage}

    target = platform.place_of("images", place)
    refreshed = refresh_parts(platform.partitions, target, ("images", "coverage"), batches, compute)
    return Outcome.of(refreshed, "images", left_out)
