from datetime import date

import pytest

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.settings import load_settings
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Platform
from footfall_assets.storage.import_store import ImportStore
from footfall_assets.warehouse.inputs import collect_inputs, record_built_from, warehouse_inputs_hash

PLAN = "location,date,hour,staff\nstore-1,2024-01-05,9,2\nstore-2,2024-01-05,9,2\n"


@pytest.fixture
def plan(footfall, tmp_path):
    footfall("fleet", "add-location", "store-1", "--name", "Store 1", "--timezone", "Europe/Berlin")
    path = tmp_path / "plan.csv"
    path.write_text(PLAN)
    return path


def test_a_file_is_taken_in_with_what_it_lacks_and_what_comes_next(footfall, plan) -> None:
    said = footfall("import", "staff", plan)
    assert said.code == 0
    assert said.out == "staff: import 1, 1 rows taken, 1 set aside (unknown_location 1)\n"
    assert "line 3: unknown_location: expected the id of a registered location, got 'store-2'" in said.err
    assert "next: footfall run" in said.err
    again = footfall("import", "staff", plan)
    assert (again.code, again.out) == (0, "staff: nothing changed, plan.csv is import 1 already: 1 rows\n")


def test_what_was_imported_is_read_by_the_next_build(footfall, plan) -> None:
    footfall("import", "staff", plan)
    [imported] = collect_inputs(Platform(load_settings())).imports
    assert (imported.kind, imported.sequence) == (ImportKind.STAFF, 1)
    assert imported.path.is_file()


def test_a_file_without_a_usable_row_fails_and_is_kept(footfall, plan) -> None:
    plan.write_text(PLAN.replace("store-1", "store-9"))
    said = footfall("import", "staff", plan)
    assert said.code == 2
    assert "no row of plan.csv could be used" in said.err
    assert len(ImportStore(Platform(load_settings()).lake).ledger(ImportKind.STAFF).records) == 1


def test_mistakes_are_one_line(footfall, plan, own_environment) -> None:
    assert "expected the columns" in footfall("import", "counts", plan).complaint
    assert "check the name" in footfall("import", "staff", "absent.csv").complaint
    own_environment.setenv("FOOTFALL_IMPORTS__FILE_BYTES", "10")
    assert "FOOTFALL_IMPORTS__FILE_BYTES" in footfall("import", "staff", plan).complaint


def test_a_build_follows_an_import_and_no_repetition(footfall, plan) -> None:
    platform = Platform(load_settings())
    assert warehouse_inputs_hash(platform) is None
    platform.partitions.commit(platform.day_of("sightings", date(2024, 1, 5)), "0" * 64, [])
    before = warehouse_inputs_hash(platform)
    footfall("import", "staff", plan)
    after = warehouse_inputs_hash(platform)
    assert after not in {None, before}
    footfall("import", "staff", plan)
    assert warehouse_inputs_hash(platform) == after
    record_built_from(platform.lake, before, "p")
    assert pending(read_state(platform)).warehouse
    record_built_from(platform.lake, after, "p")
    assert not pending(read_state(platform)).warehouse
