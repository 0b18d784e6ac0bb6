"""What is allowed meets what is asked for in one place: a request of any kind never leaves it."""

from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.selection import (
    CameraGroupInfo,
    CameraInfo,
    Directory,
    LocationInfo,
    read_directory,
    restricted,
    select_cameras,
)

DAY = date(2024, 1, 5)
PLACES = tuple(f"store-{number}" for number in range(6))
CAMERAS = {f"{place}-{what}": place for place in PLACES for what in ("door", "till")}
GROUPS = {"doors": tuple(key for key in CAMERAS if key.endswith("door")), "first": ("store-0-door", "store-0-till")}
DIRECTORY = Directory(
    locations={key: LocationInfo(key, f"Name of {key}", "UTC", "unique", is_current=True) for key in PLACES},
    cameras={key: CameraInfo(key, place, f"Camera {key}", is_current=True) for key, place in CAMERAS.items()},
    groups={key: CameraGroupInfo(key, key, cameras) for key, cameras in GROUPS.items()},
)
ALLOWED = st.none() | st.frozensets(st.sampled_from([*PLACES, "gone"]), max_size=6)
REQUESTS = st.builds(
    ReportRequest,
    first_day=st.just(DAY),
    last_day=st.just(DAY),
    location_ids=st.lists(st.sampled_from(PLACES), max_size=3, unique=True).map(tuple),
    camera_group=st.none() | st.sampled_from(sorted(GROUPS)),
    camera_ids=st.lists(st.sampled_from(sorted(CAMERAS)), max_size=3, unique=True).map(tuple),
)


def leaks(select, allowed, request):
    """Return the locations beyond `allowed` that a selection or its refusal names or reads."""
    directory = DIRECTORY if allowed is None else restricted(DIRECTORY, allowed)
    try:
        chosen = select(directory, request)
    except UserMistake as refusal:
        said = str(refusal).partition("known:")[2]  # before it stands what was asked for
        return {place for place in PLACES if allowed is not None and place not in allowed and f"{place} (" in said}
    if allowed is None:
        return set()
    cameras = CAMERAS if chosen.camera_ids is None else chosen.camera_ids  # None reads everything there is
    return ({CAMERAS[camera] for camera in cameras} | set(chosen.location_ids)) - set(allowed)


@settings(max_examples=400)
@given(ALLOWED, REQUESTS)
def test_no_request_reaches_beyond_what_is_allowed(allowed, request):
    assert leaks(select_cameras, allowed, request) == set()


def test_a_filter_that_forgets_the_scope_is_caught():
    """A mutant: select_cameras as it is, over a directory whose restriction was dropped."""

    def forgetful(directory, request):
        return select_cameras(DIRECTORY, request)

    everything = ReportRequest(DAY, DAY)
    assert leaks(forgetful, frozenset({"store-1"}), everything) != set()
    assert leaks(forgetful, frozenset({"store-1"}), ReportRequest(DAY, DAY, location_ids=("store-2",))) != set()


def test_all_becomes_the_allowed_list():
    """`camera_ids` None means all, also those the registry has forgotten: of whatever location."""
    everything = ReportRequest(DAY, DAY)
    assert select_cameras(DIRECTORY, everything).camera_ids is None
    chosen = select_cameras(restricted(DIRECTORY, ["store-1"]), everything)
    assert chosen.camera_ids == ("store-1-door", "store-1-till")
    assert chosen.location_ids == ("store-1",)


def test_names_of_other_stores_do_not_exist():
    directory = restricted(DIRECTORY, ["store-1"])
    assert set(directory.locations) == {"store-1"}
    assert set(directory.cameras) == {"store-1-door", "store-1-till"}
    assert directory.groups["doors"].camera_ids == ("store-1-door",)
    assert "first" not in directory.groups
    assert directory.label("store-2") == "store-2"


def test_nothing_allowed_is_nothing_chosen():
    with pytest.raises(UserMistake, match="at least one camera"):
        select_cameras(restricted(DIRECTORY, []), ReportRequest(DAY, DAY))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.sampled_from(["store-101", "store-203"])))
def test_a_published_directory_is_read_restricted(made, lake, tmp_path, allowed):
    with open_visitors(lake, made.publish(lake, tmp_path / "build")) as connection:
        assert set(read_directory(connection, allowed=allowed).locations) == allowed
        assert set(read_directory(connection).locations) == {"store-101", "store-203"}


COUNTED = Directory(
    locations={
        **DIRECTORY.locations,
        "corner": LocationInfo("corner", "Corner", "UTC", "count_only", is_current=True),
        "closed": LocationInfo("closed", "Closed", "UTC", "off", is_current=True),
        "planned": LocationInfo("planned", "Planned", "UTC", "unique", is_current=True),
    },
    cameras=DIRECTORY.cameras,
    groups=DIRECTORY.groups,
    counted_ids=frozenset({"store-1", "corner", "closed", "gone"}),
)


def test_a_location_with_a_counter_and_no_camera_belongs_to_all() -> None:
    """One that is switched off, one the registry forgot and one of which nothing is known do not."""
    everything = select_cameras(COUNTED, ReportRequest(DAY, DAY))
    assert everything.camera_ids is None
    assert everything.location_ids == ("corner", *PLACES)
    assert (everything.counted_only_ids, everything.camera_place_ids) == (("corner",), PLACES)


def test_a_location_without_a_camera_can_be_asked_for() -> None:
    alone = select_cameras(COUNTED, ReportRequest(DAY, DAY, location_ids=("corner",)))
    assert (alone.camera_ids, alone.location_ids, alone.counted_only_ids) == ((), ("corner",), ("corner",))
    both = select_cameras(COUNTED, ReportRequest(DAY, DAY, location_ids=("corner", "store-1")))
    assert both.location_ids == ("corner", "store-1")
    assert both.camera_ids == ("store-1-door", "store-1-till")


@pytest.mark.parametrize(
    "request_", [ReportRequest(DAY, DAY, camera_group="doors"), ReportRequest(DAY, DAY, camera_ids=("store-1-door",))]
)
def test_who_asks_for_cameras_gets_no_location_without_one(request_) -> None:
    assert "corner" not in select_cameras(COUNTED, request_).location_ids


def test_a_location_of_which_nothing_is_known_says_that_uniques_are_not_available() -> None:
    with pytest.raises(UserMistake, match="unique visitors are not available there"):
        select_cameras(COUNTED, ReportRequest(DAY, DAY, location_ids=("planned",)))


def test_counters_beyond_what_is_allowed_stay_unknown() -> None:
    allowed = restricted(COUNTED, {"store-1"})
    assert allowed.counted_ids == {"store-1"}
    assert select_cameras(allowed, ReportRequest(DAY, DAY)).location_ids == ("store-1",)
    corner = select_cameras(restricted(COUNTED, {"corner"}), ReportRequest(DAY, DAY))
    assert (corner.location_ids, corner.camera_ids) == (("corner",), ())


def test_the_directory_of_a_published_file_is_read_once(made, lake, tmp_path) -> None:
    publication = made.publish(lake, tmp_path / "build")
    found = []
    for _ in range(2):
        with open_visitors(lake, publication) as visitors:
            found.append((read_directory(visitors), read_directory(visitors, allowed=("store-101",))))
    assert found[0][0] is found[1][0]
    assert set(found[1][1].locations) == {"store-101"}
    assert len(found[0][0].locations) > 1


def test_what_may_change_is_read_anew(tmp_path) -> None:
    with duckdb.connect(tmp_path / "build.duckdb") as build:
        build.execute(
            "create table dim_locations(location_id text, name text, timezone text, mode text, is_current bool)"
        )
        build.execute("create table dim_cameras(camera_id text, location_id text, name text, is_current bool)")
        build.execute("create table dim_camera_groups(group_id text, name text, camera_id text)")
        before = read_directory(build)
        build.execute("insert into dim_locations values ('new', 'New', 'UTC', 'unique', true)")
        assert set(read_directory(build).locations) - set(before.locations) == {"new"}
