"""Opening the published database files: the current manifest, verified bytes, a hardened read-only connection."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

import duckdb
import pandas as pd
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from footfall_assets.contracts.errors import CorruptObject, FootfallError, NoData, UserMistake
from footfall_assets.contracts.ids import Sha256
from footfall_assets.contracts.publication import CURRENT_KEY, FileKind, Publication, PublishedFile, publication_key
from footfall_assets.reporting.verified_files import VERIFIED
from footfall_assets.storage.lake import LakeStore

_HAS_TABLE_SQL: Final = "select 1 from duckdb_tables() where table_name = $name"
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

READ_FOR_S: Final = 120.0  # seconds that a connection may be open; any report of the explorer needs a few
LONG_READ_FOR_S: Final = 3600.0  # seconds, of the command line: who may start it may also stop it
ROWS_AT_MOST: Final = 5_000_000  # of one answer; more than all visitors of 10,000 stores in a month
_BATCH_ROWS: Final = 100_000
_ASK_AGAIN_S: Final = 0.2  # an interrupt between two queries is lost: it is repeated until the connection is closed


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
def open_visitors(
    lake: LakeStore, publication: Publication, *, for_s: float = READ_FOR_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the visitor-level file of `publication` for reading; all queries together get `for_s` seconds.

    Raises:
        CorruptObject: its bytes do not have the hash in the manifest.
        UserMistake: the queries needed more memory or time than a report may take.
    """
    with _open(lake, publication.visitors, for_s) as connection:
        yield connection


@contextmanager
def open_aggregates(
    lake: LakeStore, publication: Publication, *, for_s: float = READ_FOR_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the aggregates of `publication` for reading; raises as `open_visitors`."""
    with _open(lake, publication.aggregates, for_s) as connection:
        yield connection


@contextmanager
def open_protected(
    lake: LakeStore, publication: Publication, *, for_s: float = READ_FOR_S
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the protected counts of `publication` for reading; raises as `open_visitors`.

    Raises:
        NoData: it was published before there were any.
    """
    file = publication.files.get(FileKind.PROTECTED)
    if file is None:
        raise NoData("this publication has no protected counts; publish again: footfall run")
    with _open(lake, file, for_s) as connection:
        yield connection


def announce(lake: LakeStore, publication: Publication) -> None:
    """Say that `CurrentFiles` are about to check the files of `publication`: no question waits for large ones."""
    for file in publication.files.values():
        VERIFIED.announce(lake.local_path(file.key), file)


class CurrentFiles:
    """Files of the current publication, checked and held open, so that questions find in memory what others read.

    The process keeps at most the memory limit of each. Files that are no longer current, or damaged, are let go by the
    next `refresh`: a deleted file's bytes stay on the disk for as long as it is open.
    """

    def __init__(self, lake: LakeStore) -> None:
        """Hold nothing yet."""
        self._lake = lake
        self._held: dict[str, duckdb.DuckDBPyConnection] = {}

    def refresh(self) -> None:
        """Open, check and hold what is current now, as far as this process may read it.

        Raises as `current_publication`, when nothing is held any more, or as `open_visitors`, when all other files are.
        """
        try:
            publication = current_publication(self._lake)
            announce(self._lake, publication)
        except BaseException:
            self.close()
            raise
        self._let_go(but={file.key for file in publication.files.values()})
        failures = [self._failure_to_hold(file) for file in publication.files.values()]
        for failure in filter(None, failures):
            raise failure

    def close(self) -> None:
        """Hold nothing any more."""
        self._let_go(but=frozenset())

    def _failure_to_hold(self, file: PublishedFile) -> FootfallError | OSError | None:
        try:
            path = self._lake.local_path(file.key)
            VERIFIED.verify(path, file)
            if file.key not in self._held:
                self._held[file.key] = _connect(path)
            VERIFIED.check(path, file)
        except (FootfallError, OSError) as error:
            self._let_go(but=self._held.keys() - {file.key})
            return error
        return None

    def _let_go(self, *, but: Collection[str]) -> None:
        for key in self._held.keys() - but:
            self._held.pop(key).close()


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Return whether a published file holds a table; files of before lack those that came later."""
    return bool(fetch_rows(connection, _HAS_TABLE_SQL, {"name": name}))


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Return the rows of `sql` with named `parameters` bound; for queries without times.

    Raises:
        UserMistake: more than `ROWS_AT_MOST` rows.
    """
    found = connection.execute(sql, dict(parameters)).fetchmany(ROWS_AT_MOST + 1)
    _check_rows(len(found))
    return found


def fetch_frame(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    """Return the rows of `sql` with named `parameters` bound; times are UTC whatever the session's zone.

    Raises:
        UserMistake: more than `ROWS_AT_MOST` rows.
    """
    reader = connection.execute(sql, dict(parameters)).to_arrow_reader(_BATCH_ROWS)
    batches, rows = [], 0
    for batch in reader:
        rows += batch.num_rows
        _check_rows(rows)
        batches.append(batch)
    table = pa.Table.from_batches(batches, reader.schema)
    columns = [_in_utc(column) for column in table.columns]
    frame: pd.DataFrame = pa.Table.from_arrays(columns, names=table.column_names).to_pandas()
    return frame


def _check_rows(rows: int) -> None:
    if rows > ROWS_AT_MOST:
        raise UserMistake(
            f"the answer has more than {ROWS_AT_MOST:,} rows; ask for a shorter period or fewer locations or cameras"
        )


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
def _open(lake: LakeStore, published: PublishedFile, for_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    path = lake.local_path(published.key)
    VERIFIED.verify(path, published)
    connection = _connect(path)
    closed = Event()
    watch = Thread(target=_interrupt_after, args=(connection, for_s, closed), daemon=True)
    watch.start()
    try:
        yield connection
    except duckdb.OutOfMemoryException as error:
        raise UserMistake(
            f"the report needs more than {_HARDENED['memory_limit']} of memory; "
            "ask for a shorter period or fewer cameras"
        ) from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:  # a table or a column that came later
        raise NoData(
            "this publication was made by an earlier release and does not hold what is needed here; "
            "choose a newer one, or publish again: footfall run"
        ) from error
    except duckdb.IOException as error:  # the checksum of a block
        raise CorruptObject(f"{published.key!r} is damaged ({error}); publish again: footfall run") from error
    except duckdb.InterruptException as error:
        raise UserMistake(
            f"the report takes longer than {for_s:g} seconds; ask for a shorter period or fewer cameras"
        ) from error
    finally:
        closed.set()
        watch.join()  # it must not interrupt a connection that is closed
        connection.close()


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(path, read_only=True, config=dict(_HARDENED))
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise CorruptObject(f"{path.name} is damaged ({error}); publish again: footfall run") from error


def _interrupt_after(connection: duckdb.DuckDBPyConnection, seconds: float, closed: Event) -> None:
    deadline = monotonic() + seconds
    while not closed.wait(max(deadline - monotonic(), _ASK_AGAIN_S)):
        connection.interrupt()
