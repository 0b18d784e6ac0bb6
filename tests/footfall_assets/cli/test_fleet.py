from datetime import date

import pytest

from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake
from footfall_assets.storage.registry_store import read_registry

INGEST = ("ingest", "missing.mp4", "--location", "a", "--camera", "b", "--start", "2024-01-05", "--filter", "none")


def registry():
    return read_registry(open_lake(load_settings()))


def test_a_fleet_comes_back_as_it_was_registered(footfall) -> None:
    new_location = ("fleet", "add-location", "store-101", "--name", "Store #101", "--timezone", "Europe/London")
    assert footfall(*new_location, "--from", "2024-01-01").code == 0
    new_camera = ("fleet", "add-camera", "store-101-door", "--location", "store-101", "--every", "2.5")
    assert footfall(*new_camera, "--filter", "person", "--zone", "door", "--from", "2024-01-01").code == 0
    assert footfall("fleet", "add-group", "doors", "--name", "Doors", "--camera", "store-101-door").code == 0
    said = footfall("fleet", "list")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split("  ")[:4] == ["store-101", "Store #101", "Europe/London", "unique"]
    assert "store-101-door  every 2.5 s  filter person" in lines[1]
    assert lines[2].split("  ") == ["group doors", "Doors", "store-101-door"]
    camera = registry().camera("store-101-door", date(2024, 1, 1))
    assert (camera.interval_s, camera.zones, camera.staff_only) == (2.5, ("door",), False)
    assert registry().first_day == date(2024, 1, 1)


def test_a_new_version_leaves_the_old_one(footfall) -> None:
    for mode, day in (("unique", "2024-01-01"), ("count_only", "2024-02-01")):
        assert footfall("fleet", "add-location", "a", "--name", "A", "--mode", mode, "--from", day).code == 0
    assert registry().location("a", date(2024, 1, 31)).mode == "unique"
    assert registry().location("a", date(2024, 2, 1)).mode == "count_only"
    assert " count_only " in footfall("fleet", "list").out


UNIQUE = ("fleet", "add-location", "store-101", "--name", "Store", "--mode", "unique")
LAWFUL = ("--legal-basis", "consent", "--notice-since", "2024-01-01", "--assessment", "DPIA-7")


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_production_recognises_nobody_without_a_basis(footfall, own_environment, missing) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    said = footfall(*UNIQUE, *LAWFUL[:missing], *LAWFUL[missing + 2 :])
    assert said.code == 2
    assert "legal basis" in said.complaint
    assert registry().locations == ()


def test_production_recognises_with_a_basis(footfall, own_environment) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    assert footfall(*UNIQUE, *LAWFUL).code == 0


def test_production_does_not_know_the_basis_of_development(footfall, own_environment) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    said = footfall(*UNIQUE, "--legal-basis", "development")
    assert said.code == 2
    assert "production" in said.complaint


def test_production_counts_unless_told_otherwise(footfall, own_environment) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    assert footfall("fleet", "add-location", "store-101", "--name", "Store").code == 0
    assert registry().locations[0].mode == "count_only"


@pytest.mark.parametrize("command", [("simulate",), INGEST])
def test_production_makes_nothing_up(footfall, own_environment, command) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    assert footfall(*command).code == 2
    assert registry().locations == ()


SWITCH = ("fleet", "set-attributes", "store-101", "--attribute", "age", "--attribute", "gender")
ON_GROUNDS = ("--legal-basis", "consent", "--notice-since", "2024-02-01", "--assessment", "DPIA-9")


def test_attributes_are_off_until_they_are_switched_on(footfall) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "Store", "--from", "2024-01-01")
    assert registry().locations[0].attributes == ()
    assert footfall(*SWITCH, "--from", "2024-02-01").code == 0
    before, after = (registry().location("store-101", date(2024, month, 1)) for month in (1, 2))
    assert (before.attributes, before.attributes_basis) == ((), None)
    assert after.attributes == ("age", "gender")
    assert after.attributes_basis == "development"
    assert "attributes age, gender" in footfall("fleet", "list").out


def test_attributes_are_switched_off_again(footfall) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "Store", "--from", "2024-01-01")
    footfall(*SWITCH, *ON_GROUNDS, "--from", "2024-02-01")
    assert footfall("fleet", "set-attributes", "store-101", "--from", "2024-03-01").code == 0
    off = registry().location("store-101", date(2024, 3, 1))
    assert (off.attributes, off.attributes_basis, off.attributes_notice_since, off.attributes_assessment) == (
        (),
        None,
        None,
        None,
    )


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_production_switches_attributes_on_with_grounds_of_their_own_only(footfall, own_environment, missing) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    assert footfall(*UNIQUE, *LAWFUL, "--from", "2024-01-01").code == 0
    said = footfall(*SWITCH, *ON_GROUNDS[:missing], *ON_GROUNDS[missing + 2 :])
    assert said.code == 2
    assert "legal basis of their own" in said.complaint
    assert all(not each.attributes for each in registry().locations)
    assert footfall(*SWITCH, *ON_GROUNDS).code == 0


def test_the_basis_of_development_switches_nothing_on_in_production(footfall, own_environment) -> None:
    own_environment.setenv("FOOTFALL_ENVIRONMENT", "production")
    footfall(*UNIQUE, *LAWFUL, "--from", "2024-01-01")
    said = footfall(*SWITCH, "--legal-basis", "development")
    assert said.code == 2
    assert "production" in said.complaint


def test_attributes_need_a_location_that_recognises_visitors(footfall) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "Store", "--mode", "count_only", "--from", "2024-01-01")
    said = footfall(*SWITCH)
    assert said.code == 2
    assert "count_only" in said.complaint


def test_attributes_of_an_unknown_location(footfall) -> None:
    said = footfall(*SWITCH)
    assert said.code == 2
    assert "unknown location 'store-101'" in said.complaint
