"""What a build knows of age, gender and expression besides the guesses: where they are on, how they are confused."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from footfall_assets.contracts.attributes import CLASSES, AttributeCalibration, TraitConfusion
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.platform import Platform
from footfall_assets.storage.attribute_calibration_store import active_attribute_calibration
from footfall_assets.warehouse.sources import ATTRIBUTE_CONFUSION, LOCATION_ATTRIBUTES


def calibrations_in_use(platform: Platform) -> dict[str, AttributeCalibration]:
    """Return what was measured for each location that ever had an attribute switched on, under the models in use.

    Raises:
        CorruptObject: a document is not what was written.
    """
    locations = sorted({each.location_id for each in platform.registry.locations if each.attributes})
    found = {
        location: active_attribute_calibration(platform.lake, location, platform.attribute_models)
        for location in locations
    }
    return {location: calibration for location, calibration in found.items() if calibration}


def switched_on(registry: Registry) -> pa.Table:
    """Return the rows of `LOCATION_ATTRIBUTES`."""
    rows = [
        {
            "location_id": location.location_id,
            "attribute": str(attribute),
            "legal_basis": location.attributes_basis or "",
            "notice_since": location.attributes_notice_since,
            "valid_from": location.valid_from,
            "valid_to": _valid_to(location, registry),
        }
        for location in registry.locations
        for attribute in location.attributes
    ]
    return pa.Table.from_pylist(rows, schema=LOCATION_ATTRIBUTES)


def measured_confusion(calibrations: Mapping[str, AttributeCalibration]) -> pa.Table:
    """Return the rows of `ATTRIBUTE_CONFUSION`."""
    rows = [
        row
        for location, calibration in sorted(calibrations.items())
        for confusion in calibration.confusions
        for row in _cells(location, calibration, confusion)
    ]
    return pa.Table.from_pylist(rows, schema=ATTRIBUTE_CONFUSION)


def _cells(location: str, calibration: AttributeCalibration, confusion: TraitConfusion) -> list[dict[str, Any]]:
    classes, score = CLASSES[confusion.trait], confusion.evaluation
    shared = {
        "location_id": location,
        "trait": str(confusion.trait),
        "digest": calibration.digest,
        "origin": calibration.origin,
        "made_on": calibration.made_on,
        "accuracy": score.accuracy if score else None,
        "coverage": score.coverage if score else None,
    }
    return [
        {**shared, "true_class": true, "labelled_class": labelled, "people": people}
        for true, row in zip(classes, confusion.counts, strict=True)
        for labelled, people in zip(classes, row, strict=True)
    ]


def _valid_to(location: Location, registry: Registry) -> date | None:
    versions = registry.versions_of_location[location.location_id]
    return min((other.valid_from for other in versions if other.valid_from > location.valid_from), default=None)
