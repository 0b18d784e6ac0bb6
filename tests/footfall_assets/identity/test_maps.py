"""Provisional and sealed days in a home: what rests on what, in any order, through late data, corrections and seals."""

import shutil
from datetime import date
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from footfall_assets.cli.identities import app
from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.schemas import IDENTITIES, PROVISIONAL
from footfall_assets.contracts.settings import ProvisionalSettings
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.identity.assets import build_identities
from footfall_assets.identity.refresh import known_places, refresh_identities, refresh_local_visitors
from footfall_assets.identity.seals import request_seal, requested_seals
from footfall_assets.identity.window_plan import window_plan
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.warehouse.inputs import collect_inputs
from footfall_assets.warehouse.sources import load_sources

DAYS = [date(2024, 1, number) for number in range(10, 18)]  # the 14th is a multiple of seven
LARGE = ProvisionalSettings(above_local_visitors=4, exact_below=2)


def filled(home):
    """Two people and more on each day; the window is large from the 11th on."""
    for number, day in enumerate(DAYS):
        for place, person in enumerate((1, 2, 3 + number)):
            home.at(day, "store-101").pass_by(person, 60 * place, camera="store-101-door")
        home.at(day, "store-203").pass_by(2, 3600, camera="store-203-door")
    return home


@pytest.fixture(scope="module")
def made() -> dict[str, Path]:
    """Where the first test left a finished home."""
    return {}


@pytest.fixture
def home(new_corrected_home, made, tmp_path):
    """A finished home: made once, then copied."""
    home = filled(new_corrected_home(provisional=LARGE))
    folder = home.platform.settings.home
    if made:
        shutil.copytree(made["home"], folder, dirs_exist_ok=True)
    else:
        home.run()
        made["home"] = shutil.copytree(folder, tmp_path / "made")
    return home


def note(home, day):
    manifest = home.platform.partitions.manifest(home.platform.day_of("identities", day))
    return home.platform.partitions.read_table(manifest, "provisional", PROVISIONAL).to_pylist()


def sealed_days(home):
    return [day.day for day in DAYS if not note(home, day)]


def names(home, day):
    manifest = home.platform.partitions.manifest(home.platform.day_of("identities", day))
    rows = home.platform.partitions.read_table(manifest, "identities", IDENTITIES)
    return dict(zip(rows["local_visitor_id"].to_pylist(), rows["face_id"].to_pylist(), strict=True))


def recomputed(home, days=DAYS):
    """Return the hashes after the identities were thrown away and solved again in this order."""
    folder = home.platform.settings.home / "lake" / "identities"
    shutil.rmtree(folder)
    for day in days:
        refresh_identities(home.platform, day)
    return {place: each for place, each in home.hashes().items() if place.asset == "identities"}


def of_identities(home):
    return {place: each for place, each in home.hashes().items() if place.asset == "identities"}


def test_days_of_a_large_window_are_provisional_until_the_next_seal(home) -> None:
    assert sealed_days(home) == [10, 14]
    assert [row["sealed_day"].day for day in DAYS for row in note(home, day)] == [10, 10, 10, 14, 14, 14]
    assert [row["local_visitors"] for day in DAYS for row in note(home, day)] == [4, 8, 12, 4, 8, 12]
    assert note(home, DAYS[-1])[0]["index_used"]
    assert home.people() == 2 + len(DAYS)


def test_a_small_window_is_as_it_was(new_corrected_home) -> None:
    """Whatever the settings of provisional days: versions, hashes of inputs and contents are the same."""
    small, other = (
        filled(new_corrected_home(provisional=each))
        for each in (
            ProvisionalSettings(),
            ProvisionalSettings(above_local_visitors=33, seal_every_days=2, candidates=1),
        )
    )
    for each in (small, other):
        each.run()
    assert small.platform.versions == other.platform.versions
    assert small.hashes() == other.hashes()
    assert sealed_days(small) == [day.day for day in DAYS]
    assert not small.platform.settings.galleries_dir.exists()


def test_names_stay_through_provisional_days_and_seals(home) -> None:
    """The seal of the 14th takes over the names that the provisional days gave."""
    for before, after in pairwise(DAYS):
        assert names(home, before).items() <= names(home, after).items()


def test_a_second_run_computes_nothing(home) -> None:
    assert home.run() == ([], [])


@pytest.mark.parametrize("order", [DAYS[::-1], DAYS[4:] + DAYS[:4], DAYS[6:7] + DAYS], ids=["back", "late", "one"])
def test_the_order_of_days_does_not_matter(home, order) -> None:
    expected = of_identities(home)
    assert recomputed(home, order) == expected


def test_the_gallery_is_a_cache(home) -> None:
    """Damaged, deleted or made anew: the same bits."""
    expected, folder = of_identities(home), home.platform.settings.galleries_dir
    assert recomputed(home) == expected
    for path in folder.rglob("*.usearch"):
        path.write_bytes(path.read_bytes()[:-100])
    assert recomputed(home) == expected
    shutil.rmtree(folder)
    assert recomputed(home) == expected


def test_late_data_before_a_seal_reaches_the_seal_and_all_after_it(home, new_corrected_home) -> None:
    before = of_identities(home)
    home.at(DAYS[2], "store-101").pass_by(30, 7200, camera="store-101-door")
    _, days = home.run()
    assert days == DAYS[2:]
    changed = {place.day for place, hashes in of_identities(home).items() if hashes != before[place]}
    assert changed == set(DAYS[2:])
    in_time = new_corrected_home(provisional=LARGE)
    in_time.at(DAYS[2], "store-101").pass_by(30, 7200, camera="store-101-door")
    filled(in_time)
    in_time.run()
    assert of_identities(in_time) == of_identities(home)


def test_a_seal_by_command_makes_later_days_of_it(home) -> None:
    before, people = of_identities(home), home.people()
    assert request_seal(home.platform.lake, DAYS[2], "ann")
    assert not request_seal(home.platform.lake, DAYS[2], "bob")
    _, days = home.run()
    assert days == DAYS[2:]
    assert sealed_days(home) == [10, 12, 14]
    assert [row["sealed_day"].day for row in note(home, DAYS[3])] == [12]
    assert {place.day for place, hashes in of_identities(home).items() if hashes == before[place]} == set(DAYS[:2])
    assert home.people() == people
    assert home.run() == ([], [])


def test_the_next_window_seals_the_newest_day(home) -> None:
    """Without data on the 31st the window would end provisional."""
    february = date(2024, 2, 1)
    home.at(february, "store-101").pass_by(1, 0, camera="store-101-door")
    _, days = home.run()
    assert days == [DAYS[-1], february]
    assert sealed_days(home) == [10, 14, 17]


def test_what_is_due_names_the_days_that_rest_on_a_stale_one(home) -> None:
    request_seal(home.platform.lake, DAYS[5], "ann")
    assert list(pending(read_state(home.platform)).days) == DAYS[5:]
    plan = window_plan(home.platform, known_places(home.platform), DAYS[-1])
    assert plan.sealing.rests_on(DAYS[6]) == DAYS[5]
    assert plan.sealing.rests_on(DAYS[4]) == DAYS[3]


def test_something_else_among_the_seals_is_said(home) -> None:
    home.platform.lake.write("seals/2024-01/never.json", b"{}")
    with pytest.raises(CorruptObject, match="never"):
        requested_seals(home.platform.lake, linkage_window(DAYS[0]))


def test_corrections_hold_on_provisional_days(home) -> None:
    """A merge of two who were sealed, and of one who was not: on the provisional days at once, then at the seal."""
    first_face = {}
    for _, footage in sorted(home.seen.items()):
        for row, vector in zip(footage.rows, footage.vectors, strict=True):
            first_face.setdefault(int(vector.argmax()), UUID(bytes=row["face_image_id"]))
    known, fresh = first_face[1], first_face[9]  # seen from the first day on, and on the 16th
    event = home.merge(known, fresh)
    _, days = home.run()
    assert days[0] == DAYS[6]
    assert home.identity_of_face()[known] == home.identity_of_face()[fresh]
    assert [each["status"] for each in home.fates()] == ["applied"]
    request_seal(home.platform.lake, DAYS[7], "ann")
    home.run()
    assert sealed_days(home) == [10, 14, 17]
    assert home.identity_of_face()[known] == home.identity_of_face()[fresh]
    home.undo(event)
    home.run()
    assert home.identity_of_face()[known] != home.identity_of_face()[fresh]


def test_an_excluded_visitor_is_excluded_on_provisional_days(home) -> None:
    called = home.identity_of_face()
    first = next(iter(called))
    home.exclude(first)
    home.run()
    excluded = {row["face_id"] for row in home.table() if row["excluded_reason"]}
    assert excluded == {home.identity_of_face()[first]}
    assert note(home, DAYS[-1])


def test_provisional_days_agree_with_the_seal_of_the_same_day(home, new_corrected_home) -> None:
    """People as clear as these: nobody is taken for another, sealed or not."""
    small = filled(new_corrected_home())
    small.run()

    def groups(each):
        found = each.identity_of_face()
        return {frozenset(face for face in found if found[face] == name) for name in found.values()}

    assert groups(small) == groups(home)


def test_local_visitors_do_not_depend_on_it(home) -> None:
    for place in known_places(home.platform):
        assert refresh_local_visitors(home.platform, place).parts_computed == 0


@pytest.fixture
def seal(home, own_environment):
    """Call `footfall identities seal` in the home."""
    settings = home.platform.settings
    own_environment.setenv("FOOTFALL_HOME", str(settings.home))
    for name in ("linkage", "provisional"):
        own_environment.setenv(f"FOOTFALL_{name.upper()}", getattr(settings, name).model_dump_json())
    return lambda *arguments: CliRunner().invoke(app, ["seal", *map(str, arguments), "--author", "ann"])


def test_the_command_asks_for_a_seal(home, seal) -> None:
    said = seal(DAYS[5])
    assert (said.exit_code, said.stdout) == (0, "2024-01-15 will be sealed, asked for by ann\n")
    assert requested_seals(home.platform.lake, linkage_window(DAYS[5])) == {DAYS[5]}
    assert list(pending(read_state(home.platform)).days) == DAYS[5:]
    assert seal(DAYS[4]).stdout == "2024-01-14 is sealed as it is\n"
    assert seal(DAYS[5]).stdout == "2024-01-15 is sealed as it is\n"
    assert requested_seals(home.platform.lake, linkage_window(DAYS[5])) == {DAYS[5]}


def test_nobody_can_seal_a_day_that_nobody_knows(home, seal) -> None:
    said = seal("2024-01-31")
    assert isinstance(said.exception, UserMistake)
    assert requested_seals(home.platform.lake, linkage_window(DAYS[0])) == set()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (DAYS[4], {"provisional": False}),
        (DAYS[5], {"provisional": True, "sealed_day": "2024-01-14", "local_visitors_since_seal": 4}),
    ],
    ids=["sealed", "provisional"],
)
def test_the_run_says_what_kind_of_day_it_is(home, day, expected) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize(
            [build_identities(DAYS[0])],
            partition_key=day.isoformat(),
            resources={"platform": home.platform},
            instance=instance,
        )
    [event] = ran.get_asset_materialization_events()
    told = {name: value.value for name, value in event.materialization.metadata.items()}
    assert expected.items() <= told.items()
    assert all(each.passed for each in ran.get_asset_check_evaluations())


def test_the_warehouse_is_told_what_is_provisional(home) -> None:
    with duckdb.connect() as connection:
        load_sources(connection, collect_inputs(home.platform))
        told = connection.execute(
            "select linkage_window, sealed_day, day, local_visitors from raw.provisional"
        ).fetchall()
    assert told == [("2024-01", DAYS[4], DAYS[-1], 12)]
