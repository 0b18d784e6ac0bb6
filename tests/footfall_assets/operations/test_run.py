"""The whole way through Dagster, with the real models and a few drawn people: twice, late, and in another order."""

import shutil
from datetime import date

import dagster as dg
import pytest

from footfall_assets.capture.refresh import refresh_images
from footfall_assets.contracts.schemas import FACES, IDENTITIES, SIGHTINGS, face_embeddings
from footfall_assets.definitions import build_definitions
from footfall_assets.identity.refresh import refresh_identities, refresh_local_visitors, refresh_sightings
from footfall_assets.operations.dagster_home import open_instance
from footfall_assets.operations.pending import pending
from footfall_assets.operations.run import RunFailed, Runner
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place, Platform
from footfall_assets.vision.refresh import refresh_face_embeddings, refresh_faces

pytestmark = pytest.mark.weights

FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)
LATE_CAMERA = "store-101-aisle"
PLACES = [Place(day, store) for day in (FIRST, SECOND) for store in ("store-101", "store-203")]
PLACES.append(Place(FIRST, "kiosk"))
DEPOT = Place(SECOND, "depot")


@pytest.fixture(scope="module")
def second_run(drawn_home, first_run):
    """The same again, nothing having happened."""
    return drawn_home.run()


@pytest.fixture(scope="module")
def late_batches(drawn_home, second_run):
    """A camera's first day, which lands when that day was run already."""
    return drawn_home.land(LATE_CAMERA, FIRST).batches


@pytest.fixture(scope="module")
def late_run(drawn_home, late_batches):
    """What landed late, and a backfill of a location that has no data."""
    return drawn_home.run([DEPOT])


def rows(home, asset, place, schema):
    platform = home.platform
    return platform.partitions.read_table(platform.manifest(asset, place), asset, schema)


def key_of(place):
    return dg.MultiPartitionKey({"day": place.day.isoformat(), "location": place.location_id})


def test_the_first_run_goes_through_every_stage(first_run) -> None:
    assert first_run.summary.runs == {"intake": 1, "places": 5, "days": 2, "warehouse": 1}
    assert not first_run.summary.left_out
    assert first_run.stages == ["intake"] + ["places"] * 5 + ["days"] * 2 + ["warehouse"]


def test_every_still_is_a_row(drawn_home, first_run) -> None:
    landed = sum(len(each.plans) for key, each in drawn_home.camera_days.items() if key != (LATE_CAMERA, FIRST))
    landed += len(drawn_home.camera_days["store-101-entrance", FIRST].plans)  # at the kiosk, too
    manifests = [drawn_home.platform.manifest("images", place) for place in PLACES]
    late = len(drawn_home.camera_days[LATE_CAMERA, FIRST].plans)
    assert sum(manifest.rows("images") for manifest in manifests) in {landed, landed + late}


def test_the_home_is_up_to_date_after_a_run(second_run, late_run, drawn_home) -> None:
    assert pending(read_state(drawn_home.platform)).nothing


def test_a_second_run_does_nothing(first_run, second_run) -> None:
    assert second_run.summary.runs == {}
    assert second_run.computed == {}
    assert second_run.hashes == first_run.hashes
    assert second_run.publication == first_run.publication


def test_a_late_batch_computes_its_own_part_only(late_run, late_batches, drawn_home) -> None:
    """Of the place it belongs to: its part of each asset; of the days: those that rest on it."""
    place = Place(FIRST, "store-101")
    for asset in ("images", "faces", "face_embeddings"):
        assert late_run.computed[asset, key_of(place)] == late_batches
        parts = drawn_home.platform.manifest(asset, place).parts
        assert len({part.name for part in parts}) > late_batches
    others = [key for key in late_run.computed if key[0] == "faces" and key[1] not in {key_of(place), key_of(DEPOT)}]
    assert others == []
    assert late_run.computed["identities", FIRST.isoformat()] == 1
    assert late_run.computed["identities", SECOND.isoformat()] == 1
    assert late_run.computed["sightings", FIRST.isoformat()] == 1


def test_a_late_batch_changes_its_day_and_the_names_after_it(first_run, late_run) -> None:
    changed = {key for key, value in late_run.hashes.items() if first_run.hashes.get(key) != value}
    days = {key.split("/")[2] for key in changed if "location=depot" not in key and key.startswith("sightings")}
    places = {"/".join(key.split("/")[2:4]) for key in changed if key.startswith("local_visitors")}
    assert f"day={FIRST}/location=store-101" in places
    assert places == {f"day={FIRST}/location=store-101", f"day={SECOND}/location=depot"}
    assert f"day={FIRST}" in days
    assert late_run.publication != first_run.publication


def test_a_location_without_data_can_be_backfilled(drawn_home, late_run) -> None:
    assert late_run.summary.runs["places"] == 2
    for asset in ("images", "faces", "face_embeddings", "local_visitors"):
        manifest = drawn_home.platform.manifest(asset, DEPOT)
        assert manifest is not None
        assert sum(part.rows for part in manifest.parts) == 0
    assert late_run.summary.runs["warehouse"] == 1


def test_visitors_are_about_those_who_were_drawn(drawn_home, late_run) -> None:
    """Four people came; a visitor more or less is accuracy, which is measured elsewhere."""
    platform = drawn_home.platform
    identities = platform.partitions.manifest(platform.day_of("identities", SECOND))
    table = platform.partitions.read_table(identities, "identities", IDENTITIES)
    assert 3 <= len(set(table["face_id"].to_pylist())) <= 6


def test_a_location_that_only_counts_keeps_no_crop_and_no_vector(drawn_home, late_run) -> None:
    kiosk, store = Place(FIRST, "kiosk"), Place(FIRST, "store-101")
    faces = rows(drawn_home, "faces", kiosk, FACES)
    assert faces.num_rows > 0
    assert faces["crop"].null_count == faces.num_rows
    assert rows(drawn_home, "faces", store, FACES)["crop"].null_count == 0
    schema = face_embeddings(drawn_home.platform.embedding_dim)
    assert rows(drawn_home, "face_embeddings", kiosk, schema).num_rows == 0
    assert rows(drawn_home, "face_embeddings", store, schema).num_rows > 0
    platform = drawn_home.platform
    manifest = platform.partitions.manifest(platform.day_of("sightings", FIRST))
    sightings = platform.partitions.read_table(manifest, "sightings", SIGHTINGS).to_pylist()
    counted = [row for row in sightings if row["location_id"] == "kiosk"]
    assert len(counted) == faces.num_rows
    assert {row["unidentified_reason"] for row in counted} == {"count_only"}


@pytest.fixture(scope="module")
def other_order(drawn_home, late_run, tmp_path_factory, settings_of):
    """The same batches in a second home, the later days and the far ends of the alphabet first."""
    home = tmp_path_factory.mktemp("other") / "home"
    for part in ("batches", "registry", "calibration"):
        shutil.copytree(drawn_home.settings.home / "lake" / part, home / "lake" / part)
    platform = Platform(settings_of(home, model_cache=drawn_home.settings.model_cache))
    for refresh in (refresh_images, refresh_faces, refresh_face_embeddings, refresh_local_visitors):
        for place in sorted([*PLACES, DEPOT], reverse=True):
            refresh(platform, place)
    for day in (SECOND, FIRST):
        refresh_sightings(platform, day)
        refresh_identities(platform, day)
    return platform


@pytest.mark.parametrize("asset", ["images", "faces", "face_embeddings", "local_visitors"])
def test_places_in_another_order_are_the_same(drawn_home, other_order, asset) -> None:
    for place in [*PLACES, DEPOT]:
        assert (
            other_order.manifest(asset, place).content_hash == drawn_home.platform.manifest(asset, place).content_hash
        )


@pytest.mark.parametrize("asset", ["identities", "sightings"])
def test_days_in_another_order_are_the_same(drawn_home, other_order, asset) -> None:
    for day in (FIRST, SECOND):
        first, second = (
            platform.partitions.manifest(platform.day_of(asset, day)) for platform in (drawn_home.platform, other_order)
        )
        assert first.content_hash == second.content_hash


def test_without_caches_the_same_comes_out(drawn_home, late_run) -> None:
    """Everything beside the lake can go: the build database and dbt's artefacts are made again."""
    shutil.rmtree(drawn_home.settings.warehouse_dir)
    shutil.rmtree(drawn_home.settings.dbt_target)
    drawn_home.platform.lake.delete("publications/built-from.json")
    again = drawn_home.run()
    assert again.summary.runs == {"warehouse": 1}
    assert again.publication == late_run.publication
    assert again.hashes == late_run.hashes


def test_a_run_that_fails_says_where_and_why(drawn_home, late_run, tmp_path, settings_of, own_environment) -> None:
    """A batch that was damaged in the lake: the run names the partition, the step, the cause and the Dagster run."""
    settings = settings_of(tmp_path / "home", model_cache=drawn_home.settings.model_cache)
    for part in ("batches", "registry", "calibration"):
        shutil.copytree(drawn_home.settings.home / "lake" / part, tmp_path / "home" / "lake" / part)
    shutil.copytree(drawn_home.settings.dbt_target, settings.dbt_target)  # spares another parse
    platform = Platform(settings)
    damaged = platform.lake.list_keys(f"batches/{FIRST}/store-203")[0]
    platform.lake.write(damaged, b"damaged")
    with open_instance(settings) as instance:
        runner = Runner(build_definitions(settings), instance, platform, lambda *_: None)
        with pytest.raises(RunFailed, match=r"places of partition 2024-01-01\|store-203 failed in images: .*truncated"):
            runner.run_places([Place(FIRST, "store-203")])
    assert platform.manifest("images", Place(FIRST, "store-203")) is None
