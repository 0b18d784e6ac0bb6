from dataclasses import replace
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.warehouse.sources import LOCATIONS, SightingsFile, WarehouseInputs, load_sources

NOTHING = WarehouseInputs(environment="production", inputs_hash="0" * 64)
TYPES = "select column_name, data_type from duckdb_columns() where schema_name = 'raw' and table_name = ?"


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def test_no_inputs_give_empty_tables_of_the_right_types(connection):
    rows = load_sources(connection, NOTHING)
    assert rows.pop("home") == rows.pop("provenance") == 1
    assert set(rows.values()) == {0}
    types = dict(connection.execute(TYPES, ["sightings"]).fetchall())
    assert types["face_image_id"] == "UUID"
    assert types["captured_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["match_score"] == "FLOAT"
    assert types["business_day"] == "DATE"
    assert dict(connection.execute(TYPES, ["identities"]).fetchall()) == {
        "local_visitor_id": "UUID",
        "face_id": "UUID",
        "linkage_window": "VARCHAR",
        "excluded_reason": "VARCHAR",
    }


def test_every_file_brings_its_day_and_window(connection, tmp_path, new_home):
    home = new_home()
    rows = load_sources(connection, home.write(tmp_path))
    assert rows["sightings"] == sum(len(found) for found in home.sightings.values())
    days = connection.execute("select business_day, count(*) from raw.sightings group by 1 order by 1").fetchall()
    assert days == sorted((day, len(found)) for day, found in home.sightings.items())
    windows = connection.execute("select distinct linkage_window from raw.identities order by 1").fetchall()
    assert windows == [("2024-01",), ("2024-02",)]


def test_loading_again_replaces(connection, tmp_path, new_home):
    inputs = new_home().write(tmp_path)
    assert load_sources(connection, inputs) == load_sources(connection, inputs)


@pytest.mark.parametrize("folder", ["day=*", "store[1]", "who?", "it's", "a b"])
def test_paths_are_names_and_never_patterns(connection, tmp_path, new_home, folder):
    """A star in a home's name must not pull in the files of its neighbours."""
    inputs = new_home().write(tmp_path / folder)
    new_home().write(tmp_path / "day=1")
    new_home().write(tmp_path / "store1")
    first = inputs.sightings[0]
    rows = load_sources(connection, replace(NOTHING, sightings=(first,)))
    assert rows["sightings"] == pq.read_metadata(first.path).num_rows


def test_folders_do_not_replace_columns(connection, tmp_path, new_home):
    """The lake's paths hold `version=` and `day=`: DuckDB took the columns of those names from the path."""
    load_sources(connection, new_home().write(tmp_path / "sightings" / "version=path" / "day=1999-12-31"))
    assert connection.execute("select distinct version from raw.sightings").fetchall() == [("v1",)]
    assert connection.execute("select min(day) > date '2024-01-01' from raw.coverage").fetchone() == (True,)


def _broken_files(folder):
    other = folder / "other.parquet"
    pq.write_table(pa.table({"camera_id": ["c"]}), other)
    text = folder / "text.parquet"
    text.write_text("not parquet")
    return {"lacks columns": other, "is no parquet": text, "is missing": folder / "none.parquet"}


@pytest.mark.parametrize("case", ["lacks columns", "is no parquet", "is missing"])
def test_a_bad_file_leaves_what_was_loaded(connection, tmp_path, new_home, case):
    inputs = new_home().write(tmp_path / "lake")
    before = load_sources(connection, inputs)
    broken = replace(inputs, sightings=(SightingsFile(_broken_files(tmp_path)[case], date(2024, 1, 2)),))
    with pytest.raises(CorruptObject, match="expected warehouse inputs"):
        load_sources(connection, broken)
    assert connection.execute("select count(*) from raw.sightings").fetchone() == (before["sightings"],)


def test_registry_rows_with_other_columns_are_refused(connection):
    rows = pa.table({"location_id": ["store"]})
    with pytest.raises(CorruptObject):
        load_sources(connection, replace(NOTHING, locations=rows))


def test_a_null_where_the_contract_has_none_is_refused(connection):
    location = dict.fromkeys(LOCATIONS.names, "x") | {"valid_from": date(2024, 1, 1), "valid_to": None, "name": None}
    rows = pa.Table.from_pylist(
        [location], schema=pa.schema([field.with_nullable(nullable=True) for field in LOCATIONS])
    )
    with pytest.raises(CorruptObject):
        load_sources(connection, replace(NOTHING, locations=rows))
