"""What the platform tells the explorer about its runs: a small document in the lake, because the app has no Dagster."""

from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

RUN_STATUS_KEY: Final = "operations/runs.json"
RUNS_AT_MOST: Final = 50


class RunStatus(BaseModel):
    """One run; `partition` is a key or a range of keys, None where the job has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    job: str
    partition: str | None
    status: str  # Dagster's word in lower case, such as success
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None

    @property
    def seconds(self) -> int | None:
        """How long it took; None while it runs."""
        if self.started_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.started_at).total_seconds())


class RecentRuns(BaseModel):
    """The newest runs, newest first, as of a moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime
    runs: tuple[RunStatus, ...]
