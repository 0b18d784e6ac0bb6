import threading

import duckdb
import pytest

from footfall_assets.contracts.errors import CorruptObject, NoData
from footfall_assets.contracts.publication import CURRENT_KEY, publication_key
from footfall_assets.reporting.publication import current_publication, fetch_frame, open_aggregates, open_visitors

ESCAPES = {
    "read_text": "select * from read_text('/etc/passwd')",
    "read_csv": "select * from read_csv('/etc/passwd')",
    "read_parquet": "select * from '/etc/passwd.parquet'",
    "glob": "select * from glob('/*')",
    "copy_to": "copy fct_appearances to '{outside}'",
    "export": "export database '{outside}'",
    "attach": "attach '{outside}'",
    "attach_memory_write": "create table stolen as select * from fct_appearances",
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
    """DuckDB read one flipped bit as a wrong number without complaint."""
    published_file = published.visitors if opened is open_visitors else published.aggregates
    damaged = bytearray(lake.read(published_file.key))
    damaged[len(damaged) // 2] ^= 1
    lake.write(published_file.key, bytes(damaged))
    with pytest.raises(CorruptObject, match="sha256"), opened(lake, published):
        pass


@pytest.mark.parametrize("name", ESCAPES)
def test_no_way_out_of_the_connection(lake, published, tmp_path, name):
    secret_frame = fetch_frame(duckdb.connect(), "select 42 as secret", {})
    assert len(secret_frame) == 1
    outside = tmp_path / "outside"
    with open_visitors(lake, published) as connection, pytest.raises(duckdb.Error):
        connection.execute(ESCAPES[name].format(outside=outside)).fetchall()
    assert not outside.exists()


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
