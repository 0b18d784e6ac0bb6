from datetime import date

import pytest

from footfall_assets.contracts.calibration import Calibration, CountWeights, Evaluation, ProbeWeights
from footfall_assets.contracts.errors import CorruptObject, PermanentFailure
from footfall_assets.storage.calibration_store import (
    SHIPPED,
    active_calibration,
    parse_calibration,
    store_calibration,
)
from footfall_assets.storage.lake import FolderLake


def calibration(**changes) -> Calibration:
    count = CountWeights(
        centre=(0.1, 1 / 3),
        scale=(1.0, 2.0),
        weight=(0.5, -0.25),
        intercept=0.01,
        spread=(-3.0, -0.2, 0.1),
        low={0.8: -1.1, 0.9: -1.6},
        high={0.8: 1.2, 0.9: 1.7},
        listed=(12, 450),
        feature_ranges=((0.0, 1.0), (0.0, 2.0)),
    )
    evaluation = Evaluation(
        people=100, stores=9, median_error=0.02, coverage={0.9: 0.9}, median_width=0.1, false_match_rate=1e-4
    )
    fields = {
        "embedder": "dlib",
        "origin": "by hand",
        "made_on": date(2024, 1, 1),
        "window_max_distance": 0.06,
        "cuts": tuple(0.01 * cut for cut in range(1, 12)),
        "probe": ProbeWeights(weights=(0.1, 0.2), bias=-0.3),
        "count": count,
        "evaluation": evaluation,
    }
    return Calibration(**fields | changes)


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "defaults"
    folder.mkdir()
    return folder


def ship(folder, each, name="dlib"):
    (folder / f"{name}-{each.digest}.json").write_text(each.model_dump_json())


def test_without_any_there_is_none(lake, shipped) -> None:
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped) is None
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped / "nowhere") is None


def test_what_is_stored_is_found_to_the_last_bit(lake, shipped) -> None:
    assert store_calibration(lake, calibration()) == calibration().digest
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped) == calibration()


def test_another_embedder_or_threshold_has_none(lake, shipped) -> None:
    store_calibration(lake, calibration())
    ship(shipped, calibration())
    assert active_calibration(lake, "arcface", 0.06, shipped=shipped) is None
    assert active_calibration(lake, "dlib", 0.05, shipped=shipped) is None


def test_the_newest_stored_one_goes_before_those_that_ship(lake, shipped) -> None:
    ship(shipped, calibration(origin="shipped"))
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped).origin == "shipped"
    store_calibration(lake, calibration(origin="first"))
    store_calibration(lake, calibration(origin="second", made_on=date(2023, 1, 1)))
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped).origin == "second"


def test_each_embedder_keeps_its_own(lake, shipped) -> None:
    store_calibration(lake, calibration())
    store_calibration(lake, calibration(embedder="arcface", origin="another"))
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped).origin == "by hand"


def test_the_newest_of_several_that_ship(lake, shipped) -> None:
    ship(shipped, calibration(origin="new", made_on=date(2024, 2, 1)), "a")
    ship(shipped, calibration(origin="old"), "b")
    assert active_calibration(lake, "dlib", 0.06, shipped=shipped).origin == "new"


def test_a_changed_number_is_noticed(lake, shipped) -> None:
    digest = store_calibration(lake, calibration())
    key = f"calibration/{digest}.json"
    lake.write(key, lake.read(key).replace(b'"intercept":0.01', b'"intercept":0.02'))
    with pytest.raises(CorruptObject, match="hash"):
        active_calibration(lake, "dlib", 0.06, shipped=shipped)


def test_a_changed_one_that_ships_is_noticed(lake, shipped) -> None:
    (shipped / f"{calibration().digest}.json").write_text(calibration(origin="changed").model_dump_json())
    with pytest.raises(CorruptObject, match="hash"):
        active_calibration(lake, "dlib", 0.06, shipped=shipped)


@pytest.mark.parametrize("pointer", [b"", b"../../registry/CURRENT", b"0" * 64, b"\xff"])
def test_a_pointer_that_leads_nowhere_is_noticed(lake, shipped, pointer) -> None:
    store_calibration(lake, calibration())
    [key] = lake.list_keys("calibration/active")
    lake.write(key, pointer)
    with pytest.raises(CorruptObject, match="calibrate again"):
        active_calibration(lake, "dlib", 0.06, shipped=shipped)


def test_a_pointer_to_the_calibration_of_another_embedder_is_noticed(lake, shipped) -> None:
    store_calibration(lake, calibration())
    [key] = lake.list_keys("calibration/active")
    other = store_calibration(lake, calibration(embedder="arcface"))
    lake.write(key, other.encode())
    with pytest.raises(CorruptObject, match="arcface"):
        active_calibration(lake, "dlib", 0.06, shipped=shipped)


def test_the_table_has_a_column_for_each_cut(lake) -> None:
    short = calibration(cuts=(0.05, 0.06))
    with pytest.raises(PermanentFailure, match="11 cuts, got 2"):
        store_calibration(lake, short)
    with pytest.raises(CorruptObject, match="11 cuts"):
        parse_calibration(short.model_dump_json(), short.digest, source="here")


def test_what_is_no_calibration_is_refused() -> None:
    with pytest.raises(CorruptObject, match="expected a calibration"):
        parse_calibration(b'{"format": "footfall-calibration/9"}', "0" * 64, source="here")


def test_what_ships_is_what_was_written(lake) -> None:
    for path in sorted(SHIPPED.glob("*.json")):
        assert parse_calibration(path.read_bytes(), path.stem.rsplit("-", 1)[-1], source=path.name)
