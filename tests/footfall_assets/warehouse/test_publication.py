import shutil
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, publication_key
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.build import BuildIncomplete
from footfall_assets.warehouse.publication import (
    AGGREGATE_TABLES,
    VISITOR_TABLES,
    publish,
)

NOON = datetime(2024, 2, 2, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def build_path(built, tmp_path):
    """A copy of the shared build that a test may change."""
    folder = tmp_path / "warehouse"
    folder.mkdir()
    return shutil.copy(built.build.path, folder / "build.duckdb")


def change(path, sql):
    with duckdb.connect(path) as connection:
        connection.execute(sql)


def tables_in(path):
    with duckdb.connect(path, read_only=True) as connection:
        return {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}


def current(lake):
    return Publication.model_validate_json(lake.read(publication_key(lake.read(CURRENT_KEY).decode())))


def test_two_files_a_manifest_and_the_pointer(build_path, lake):
    published = publish(build_path, lake, published_at=NOON)
    assert current(lake) == published
    assert published.published_at == NOON
    assert published.environment == "development"
    assert published.inputs_hash == "a" * 64
    assert published.asset_versions == {"sightings": "v1", "identities": "v2"}
    assert (published.first_day, published.last_captured_at.tzinfo) == (date(2024, 1, 2), UTC)
    assert lake.list_keys("publications") == sorted(
        [CURRENT_KEY, publication_key(published.publication_id), published.aggregates.key, published.visitors.key]
    )


def test_visitor_level_rows_are_physically_apart(build_path, lake):
    """Who may see aggregates gets a file that holds no visitor, and one column more would break that promise."""
    published = publish(build_path, lake, published_at=NOON)
    aggregates = lake.local_path(published.aggregates.key)
    assert tables_in(aggregates) == set(AGGREGATE_TABLES)
    assert tables_in(lake.local_path(published.visitors.key)) == set(VISITOR_TABLES)
    with duckdb.connect(aggregates, read_only=True) as connection:
        columns = {row[0] for row in connection.execute("select column_name from duckdb_columns()").fetchall()}
    assert not columns & {"face_id", "visitor_id", "face_image_id", "image_id", "local_visitor_id", "batch_id"}


def test_published_rows_are_the_builds(build_path, built, lake):
    published = publish(build_path, lake, published_at=NOON)
    with duckdb.connect(lake.local_path(published.visitors.key), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for query in ("from fct_visits order by all", "from unique_visitor_report order by all"):
            found = connection.execute(query).fetchall()
            assert found == built.rows(query)
            assert found


def test_equal_content_is_not_published_twice(build_path, lake):
    first = publish(build_path, lake, published_at=NOON)
    keys = {key: lake.local_path(key).stat().st_mtime_ns for key in lake.list_keys("publications")}
    change(build_path, "create or replace table fct_visits as from fct_visits order by random()")
    again = publish(build_path, lake, published_at=NOON + timedelta(hours=1))
    assert again == first
    assert keys == {key: lake.local_path(key).stat().st_mtime_ns for key in lake.list_keys("publications")}


def test_only_what_changed_is_written_and_what_was_stays(build_path, lake):
    first = publish(build_path, lake, published_at=NOON)
    change(build_path, "delete from fct_sightings where unidentified_reason = 'too_small'")
    second = publish(build_path, lake, published_at=NOON + timedelta(hours=1))
    assert second.publication_id != first.publication_id
    assert second.aggregates == first.aggregates
    assert second.visitors.key != first.visitors.key
    assert current(lake) == second
    assert lake.exists(first.visitors.key)
    assert lake.exists(publication_key(first.publication_id))


def test_the_pointer_goes_back_when_the_content_does(build_path, lake, tmp_path):
    first = publish(build_path, lake, published_at=NOON)
    changed = shutil.copy(build_path, tmp_path / "changed.duckdb")
    change(changed, "delete from footfall_daily where location_id = 'kiosk'")
    publish(changed, lake, published_at=NOON)
    assert publish(build_path, lake, published_at=NOON) == first
    assert current(lake) == first


@pytest.mark.parametrize("kind", ["aggregates", "visitors"])
def test_a_damaged_file_is_written_again(build_path, lake, kind):
    """Readers refuse a file with a wrong hash and say 'publish again': that must help."""
    first = publish(build_path, lake, published_at=NOON)
    lake.write(getattr(first, kind).key, b"damaged")
    again = publish(build_path, lake, published_at=NOON + timedelta(hours=1))
    assert again.publication_id == first.publication_id
    assert current(lake) == again
    path = lake.local_path(getattr(again, kind).key)
    assert path.stat().st_size == getattr(again, kind).size_bytes
    assert tables_in(path)


@pytest.mark.parametrize("pointer", [b"", b"../../etc/passwd", b"\xff\xfe", b"0" * 64])
def test_a_damaged_pointer_is_replaced(build_path, lake, pointer):
    first = publish(build_path, lake, published_at=NOON)
    lake.write(CURRENT_KEY, pointer)
    assert publish(build_path, lake, published_at=NOON) == first
    assert current(lake) == first


def test_a_damaged_manifest_is_replaced(build_path, lake):
    first = publish(build_path, lake, published_at=NOON)
    lake.write(publication_key(first.publication_id), b"{}")
    assert publish(build_path, lake, published_at=NOON).publication_id == first.publication_id
    assert current(lake).visitors.content_hash == first.visitors.content_hash


def test_nothing_is_published_from_an_unfinished_build(build_path, lake, tmp_path):
    with pytest.raises(BuildIncomplete, match="found none"):
        publish(tmp_path / "none.duckdb", lake, published_at=NOON)
    change(build_path, "drop table fct_visits")
    with pytest.raises(CorruptObject, match="fct_visits"):
        publish(build_path, lake, published_at=NOON)
    change(build_path, "drop table raw.finished")  # as loading does before dbt begins
    with pytest.raises(BuildIncomplete):
        publish(build_path, lake, published_at=NOON)
    assert not lake.exists(CURRENT_KEY)


def test_no_temporary_file_is_left(build_path, lake):
    publish(build_path, lake, published_at=NOON)
    assert [path.name for path in build_path.parent.iterdir()] == ["build.duckdb"]
