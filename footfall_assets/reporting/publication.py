"""Opening the published database files: the current manifest, verified bytes, a hardened read-only connection."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.ids import Sha256
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, PublishedFile, publication_key
from footfall_assets.storage.lake import LakeStore

_PUBLICATION_ID: Final = TypeAdapter(Sha256)
# read_only alone still reads /etc/passwd, writes files and sees Python variables. No temp_directory: what spilled would
# lie beside the file, in the lake. The lock comes with the connection: a later SET by a second connection to the same
# file would fail, because DuckDB shares one instance per file and process.
_HARDENED: Final[Mapping[str, str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "2GB",
    "threads": "2",
    "lock_configuration": "true",
}


def current_publication(lake: LakeStore) -> Publication:
    """Return the manifest that `publications/CURRENT` names by its publication id.

    Raises:
        NoData: nothing has been published yet.
        CorruptObject: the pointer or the manifest is not what the publisher writes.
    """
    if not lake.exists(CURRENT_KEY):
        raise NoData("nothing is published yet, expected a publication; run: footfall run")
    return read_publication(lake, _checked_id(lake.read(CURRENT_KEY)))


def read_publication(lake: LakeStore, publication_id: str) -> Publication:
    """Return the manifest of a publication that is kept.

    Raises:
        CorruptObject: the manifest is not what the publisher writes.
    """
    key = publication_key(publication_id)
    try:
        publication = Publication.model_validate_json(lake.read(key))
    except ValidationError as error:
        raise CorruptObject(f"expected a publication manifest at {key!r}, got {error}; run: footfall run") from error
    if publication.publication_id != publication_id:
        raise CorruptObject(
            f"expected publication {publication_id} at {key!r}, got {publication.publication_id}; run: footfall run"
        )
    return publication


@contextmanager
def open_visitors(lake: LakeStore, publication: Publication) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the visitor-level file of `publication` for reading.

    Raises:
        CorruptObject: its bytes do not have the hash in the manifest.
        UserMistake: a query needed more memory than a report may take.
    """
    with _open(lake, publication.visitors) as connection:
        yield connection


@contextmanager
def open_aggregates(lake: LakeStore, publication: Publication) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the aggregates of `publication` for reading; raises as `open_visitors`."""
    with _open(lake, publication.aggregates) as connection:
        yield connection


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Return the rows of `sql` with named `parameters` bound; for queries without times."""
    return connection.execute(sql, dict(parameters)).fetchall()


def fetch_frame(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    """Return the rows of `sql` with named `parameters` bound; times are UTC whatever the session's zone."""
    table = connection.execute(sql, dict(parameters)).to_arrow_table()
    columns = [_in_utc(column) for column in table.columns]
    frame: pd.DataFrame = pa.Table.from_arrays(columns, names=table.column_names).to_pandas()
    return frame


def _in_utc(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(pa.timestamp("us", tz="UTC"))
    return column


def _checked_id(pointer: bytes) -> str:
    try:
        return _PUBLICATION_ID.validate_python(pointer.decode("ascii").strip())
    except (UnicodeDecodeError, ValidationError) as error:
        raise CorruptObject(
            f"expected a publication id in {CURRENT_KEY!r}, got {pointer[:80]!r}; run: footfall run"
        ) from error


@contextmanager
def _open(lake: LakeStore, published: PublishedFile) -> Iterator[duckdb.DuckDBPyConnection]:
    path = lake.local_path(published.key)
    _verify(path, published)
    connection = duckdb.connect(path, read_only=True, config=dict(_HARDENED))
    try:
        yield connection
    except duckdb.OutOfMemoryException as error:
        raise UserMistake(
            f"the report needs more than {_HARDENED['memory_limit']} of memory; "
            "ask for a shorter period or fewer cameras"
        ) from error
    finally:
        connection.close()


def _verify(path: Path, published: PublishedFile) -> None:
    with path.open("rb") as source:
        found = hashlib.file_digest(source, "sha256").hexdigest()
    if found != published.sha256:
        raise CorruptObject(
            f"expected sha256 {published.sha256} for {published.key!r}, got {found}; publish again: footfall run"
        )
