"""Staff in the map of identities: by staff-only camera, by dwell and by schedule, each with what it must not do."""

from datetime import date, time

import pytest

from footfall_assets.contracts.settings import PlatformSettings, Shift, StaffSettings

DAYS = [date(2024, 1, 10), date(2024, 1, 11), date(2024, 1, 12)]
STORE = "store-101"
STAFF, CUSTOMER = 1, 2


def at(home, day):
    return home.at(day, STORE)


def reasons(home):
    """Return the reason of each face that was seen, by person."""
    who = {row["face_id"]: row["excluded_reason"] for row in home.table()}
    identity = home.identity_of_face()
    return {person: who[identity[face]] for person, face in home.faces.items()}


def with_staff_door(registry, day=DAYS[0], *, staff_only=True):
    door = registry.camera(f"{STORE}-back", DAYS[0])
    return registry.with_camera(door.model_copy(update={"staff_only": staff_only, "valid_from": day}))


@pytest.fixture
def new_home(new_corrected_home):
    def build(**staff):
        home = new_corrected_home(staff=StaffSettings(**staff))
        home.faces = {}
        return home

    return build


def test_who_passes_the_staff_door_often_is_staff(new_home) -> None:
    home = new_home()
    home.change(with_staff_door)
    home.faces[STAFF] = at(home, DAYS[0]).pass_by(STAFF, 0, stills=3, camera="store-101-back")[0]
    home.faces[CUSTOMER] = at(home, DAYS[0]).pass_by(CUSTOMER, 3600, camera="store-101-door")[0]
    at(home, DAYS[0]).pass_by(CUSTOMER, 3700, stills=4, camera="store-101-back")
    home.run()
    assert reasons(home) == {STAFF: None, CUSTOMER: None}
    at(home, DAYS[2]).pass_by(STAFF, 0, stills=2, camera="store-101-back")
    home.run()
    assert reasons(home) == {STAFF: "staff_camera", CUSTOMER: None}


def test_a_camera_that_becomes_staff_only_changes_its_days_and_no_others(new_home) -> None:
    home = new_home()
    for number, day in enumerate(DAYS):
        home.faces[STAFF] = at(home, day).pass_by(STAFF, 0, stills=6, camera="store-101-back")[number]
    home.run()
    before = home.hashes()
    assert reasons(home) == {STAFF: None}
    home.change(lambda registry: with_staff_door(registry, DAYS[1]))
    assert home.run() == ([], DAYS[1:])
    assert reasons(home) == {STAFF: "staff_camera"}
    home.change(lambda registry: with_staff_door(registry, DAYS[1], staff_only=False))
    home.run()
    assert home.hashes() == before


def all_day(home, person, day, first_h=9.0, last_h=17.0, every_h=2.0):
    """Let a person be seen now and then; ten o'clock is second 0 of the footage."""
    hours = first_h
    while hours <= last_h:
        faces = at(home, day).pass_by(person, (hours - 10) * 3600, camera="store-101-door", x=200.0 * person)
        home.faces[person] = faces[0]
        hours += every_h


def test_dwell_is_off_by_default(new_home) -> None:
    home = new_home()
    for day in DAYS:
        all_day(home, STAFF, day)
    home.run()
    assert reasons(home) == {STAFF: None}


def test_who_is_there_all_day_on_enough_days_is_staff(new_home) -> None:
    home = new_home(dwell_min_hours=6, dwell_min_days=3)
    for day in DAYS:
        all_day(home, STAFF, day)
    for day in DAYS[:2]:
        all_day(home, CUSTOMER, day)
    all_day(home, 3, DAYS[0], every_h=4.0)  # two visits: unseen for longer than 3 hours
    home.run()
    assert reasons(home) == {STAFF: "staff_dwell", CUSTOMER: None, 3: None}


def test_who_keeps_to_a_shift_is_staff(new_home) -> None:
    shift = Shift(location_id=STORE, weekdays=(2, 3, 4), starts=time(9), ends=time(17))
    home = new_home(schedule=(shift,), schedule_min_days=3)
    for day in DAYS:
        all_day(home, STAFF, day)
        all_day(home, CUSTOMER, day, first_h=11)
    home.run()
    assert reasons(home) == {STAFF: "staff_schedule", CUSTOMER: None}


def test_a_shift_is_on_the_clock_of_its_store(new_home) -> None:
    home = new_home(schedule=(Shift(starts=time(9), ends=time(17)),), schedule_min_days=3)

    def in_berlin(registry):
        location = registry.location(STORE, DAYS[0])
        return registry.with_location(location.model_copy(update={"timezone": "Europe/Berlin"}))

    home.change(in_berlin)
    for day in DAYS:
        all_day(home, STAFF, day, first_h=8, last_h=16)
        all_day(home, CUSTOMER, day)
    home.run()
    assert reasons(home) == {STAFF: "staff_schedule", CUSTOMER: None}


def test_an_event_comes_before_a_rule(new_home) -> None:
    home = new_home(dwell_min_hours=6, dwell_min_days=1)
    all_day(home, STAFF, DAYS[0])
    home.run()
    assert reasons(home) == {STAFF: "staff_dwell"}
    event = home.exclude(home.faces[STAFF])
    home.run()
    assert reasons(home) == {STAFF: "event"}
    home.undo(event)
    home.run()
    assert reasons(home) == {STAFF: "staff_dwell"}


def test_a_schedule_comes_from_the_environment(own_environment, tmp_path) -> None:
    own_environment.setenv("FOOTFALL_STAFF__SCHEDULE", '[{"weekdays": [0, 1], "starts": "09:00", "ends": "17:30"}]')
    [shift] = PlatformSettings(home=tmp_path).staff.schedule
    assert (shift.weekdays, shift.ends, shift.location_id) == ((0, 1), time(17, 30), None)


@pytest.mark.parametrize(
    "change", [{"starts": "17:00", "ends": "09:00"}, {"starts": "09:00Z", "ends": "10:00Z"}, {"weekdays": [7]}]
)
def test_a_shift_is_inside_one_local_day(change) -> None:
    with pytest.raises(ValueError, match=r"starts < ends|less than or equal to 6"):
        Shift(**{"starts": "09:00", "ends": "17:00"} | change)
