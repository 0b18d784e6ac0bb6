from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from footfall_assets.contracts.errors import RegistryError
from footfall_assets.contracts.registry import (
    Camera,
    CameraGroup,
    Device,
    Location,
    LocationMode,
    Registry,
    current,
)

NEW_YEAR = date(2024, 1, 1)
LAWFUL = {"legal_basis": "consent", "notice_since": NEW_YEAR, "assessment": "DPIA-7"}


def location(name="store-101", valid_from=NEW_YEAR, **changes):
    fields = {"location_id": name, "name": name, "partition_group": name, "valid_from": valid_from}
    return Location(**fields | changes)


def camera(name="door", at="store-101", valid_from=NEW_YEAR, **changes):
    return Camera(camera_id=name, location_id=at, name=name, valid_from=valid_from, **changes)


def registry_of(*locations):
    registry = Registry()
    for each in locations:
        registry = registry.with_location(each)
    return registry


def test_a_location_counts_only_until_it_says_otherwise():
    assert location().mode is LocationMode.COUNT_ONLY


@given(
    basis=st.sampled_from([None, "", " ", "consent"]),
    notice=st.sampled_from([None, NEW_YEAR]),
    assessment=st.sampled_from([None, "", "\t", "DPIA-7"]),
)
def test_unique_needs_all_three_of_basis_notice_and_assessment(basis, notice, assessment):
    fields = {"mode": "unique", "legal_basis": basis, "notice_since": notice, "assessment": assessment}
    if fields == {"mode": "unique"} | LAWFUL:
        assert location(**fields).mode is LocationMode.UNIQUE
    else:
        with pytest.raises(ValidationError, match="use mode 'count_only'"):
            location(**fields)


def test_development_is_a_basis_of_its_own():
    assert location(mode="unique", legal_basis="development").mode is LocationMode.UNIQUE


@pytest.mark.parametrize("mode", ["off", "count_only"])
def test_the_other_modes_need_no_basis(mode):
    assert location(mode=mode).mode == mode


def test_the_version_that_holds_is_the_last_that_started():
    registry = registry_of(
        location(mode="count_only"),
        location(valid_from=date(2024, 3, 1), mode="off"),
        location(valid_from=date(2024, 2, 1), mode="unique", **LAWFUL),
    )
    held = {
        day: getattr(registry.location("store-101", day), "mode", None)
        for day in (date(2023, 12, 31), NEW_YEAR, date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29))
    }
    assert list(held.values()) == [None, "count_only", "count_only", "unique", "unique"]
    assert registry.location("store-101", date(2030, 1, 1)).mode == "off"
    assert registry.location("store-102", NEW_YEAR) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b"]), st.integers(1, 9)), max_size=12), st.data())
def test_history_is_what_a_plain_list_would_say(changes, data):
    registry, plain = registry_of(location()), {}
    for offset, name, interval in changes:
        registry = registry.with_camera(camera(name, valid_from=NEW_YEAR + timedelta(offset), interval_s=interval))
        plain[name, offset] = interval
    day = data.draw(st.integers(0, 31))
    for name in ("a", "b"):
        started = [offset for known, offset in plain if known == name and offset <= day]
        found = registry.camera(name, NEW_YEAR + timedelta(day))
        assert (found.interval_s if found else None) == (plain[name, max(started)] if started else None)
    assert Registry.model_validate_json(registry.model_dump_json()) == registry


def test_a_version_of_the_same_day_replaces_and_the_old_registry_stays():
    before = registry_of(location(timezone="UTC"))
    after = before.with_location(location(timezone="Europe/London"))
    assert len(after.locations) == 1
    assert after.location("store-101", NEW_YEAR).timezone == "Europe/London"
    assert before.location("store-101", NEW_YEAR).timezone == "UTC"


def test_the_order_of_changes_makes_no_difference():
    one, two = location("store-1"), location("store-2")
    assert registry_of(one, two) == registry_of(two, one)


def test_a_camera_needs_a_known_location():
    with pytest.raises(RegistryError, match="add it first: footfall fleet add-location"):
        Registry().with_camera(camera())


def test_a_camera_stays_at_its_location():
    registry = registry_of(location(), location("store-102")).with_camera(camera())
    with pytest.raises(RegistryError, match="belongs to 'store-101'"):
        registry.with_camera(camera(at="store-102", valid_from=date(2024, 2, 1)))


def test_a_group_names_known_cameras_and_is_replaced_by_its_id():
    registry = registry_of(location()).with_camera(camera()).with_camera(camera("gate"))
    with pytest.raises(RegistryError, match="unknown cameras: roof; known: door, gate"):
        registry.with_group(CameraGroup(group_id="all", name="All", camera_ids=("door", "roof")))
    for cameras in (("door",), ("door", "gate")):
        registry = registry.with_group(CameraGroup(group_id="all", name="All", camera_ids=cameras))
    assert [group.camera_ids for group in registry.camera_groups] == [("door", "gate")]


def test_a_revoked_device_is_still_known():
    device = Device(device_id="device-1", public_key="A" * 44)
    registry = Registry().with_device(device).with_device(device.model_copy(update={"revoked": True}))
    assert registry.device("device-1").revoked
    assert registry.device("device-2") is None


def test_the_first_day_only_moves_back():
    days = (date(2024, 2, 1), NEW_YEAR, date(2024, 3, 1))
    registry = Registry()
    for day in days:
        registry = registry.with_first_day(day)
    assert registry.first_day == NEW_YEAR


def test_partition_groups_are_those_of_the_newest_versions():
    registry = registry_of(
        location("store-1", partition_group="north"),
        location("store-2", partition_group="north"),
        location("store-2", valid_from=date(2024, 2, 1), partition_group="south"),
    )
    assert registry.partition_groups() == ("north", "south")
    assert registry.locations_of("north") == ("store-1",)
    assert registry.group_of("store-2") == "south"
    with pytest.raises(RegistryError, match="known: store-1, store-2"):
        registry.group_of("store-3")
    assert [each.valid_from for each in current(registry.locations, "location_id")] == [NEW_YEAR, date(2024, 2, 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../x"},
        {"partition_group": "a|b"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "/etc/localtime"},
        {"timezone": ""},
        {"timezone": "UTC\x00"},
        {"mode": "all"},
        {"unknown": 1},
    ],
)
def test_a_location_of_another_form_is_refused(changes):
    with pytest.raises(ValidationError):
        location(**changes)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", "\x7f", "x" * 121])
def test_a_display_name_is_one_line_of_at_most_120_characters(name):
    with pytest.raises(ValidationError):
        Location(location_id="x", name=name, partition_group="x", valid_from=NEW_YEAR)


@pytest.mark.parametrize("interval", [0, -1, 3601, float("nan"), float("inf")])
def test_an_interval_is_more_than_nothing_and_at_most_an_hour(interval):
    with pytest.raises(ValidationError):
        camera(interval_s=interval)


def test_a_copy_looks_its_own_records_up():
    """The look-up tables are kept with the registry: a copy must not keep those of the one it was made from."""
    registry = Registry().with_location(location())
    found = registry.locations[0]
    assert registry.location(found.location_id, found.valid_from) == found
    assert registry.model_copy(update={"locations": ()}).location(found.location_id, found.valid_from) is None


BEFORE_DEVICES_WERE_MANAGED = """{"revision": 3, "first_day": "2024-01-01",
 "locations": [{"location_id": "store-101", "name": "Store", "timezone": "UTC", "mode": "count_only",
  "legal_basis": null, "notice_since": null, "assessment": null, "partition_group": "store-101",
  "valid_from": "2024-01-01"}],
 "cameras": [{"camera_id": "door", "location_id": "store-101", "name": "Door", "interval_s": 5.0, "filter": "face",
  "zones": ["till"], "plan_position": null, "staff_only": false, "valid_from": "2024-01-01"}],
 "camera_groups": [], "devices": [{"device_id": "local-ingest", "public_key": "%s", "revoked": false}]}"""


def test_a_home_from_before_devices_were_managed_still_loads() -> None:
    old = Registry.model_validate_json(BEFORE_DEVICES_WERE_MANAGED % ("A" * 44))
    assert (old.cameras[0].device_id, old.cameras[0].zones, old.cameras[0].areas) == (None, ("till",), ())
    assert (old.devices[0].location_id, old.devices[0].revision) == (None, 0)
    assert Registry.model_validate_json(old.model_dump_json()) == old


def test_a_device_belongs_to_a_known_location() -> None:
    with pytest.raises(RegistryError, match="add-location"):
        registry_of().with_device(Device(device_id="box", public_key="A" * 44, location_id="store-101"))


def test_cameras_of_a_device_change_with_the_day() -> None:
    source = {"device_id": "box", "kind": "usb", "address": "0"}
    registry = registry_of(location()).with_camera(camera(**source)).with_camera(camera("roof", **source))
    moved = camera(valid_from=NEW_YEAR + timedelta(days=5), **source | {"device_id": "other"})
    registry = registry.with_camera(moved)
    assert [each.camera_id for each in registry.cameras_of("box", NEW_YEAR)] == ["door", "roof"]
    assert [each.camera_id for each in registry.cameras_of("box", moved.valid_from)] == ["roof"]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "usb"},
        {"address": "0"},
        {"device_id": "box"},
        {"kind": "network", "address": "10.0.0.7"},
        {"areas": [{"name": "till", "polygon": [(0, 0), (1, 0), (1, 1)]}]},
        {"zones": ("till",), "areas": [{"name": "till", "polygon": [(0, 0), (1, 0), (1, 1)]}] * 2},
        {"masks": [[(0, 0), (1, 1)]]},
    ],
)
def test_a_camera_that_contradicts_itself(changes) -> None:
    with pytest.raises(ValidationError):
        camera(**changes)
