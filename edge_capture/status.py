"""What the agent says of itself: the same numbers for the fleet, for Prometheus and for the person at the machine."""

from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from edge_capture.errors import EdgeMistake
from edge_capture.spool import Loss
from footfall_assets.contracts.batch import ClockFault
from footfall_assets.contracts.fleet import DeviceReport
from footfall_assets.storage.lake import written_whole

_LOSSES_SHOWN = 50  # newest spans


class LossSpan(BaseModel):
    """Batches of one camera that will not arrive."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    camera_id: str
    reason: str
    first_sequence: int
    last_sequence: int
    batches: int
    stills: int
    first_at: AwareDatetime
    last_at: AwareDatetime


class AgentStatus(BaseModel):
    """The report to the fleet, and what only this machine needs to know."""

    model_config = ConfigDict(frozen=True)

    report: DeviceReport
    on_trial: bool
    connected: bool
    refused: str | None
    upload_error: str | None
    spool_error: str | None
    clock_fault: ClockFault | None
    losses: tuple[LossSpan, ...]

    def problems(self, now: datetime, *, stale_after_s: float) -> list[str]:
        """Return what a person should look at, in plain words."""
        report = self.report
        found = []
        age_s = (now - report.reported_at).total_seconds()
        if age_s > stale_after_s:
            found.append(f"the agent has not written its status for {age_s:.0f} s; is it running?")
        if self.refused:
            found.append(f"the lake refuses this device: {self.refused}")
        if self.spool_error:
            found.append(f"the spool cannot be written: {self.spool_error}")
        if self.clock_fault:
            found.append(f"the clock is in doubt: {self.clock_fault}")
        if report.refused_revision is not None:
            found.append(f"revision {report.refused_revision} was refused: {report.refused_reason}")
        if report.dropped_items:
            found.append(f"{report.dropped_items} batches with {report.dropped_stills} stills were dropped")
        if report.quarantined_items:
            found.append(f"{report.quarantined_items} damaged batches are in quarantine")
        found += [f"camera {each.camera_id}: {each.error or 'not connected'}" for each in report.cameras if each.error]
        return found


def spans(losses: list[Loss]) -> tuple[LossSpan, ...]:
    """Return the newest losses in the form of the status."""
    return tuple(LossSpan.model_validate(each) for each in losses[-_LOSSES_SHOWN:])


def write_status(path: Path, status: AgentStatus) -> None:
    """Keep the status for `edge-capture status`, whole or not at all."""
    with written_whole(path) as partial:
        partial.write(status.model_dump_json(indent=1).encode())


def read_status(path: Path) -> AgentStatus:
    """Return the status that an agent wrote.

    Raises:
        EdgeMistake: there is none, or it cannot be read.
    """
    try:
        return AgentStatus.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise EdgeMistake(f"expected {path}, found nothing; start the agent: edge-capture run") from error
    except (OSError, ValidationError) as error:
        raise EdgeMistake(f"{path}: {error}; start the agent anew") from error
