from footfall_assets.contracts.schemas import CUT_COLUMNS
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.platform import Platform
from footfall_assets.simulation.drawn_calibration import count_as_drawn, drawn_calibration


def test_it_holds_for_the_default_embedder_and_threshold_and_turns_nobody_away(tmp_path):
    platform = Platform(PlatformSettings(home=tmp_path))
    count_as_drawn(platform.lake)
    assert platform.calibration == drawn_calibration()
    assert platform.probe is None
    assert len(platform.cuts) == len(CUT_COLUMNS)


def test_it_says_that_nobody_in_it_is_real_and_was_scored_on_others():
    found = drawn_calibration()
    assert "drawn people" in found.origin
    assert found.evaluation.people > 50
    assert found.evaluation.coverage[0.9] > 0.85


def test_without_it_a_home_counts_by_what_ships_for_photographs(tmp_path):
    platform = Platform(PlatformSettings(home=tmp_path))
    assert platform.calibration != drawn_calibration()
    assert platform.probe is not None
