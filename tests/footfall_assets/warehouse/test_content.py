import duckdb
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.warehouse.content import content_hash

PLAIN = "select * from (values (1, 'a', null), (2, 'b', 0.1), (2, 'b', 0.1)) as t (n, s, x)"


def hash_of(*queries):
    """Return the hash of tables t0, t1, ... in a fresh database."""
    with duckdb.connect() as connection:
        for number, query in enumerate(queries):
            connection.execute(f"create table t{number} as {query}")
        names = [f"t{number}" for number in range(len(queries))]
        return content_hash(connection, names, database="memory")


def test_order_of_rows_does_not_count():
    assert hash_of(PLAIN) == hash_of(f"{PLAIN} order by n desc, s")


def test_order_of_tables_does_not_count():
    with duckdb.connect() as connection:
        connection.execute("create table a as select 1 as n")
        connection.execute("create table b as select 2 as n")
        assert content_hash(connection, ["a", "b"], database="memory") == content_hash(
            connection, ["b", "a"], database="memory"
        )


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(PLAIN.replace("'a'", "'A'"), id="a value"),
        pytest.param(PLAIN.replace("null", "0"), id="null is not zero"),
        pytest.param(PLAIN.replace("(1, 'a', null)", "(1, null, null)"), id="null in text"),
        pytest.param(PLAIN.replace(", (2, 'b', 0.1))", ")"), id="a doubled row less"),
        pytest.param(PLAIN.replace("(n, s, x)", "(n, s, y)"), id="a column's name"),
        pytest.param(PLAIN.replace("select *", "select n::bigint as n, s, x"), id="a column's type"),
        pytest.param(PLAIN.replace("select *", "select n, x, s"), id="order of columns"),
    ],
)
def test_everything_else_counts(changed):
    assert hash_of(PLAIN) != hash_of(changed)


def test_the_text_null_is_not_null():
    assert hash_of("select null::varchar as s") != hash_of("select 'null' as s")


def test_values_do_not_move_between_columns_or_list_items():
    assert hash_of("select 'ab' as a, 'c' as b") != hash_of("select 'a' as a, 'bc' as b")
    assert hash_of("select ['a, b'] as names") != hash_of("select ['a', 'b'] as names")


def test_values_do_not_move_between_tables():
    assert hash_of("select 1 as n", "select 2 as n") != hash_of("select 2 as n", "select 1 as n")


def test_time_zone_of_the_session_does_not_count():
    query = "create table t as select timestamptz '2024-01-01 00:00:00+00' as at"
    hashes = set()
    for zone in ("Asia/Kolkata", "UTC"):
        with duckdb.connect() as connection:
            connection.execute(f"set TimeZone = '{zone}'")
            connection.execute(query)
            hashes.add(content_hash(connection, ["t"], database="memory"))
    assert len(hashes) == 1


def test_a_missing_table_is_an_error():
    with duckdb.connect() as connection, pytest.raises(CorruptObject, match="'nowhere'"):
        content_hash(connection, ["nowhere"], database="memory")
