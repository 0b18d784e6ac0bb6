"""The hash of what a database says, whatever its bytes: two equal builds differ in bytes and agree in this."""

import json
from collections.abc import Iterable
from typing import Final

import duckdb

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import digest_of

_COLUMNS: Final = """
select column_name, data_type
from duckdb_columns()
where database_name = $database and schema_name = 'main' and table_name = $table
order by column_index
"""

# One MD5 a row, split into its halves: three times as fast as JSON text and one MD5 for each half.
_SUMS: Final = """
select
    count(*),
    coalesce(sum((digest & 18446744073709551615::uhugeint)::ubigint), 0),
    coalesce(sum((digest >> 64)::ubigint), 0)
from (select md5_number(concat_ws(chr(31), {values})) as digest from "{database}".main."{table}")
"""


def content_hash(connection: duckdb.DuckDBPyConnection, tables: Iterable[str], *, database: str) -> str:
    """Return the SHA-256 of the named tables' content, independent of the order of rows and tables.

    A table counts with its name, its columns' names and types in order, its number of rows, and the sums of both
    64-bit halves of the MD5 of every row's text: the values as DuckDB writes them (lists as JSON, null as U+0001),
    joined by U+001F. Sums make it independent of order; the two halves make an accidental collision as unlikely as one
    of 128 bits. It tells builds apart, it does not authenticate them: the SHA-256 of the published file does that.

    Args:
        connection: a DuckDB connection; its time zone is set to UTC, since text shows times in the session's zone.
        tables: names of ours, never from outside.
        database: the name under which the tables' database is attached.

    Raises:
        CorruptObject: a table is not there.
    """
    connection.execute("set TimeZone = 'UTC'")
    return digest_of(*(_table_hash(connection, table, database) for table in sorted(tables)))


def _table_hash(connection: duckdb.DuckDBPyConnection, table: str, database: str) -> str:
    columns = connection.execute(_COLUMNS, {"database": database, "table": table}).fetchall()
    if not columns:
        raise CorruptObject(f"expected a table {table!r} in the build database, found none; run: footfall run")
    values = ", ".join(_text_of(name, kind) for name, kind in columns)
    sums = connection.execute(_SUMS.format(database=database, table=table, values=values)).fetchone()
    return digest_of("table", table, json.dumps(columns), *(str(value) for value in sums or ()))


def _text_of(column: str, kind: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    text = f"to_json({quoted})::varchar" if kind.endswith("]") else f"{quoted}::varchar"
    return f"coalesce({text}, chr(1))"
