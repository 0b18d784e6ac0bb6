"""A log in which no line can be changed unseen."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from footfall_assets.contracts.access import Access
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.lake import FolderLake

NOW = datetime(2024, 1, 6, 12, tzinfo=UTC)
NAME = "audit-2024-01-06-0123456789ab"


@pytest.fixture
def log(folder_lake, tmp_path):
    return AccessLog(folder_lake, tmp_path / "keys")


@pytest.fixture
def write(log, tmp_path):
    def line(who="ann", access=Access.VIEW, count=6):
        return log.append(
            who=who, role="auditor", access=access, about=NAME, count=count, at=NOW, lock_folder=tmp_path / "locks"
        )

    return line


LINE = "access_log/{:012d}.json"


class TestAccessLog:
    """A chain of keyed hashes."""

    def test_lines_come_back(self, log, write):
        lines = [write("ann"), write("bob", Access.LABEL, 1)]
        assert log.verify() == lines
        assert [each.number for each in lines] == [1, 2]
        assert lines[1].previous == lines[0].digest

    def test_an_empty_log_is_whole(self, log):
        assert log.verify() == []

    def test_it_says_who_and_when_and_nothing_of_what_was_seen(self, write):
        assert set(json.loads(write().model_dump_json())) == {
            "number", "at", "who", "role", "access", "about", "count", "purpose", "scope", "previous", "digest",
        }  # fmt: skip

    @pytest.mark.parametrize("who", ["ann\nbob", "Ann", "", "a" * 65, '{"x": 1}'])
    def test_a_name_cannot_write_a_line_of_its_own(self, write, who):
        with pytest.raises(ValidationError):
            write(who)

    @settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.integers(1, 5), st.sampled_from(["edit", "delete", "reorder", "insert", "rekey"]))
    def test_whatever_is_done_to_a_line_is_found(self, tmp_path_factory, number, how):
        folder = tmp_path_factory.mktemp("log")
        lake = FolderLake(folder / "lake")
        log = AccessLog(lake, folder / "keys")
        for who in ("ann", "bob", "cid", "dee", "eve"):
            log.append(
                who=who, role="auditor", access=Access.VIEW, about=NAME, count=1, at=NOW, lock_folder=folder / "locks"
            )
        key, other = LINE.format(number), LINE.format(number % 5 + 1)
        content = lake.read(key)
        if how == "edit":
            lake.write(key, content.replace(b'"count":1', b'"count":2'))
        elif how == "delete":
            lake.delete(key)
        elif how == "reorder":
            lake.write(key, lake.read(other))
            lake.write(other, content)
        elif how == "insert":
            lake.write(LINE.format(6), content)
        else:  # somebody without the key makes a whole new chain
            forged = AccessLog(lake, folder / "other-keys")
            for each in lake.list_keys("access_log"):
                lake.delete(each)
            for _ in range(5):
                forged.append(
                    who="ann",
                    role="auditor",
                    access=Access.VIEW,
                    about=NAME,
                    count=1,
                    at=NOW,
                    lock_folder=folder / "locks",
                )
        with pytest.raises(CorruptObject, match="access log: line"):
            log.verify()

    def test_the_last_line_cannot_be_dropped(self, log, write, folder_lake):
        write()
        write()
        folder_lake.delete(LINE.format(2))
        with pytest.raises(CorruptObject, match="line 2"):
            log.verify()

    def test_a_crash_before_the_pointer_moved_loses_no_line(self, log, write, folder_lake):
        write()
        head = folder_lake.read("access_log/HEAD")
        write("bob")
        folder_lake.write("access_log/HEAD", head)
        write("cid")
        assert [each.who for each in log.verify()] == ["ann", "bob", "cid"]

    def test_writers_at_the_same_time_keep_the_chain(self, log, write):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: write(f"l{number}"), range(40)))
        assert len(log.verify()) == 40

    def test_the_whole_lake_cannot_go_back_to_an_older_state(self, log, write, folder_lake):
        """HEAD is in the lake too: the newest line is noted in the home."""
        write()
        before = {key: folder_lake.read(key) for key in folder_lake.list_keys("access_log")}
        write("bob")
        for key in folder_lake.list_keys("access_log"):
            folder_lake.delete(key)
        for key, content in before.items():
            folder_lake.write(key, content)
        with pytest.raises(CorruptObject, match="line 2 is missing"):
            log.verify()

    def test_the_last_line_of_each_day_is_signed(self, log, folder_lake, tmp_path):
        for hour in (1, 2, 30, 31, 60):
            log.append(
                who="ann",
                role="analyst",
                access=Access.EXPORT,
                about="footfall 2024-01-01 to 2024-01-31",
                count=5,
                at=NOW.replace(hour=0) + timedelta(hours=hour),
                lock_folder=tmp_path / "locks",
                purpose="a task",
                scope="store-101",
            )
        assert [(head.day.day, head.number) for head in log.heads()] == [(6, 2), (7, 4), (8, 5)]
        assert len(log.verify()) == 5
        middle = "access_log/heads/2024-01-07.json"
        kept = folder_lake.read(middle)
        for changed in (kept.replace(b'"number":4', b'"number":3'), kept.replace(b'"signature":"', b'"signature":"00')):
            folder_lake.write(middle, changed)
            with pytest.raises(CorruptObject):
                log.verify()
        folder_lake.delete(middle)
        with pytest.raises(CorruptObject, match="line 4"):
            log.verify()

    def test_a_crash_before_a_day_was_signed_is_mended_by_the_next_line(self, log, write, folder_lake, tmp_path):
        write()
        folder_lake.delete("access_log/heads/2024-01-06.json")
        log.append(
            who="bob",
            role="analyst",
            access=Access.EXPORT,
            about="x",
            count=1,
            at=NOW + timedelta(days=1),
            lock_folder=tmp_path / "locks",
        )
        assert len(log.verify()) == 2

    def test_a_line_from_before_purpose_and_scope_keeps_its_hash(self, log, write, folder_lake):
        write()
        old = json.loads(folder_lake.read(LINE.format(1)))
        del old["purpose"], old["scope"]
        folder_lake.write(LINE.format(1), json.dumps(old).encode())
        assert log.verify()[0].purpose is None

    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(min_size=1, max_size=50), field=st.sampled_from(["about", "purpose", "scope"]))
    def test_no_text_makes_a_second_line(self, tmp_path_factory, text, field):
        folder = tmp_path_factory.mktemp("log")
        lake = FolderLake(folder / "lake")
        log = AccessLog(lake, folder / "keys")
        fields = {"about": "x", "purpose": "y", "scope": "z"} | {field: text}
        try:
            log.append(
                who="ann", role="viewer", access=Access.EXPORT, count=0, at=NOW, lock_folder=folder / "locks", **fields
            )
        except ValidationError:
            assert lake.list_keys("access_log") == []
            return
        [line] = log.verify()
        assert getattr(line, field) == text
        assert len(lake.read(LINE.format(1)).splitlines()) == 1

    @pytest.mark.parametrize("text", ["a\nb", "a\r\n{}", "a\u2028b", "a\x85b", "a\x00b", "", "x" * 201])
    def test_text_of_more_than_one_line_is_refused(self, log, folder_lake, tmp_path, text):
        with pytest.raises(ValidationError):
            log.append(
                who="ann",
                role="viewer",
                access=Access.EXPORT,
                about=text,
                count=0,
                at=NOW,
                lock_folder=tmp_path / "locks",
            )
        assert folder_lake.list_keys("access_log") == []
