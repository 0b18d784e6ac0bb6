"""How drawn people are counted. They are no photographs: what tells masked faces from good ones finds them odd."""

from importlib.resources import files
from typing import Final

from footfall_assets.contracts.calibration import Calibration
from footfall_assets.storage.calibration_store import store_calibration
from footfall_assets.storage.lake import LakeStore

CALIBRATION_FILE: Final = "drawn_calibration.json"  # written by `footfall calibrate --out`


def drawn_calibration() -> Calibration:
    """Return the calibration of the shipped cast: without a probe, and with a count model of its own."""
    document = files(__package__).joinpath(CALIBRATION_FILE).read_text(encoding="utf-8")
    return Calibration.model_validate_json(document)


def count_as_drawn(lake: LakeStore) -> None:
    """Make a lake count by the calibration of drawn people, as one full of them has to."""
    store_calibration(lake, drawn_calibration())
