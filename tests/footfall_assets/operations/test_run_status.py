"""The newest runs, as the explorer reads them."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from footfall_assets.contracts.errors import CorruptObject, NoData
from footfall_assets.contracts.run_status import RUN_STATUS_KEY
from footfall_assets.operations.run_status import write_run_status
from footfall_assets.reporting.run_status import recent_runs
from footfall_assets.storage.lake import FolderLake

NOW = datetime(2024, 2, 3, 6, tzinfo=UTC)


@dg.op
def work() -> None:
    """Do nothing."""


@dg.op
def fail() -> None:
    """Fail."""
    raise ValueError("on purpose")


@dg.job
def good_job() -> None:
    """Succeed."""
    work()


@dg.job
def bad_job() -> None:
    """Fail."""
    fail()


def test_runs_are_written_newest_first_and_read_again(tmp_path):
    lake = FolderLake(tmp_path / "lake")
    with dg.DagsterInstance.ephemeral() as instance:
        good_job.execute_in_process(instance=instance, tags={"dagster/partition": "2024-02-03"})
        bad_job.execute_in_process(instance=instance, raise_on_error=False)
        written = write_run_status(instance, lake, now=NOW)
    found = recent_runs(lake)
    assert found == written
    assert [(run.job, run.status, run.partition) for run in found.runs] == [
        ("bad_job", "failure", None),
        ("good_job", "success", "2024-02-03"),
    ]
    assert found.at == NOW
    assert all(run.seconds is not None and run.seconds >= 0 for run in found.runs)


def test_no_document_and_a_damaged_one_are_told(tmp_path):
    lake = FolderLake(tmp_path / "lake")
    with pytest.raises(NoData, match="footfall run"):
        recent_runs(lake)
    lake.write(RUN_STATUS_KEY, b'{"at": 1}')
    with pytest.raises(CorruptObject, match="newest runs"):
        recent_runs(lake)
