import os
import shutil
import tempfile
import threading
from pathlib import Path

import duckdb
import pytest

from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.publication import CURRENT_KEY, publication_key
from footfall_assets.reporting import publication as reader
from footfall_assets.reporting.publication import (
    CurrentFiles,
    current_publication,
    fetch_frame,
    fetch_rows,
    open_aggregates,
    open_protected,
    open_visitors,
)
from footfall_assets.storage.lake import FolderLake

_NOBODY = 65534  # the user id that owns nothing
ESCAPES = {
    "read_text": "select * from read_text('/etc/passwd')",
    "read_csv": "select * from read_csv('/etc/passwd')",
    "read_parquet": "select * from '/etc/passwd.parquet'",
    "glob": "select * from glob('/etc/*')",
    "copy_to": "copy fct_appearances to '{outside}'",
    "export": "export database '{outside}'",
    "attach": "attach '{outside}'",
    "create": "create table stolen as select 1",
    "create_temporary": "create temporary table stolen as select * from read_text('/etc/passwd')",
    "attach_memory_write": "attach ':memory:' as elsewhere; create table elsewhere.stolen as select 1; "
    "copy elsewhere.stolen to '{outside}'",
    "read_blob": "select * from read_blob('/etc/passwd')",
    "read_json": "select * from read_json('/etc/passwd')",
    "read_ndjson_objects": "select * from read_ndjson_objects('/etc/passwd')",
    "read_duckdb": "select * from '{outside}.duckdb'",
    "parquet_metadata": "select * from parquet_metadata('/etc/passwd')",
    "sniff_csv": "select * from sniff_csv('/etc/passwd')",
    "http": "select * from read_csv('http://127.0.0.1:9/x.csv')",
    "s3": "select * from read_parquet('s3://bucket/x.parquet')",
    "copy_from": "copy protected_footfall from '/etc/passwd'",
    "copy_json": "copy (select 1) to '{outside}' (format json)",
    "import": "import database '/etc'",
    "load_path": "load '/evil.duckdb_extension'",
    "install_from": "install evil from 'http://127.0.0.1:9'",
    "extension_folder": "set extension_directory = '{outside}'",
    "home": "set home_directory = '{outside}'",
    "secret_folder": "set secret_directory = '{outside}'",
    "secret": "create persistent secret s (type s3)",
    "log_to_file": "set log_query_path = '{outside}'",
    "profile_to_file": "pragma profiling_output = '{outside}'",
    "allow_folder": "set allowed_directories = ['/etc']",
    "allow_path": "set allowed_paths = ['/etc/passwd']",
    "replacements": "set python_enable_replacements = true",
    "unsigned": "set allow_unsigned_extensions = true",
    "more_threads": "set threads = 64",
    "update": "update dim_locations set name = 'x'",
    "drop": "drop table dim_locations",
    "insert": "insert into dim_locations select * from dim_locations",
    "checkpoint_elsewhere": "vacuum into '{outside}'",
    "install": "install httpfs",
    "load": "load httpfs",
    "python_variable": "select * from secret_frame",
    "unlock": "set lock_configuration = false",
    "open_up": "set enable_external_access = true",
    "more_memory": "reset memory_limit",
    "spill": "set temp_directory = '{outside}'",
    "community": "set allow_community_extensions = true",
    "delete": "delete from fct_appearances",
}


@pytest.fixture
def published(made, lake, tmp_path):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00").whole_day("store-101", "2024-01-05", 1)
    return made.publish(lake, tmp_path / "build")


def test_current_publication_is_the_manifest_that_current_names(lake, published):
    assert current_publication(lake) == published


def test_empty_lake_says_what_to_run(lake):
    with pytest.raises(NoData, match="footfall run"):
        current_publication(lake)


@pytest.mark.parametrize("pointer", [b"", b"../../etc/passwd", b"\xff\xfe", b"{}", b"a" * 10_000])
def test_pointer_that_is_no_id_is_refused(lake, published, pointer):
    lake.write(CURRENT_KEY, pointer)
    with pytest.raises(CorruptObject, match="publication id"):
        current_publication(lake)


def test_manifest_under_anothers_name_is_refused(lake, published):
    other = "f" * 64
    lake.write(publication_key(other), published.model_dump_json().encode())
    lake.write(CURRENT_KEY, other.encode())
    with pytest.raises(CorruptObject, match=other):
        current_publication(lake)


def test_damaged_manifest_is_refused(lake, published):
    lake.write(publication_key(published.publication_id), b'{"publication_id": 1')
    with pytest.raises(CorruptObject, match="manifest"):
        current_publication(lake)


@pytest.mark.parametrize("opened", [open_visitors, open_aggregates])
def test_flipped_byte_is_refused_before_opening(lake, published, opened):
    """DuckDB's own checksums are of blocks; whether it is the file that was published, they do not say."""
    published_file = published.visitors if opened is open_visitors else published.aggregates
    damaged = bytearray(lake.read(published_file.key))
    damaged[len(damaged) // 2] ^= 1
    lake.write(published_file.key, bytes(damaged))
    with pytest.raises(CorruptObject, match="sha256"), opened(lake, published):
        pass


@pytest.mark.parametrize("opened", [open_visitors, open_aggregates, open_protected])
def test_no_way_out_of_the_connection(lake, published, tmp_path, opened):
    secret_frame = fetch_frame(duckdb.connect(), "select 42 as secret", {})
    assert len(secret_frame) == 1
    outside = tmp_path / "outside"
    got_out = []
    for name, sql in ESCAPES.items():
        with opened(lake, published) as connection:
            try:
                connection.execute(sql.format(outside=outside)).fetchall()
            except duckdb.Error:
                continue
            got_out.append(name)
    assert got_out == []
    assert not list(tmp_path.glob("outside*"))


def test_read_only_alone_would_be_open(lake, published, tmp_path):
    """Were these refused by any connection, the list above would show nothing."""
    with duckdb.connect(lake.local_path(published.visitors.key), read_only=True) as connection:
        assert connection.execute(ESCAPES["read_text"]).fetchall()
        assert connection.execute(ESCAPES["glob"]).fetchall()
        connection.execute(ESCAPES["copy_json"].format(outside=tmp_path / "outside"))
    assert (tmp_path / "outside").exists()


ENDLESS = "select count(*) from range(10_000_000) as a, range(10_000_000) as b where a.range * b.range = 7"


@pytest.mark.parametrize("idle_s", [0.0, 0.4])
def test_queries_end_after_their_time(lake, published, idle_s):
    """An interrupt that comes between two queries is lost: the next one would run for ever."""
    with pytest.raises(UserMistake, match=r"longer than 0\.3 seconds"):
        _read_endlessly(lake, published, idle_s)


def _read_endlessly(lake, published, idle_s):
    with open_visitors(lake, published, for_s=0.3) as connection:
        threading.Event().wait(idle_s)
        connection.execute(ENDLESS).fetchall()


def test_an_answer_has_its_most_rows(lake, published, monkeypatch):
    monkeypatch.setattr(reader, "ROWS_AT_MOST", 10)
    with open_visitors(lake, published) as connection:
        for fetch in (fetch_rows, fetch_frame):
            assert len(fetch(connection, "select range from range(10)", {})) == 10
            with pytest.raises(UserMistake, match="more than 10 rows"):
                fetch(connection, "select range from range(11)", {})


def test_a_report_has_its_most_memory(lake, published, monkeypatch):
    monkeypatch.setattr(reader, "_HARDENED", {**reader._HARDENED, "memory_limit": "30MB"})
    with pytest.raises(UserMistake, match="30MB of memory"), open_visitors(lake, published) as connection:
        connection.execute("select list(range || 'x' order by random()) from range(5_000_000)").fetchall()


def test_an_empty_answer_has_its_columns(lake, published):
    with open_visitors(lake, published) as connection:
        frame = fetch_frame(connection, "select started_at from fct_appearances where false", {})
    assert list(frame.columns) == ["started_at"]
    assert frame.empty


def test_a_publication_without_protected_counts_says_what_to_run(lake, published):
    older = published.model_copy(update={"protected": None})
    with pytest.raises(NoData, match="footfall run"), open_protected(lake, older):
        pass


def test_connection_is_hardened_where_no_query_shows_it(lake, published):
    expected = {
        "access_mode": "read_only",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "memory_limit": "1.8 GiB",
    }
    with open_visitors(lake, published) as connection:
        rows = connection.execute("select name, value from duckdb_settings()").fetchall()
    assert dict(rows) == dict(rows) | expected


def test_two_threads_read_one_file_at_once(lake, published):
    """A SET after connecting failed on the second connection: one locked instance per file and process."""
    barrier = threading.Barrier(2, timeout=10)
    counts = []

    def read():
        with open_visitors(lake, published) as connection:
            barrier.wait()
            counts.append(connection.execute("select count(*) from fct_appearances").fetchone())
            barrier.wait()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [(1,), (1,)]


def test_reading_leaves_nothing_beside_the_file(lake, published):
    folder = lake.local_path(published.visitors.key).parent
    before = sorted(path.name for path in folder.iterdir())
    with open_visitors(lake, published) as connection:
        connection.execute("select * from fct_appearances order by random()").fetchall()
    assert sorted(path.name for path in folder.iterdir()) == before


def test_times_come_in_utc(lake, published, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with open_visitors(lake, published) as connection:
        frame = fetch_frame(connection, "select started_at from fct_appearances", {})
    assert str(frame["started_at"].iloc[0]) == "2024-01-05 10:00:00+00:00"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user of the operating system")
def test_a_process_that_may_read_protected_counts_alone_opens_nothing_else(lake, published):
    """A2: one app for viewers, whose user of the operating system has no right to the other two files."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(lake.local_path(published.visitors.key).parent, Path(folder) / "publications")
        (Path(folder) / "publications").chmod(0o755)
        for path in (Path(folder) / "publications").iterdir():
            path.chmod(0o600 if path.name.startswith(("aggregates-", "visitors-")) else 0o644)
        theirs = FolderLake(Path(folder))
        os.seteuid(_NOBODY)
        try:
            with open_protected(theirs, current_publication(theirs)) as connection:
                assert fetch_rows(connection, "select count(*) from dim_locations", {}) == [(2,)]
            for opened in (open_aggregates, open_visitors):
                with pytest.raises(UserMistake, match="may not read publications"), opened(theirs, published):
                    pass
        finally:
            os.seteuid(0)


def damage(lake, file):
    """Flip a bit in the middle."""
    damaged = bytearray(lake.read(file.key))
    damaged[len(damaged) // 2] ^= 1
    lake.write(file.key, bytes(damaged))


def test_a_damaged_file_opens_no_more_than_once_hashed(lake, published):
    with open_visitors(lake, published):
        pass
    damage(lake, published.visitors)
    for _ in range(2):
        with pytest.raises(CorruptObject, match="sha256"), open_visitors(lake, published):
            pytest.fail("opened")


def test_the_checksum_of_a_block_is_told_as_damage(lake, published, monkeypatch):
    """What a question that does not wait for the hash is told, wherever in the file it was damaged."""
    monkeypatch.setattr(reader.VERIFIED, "verify", lambda *_: None)
    whole, answers = lake.read(published.visitors.key), set()
    for place in range(0, len(whole), len(whole) // 40):
        lake.write(published.visitors.key, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        answers.add(appearances_or_damage(lake, published))
    assert answers == {1, "damaged"}


def appearances_or_damage(lake, published):
    try:
        with open_visitors(lake, published) as connection:
            return fetch_rows(connection, "select count(*), sum(location_id = '') from fct_appearances", {})[0][0]
    except CorruptObject:
        return "damaged"


def test_files_that_are_held_open_are_let_go_when_they_are_withdrawn(lake, published):
    files = CurrentFiles(lake)
    files.refresh()
    path = lake.local_path(published.visitors.key)
    assert path.name in open_names()
    lake.delete(CURRENT_KEY)
    with pytest.raises(NoData):
        files.refresh()
    assert path.name not in open_names()


def test_a_damaged_file_is_not_held_open_and_the_others_are(lake, published):
    damage(lake, published.visitors)
    files = CurrentFiles(lake)
    with pytest.raises(CorruptObject, match="visitors"):
        files.refresh()
    held = {name for name in open_names() if name.endswith(".duckdb")}
    files.close()
    assert lake.local_path(published.aggregates.key).name in held
    assert lake.local_path(published.visitors.key).name not in held


def open_names():
    """Return the names of the files that this process has open."""
    return {path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
