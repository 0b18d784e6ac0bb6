import shutil
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, publication_key
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.build import BuildIncomplete
from footfall_assets.warehouse.protection_gate import ProtectionBroken
from footfall_assets.warehouse.publication import (
    AGGREGATE_TABLES,
    PROTECTED_TABLES,
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


def test_three_files_a_manifest_and_the_pointer(build_path, lake):
    published = publish(build_path, lake, published_at=NOON)
    assert current(lake) == published
    assert published.published_at == NOON
    assert published.environment == "development"
    assert published.inputs_hash == "a" * 64
    assert published.asset_versions == {"sightings": "v1", "identities": "v2"}
    assert (published.first_day, published.last_captured_at.tzinfo) == (date(2024, 1, 2), UTC)
    files = [published.aggregates.key, published.visitors.key, published.protected.key]
    assert lake.list_keys("publications") == sorted([CURRENT_KEY, publication_key(published.publication_id), *files])


def test_visitor_level_rows_are_physically_apart(build_path, lake):
    """Who may see aggregates gets a file that holds no visitor, and one column more would break that promise."""
    published = publish(build_path, lake, published_at=NOON)
    aggregates = lake.local_path(published.aggregates.key)
    assert tables_in(aggregates) == set(AGGREGATE_TABLES)
    assert tables_in(lake.local_path(published.visitors.key)) == set(VISITOR_TABLES)
    assert tables_in(lake.local_path(published.protected.key)) == set(PROTECTED_TABLES)
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
    change(build_path, "delete from fct_visits where rowid < 3")
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


def test_protected_counts_come_from_days_that_are_over(build_path, lake, built):
    """A count that still grows would tell from one publication to the next who came in between."""
    published = publish(build_path, lake, published_at=NOON)
    with duckdb.connect(lake.local_path(published.protected.key), read_only=True) as connection:
        grains = dict(connection.execute("select grain, count(*) from protected_footfall group by grain").fetchall())
        newest = connection.execute("select max(last_day) from protected_footfall").fetchone()
        shown = connection.execute("select unique_visitors from protected_footfall where not is_fewer").fetchall()
    assert {"hour", "day"} <= set(grains)
    assert newest < (built.rows("select max(business_day) from int_coverage_counted where frames_captured > 0")[0][0],)
    assert all(count >= 10 and count % 5 == 0 for (count,) in shown)


def test_every_covered_hour_of_a_day_that_is_over_is_there(built):
    rows = built.rows(
        """
        select count(*), count(*) filter (where protected_footfall.location_id is null)
        from (
            select distinct location_id, business_day, hour_starts_at from int_quarter_hours
            inner join int_covered_quarters using (location_id, business_day, quarter)
            where is_unique and business_day < (
                select max(business_day) from int_coverage_counted where frames_captured > 0
            )
        ) as hours
        left join protected_footfall using (location_id, hour_starts_at)
        """
    )
    assert rows[0][0] > 0
    assert rows[0][1] == 0


def test_true_counts_are_those_of_the_exact_marts(built):
    """Where every sighting lies in a covered hour, the hidden truth is what an analyst sees."""
    rows = built.rows(
        """
        select count(*), count(*) filter (where int_footfall_atoms.unique_visitors > footfall_daily.unique_visitors)
        from int_footfall_atoms
        inner join footfall_daily
            on int_footfall_atoms.location_id = footfall_daily.location_id
            and int_footfall_atoms.first_day = footfall_daily.business_day
        where grain = 'day'
        """
    )
    assert rows[0][0] > 0
    assert rows[0][1] == 0


def test_nothing_is_published_that_gives_a_hidden_count_away(build_path, lake):
    change(
        build_path,
        """
        update protected_footfall set is_fewer = false, unique_visitors = 500
        where grain = 'day' and (location_id, first_day) in (
            select (location_id, first_day) from protected_footfall where grain = 'hour' and is_fewer
        )
        """,
    )
    with pytest.raises(ProtectionBroken, match="nothing is published"):
        publish(build_path, lake, published_at=NOON)
    assert lake.list_keys("publications") == []


@pytest.mark.parametrize("kind", ["aggregates", "visitors", "protected"])
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


def test_shares_by_age_gender_and_expression_are_in_the_analyst_s_file_only():
    traits = {"demographics_daily", "expression_daily", "expression_by_zone", "attribute_confusion"}
    assert traits <= set(AGGREGATE_TABLES)
    assert traits.isdisjoint({*PROTECTED_TABLES, *VISITOR_TABLES})
