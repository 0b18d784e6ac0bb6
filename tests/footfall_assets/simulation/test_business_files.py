"""The files of the simulated stores' other systems: importable whole, equal for equal seeds, and near the schedule."""

from datetime import UTC, date, datetime

import pytest

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.imports.import_file import parse_csv
from footfall_assets.simulation.business_files import business_files
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.schedule import make_schedule

PLAN = SimulationPlan(locations=2, days=4, visitors=150, seed=3, timezones=("Europe/London", "Asia/Kathmandu"))


@pytest.fixture(scope="module")
def schedule():
    return make_schedule(PLAN)


@pytest.fixture(scope="module")
def imported(schedule):
    registry = Registry(
        locations=tuple(
            Location(
                location_id=store.location_id,
                name=store.name,
                timezone=store.timezone,
                partition_group=store.location_id,
                valid_from=PLAN.first_day,
            )
            for store in schedule.stores
        )
    )
    now = datetime(2024, 2, 1, tzinfo=UTC)
    return {
        kind: parse_csv(kind, "file.csv", text.encode(), registry=registry, now=now)
        for kind, text in business_files(schedule).items()
    }


def test_every_row_can_be_imported(imported) -> None:
    assert {kind: len(parsed.set_aside) for kind, parsed in imported.items()} == dict.fromkeys(ImportKind, 0)
    assert all(parsed.rows.num_rows for parsed in imported.values())


def test_equal_seeds_give_equal_files(schedule) -> None:
    assert business_files(schedule) == business_files(make_schedule(PLAN))
    assert business_files(schedule) != business_files(make_schedule(SimulationPlan(locations=2, days=4, seed=4)))


def test_the_door_counts_about_everybody_and_some_of_the_staff(schedule, imported) -> None:
    counted = sum(imported[ImportKind.COUNTS].rows.column("people_in").to_pylist())
    assert 0.9 * len(schedule.visits) < counted < len(schedule.visits) + 2 * 4 * 11


def test_about_a_third_buys_and_categories_add_up_to_the_whole(schedule, imported) -> None:
    rows = imported[ImportKind.SALES].rows.to_pylist()
    totals = [row for row in rows if not row["category"]]
    assert len(totals) == 2 * 4 * 11  # a till says that it sold nothing
    assert 0.2 < sum(row["transactions"] for row in totals) / len(schedule.visits) < 0.5
    for column in ("items", "revenue"):
        assert sum(row[column] for row in totals) == sum(row[column] for row in rows if row["category"])
    assert {row["business_day"] for row in rows} <= {date(2024, 1, day) for day in range(1, 5)}
