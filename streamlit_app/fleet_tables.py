"""From the fleet's status to the tables of the operations page; no widgets and no queries."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from footfall_assets.contracts.errors import QuarantineReason
from footfall_assets.contracts.run_status import RecentRuns
from footfall_assets.reporting.fleet_status import CameraHealth, DeviceStatus, FleetStatus
from footfall_assets.reporting.provenance import duration_text

_MEGABYTE: Final = 1_000_000  # bytes

REASONS: Final[Mapping[str, str]] = {
    QuarantineReason.TRUNCATED: "cut short on the way",
    QuarantineReason.TOO_LARGE: "beyond a limit of intake",
    QuarantineReason.BAD_ARCHIVE: "not a batch: other members, links, or no archive at all",
    QuarantineReason.BAD_MANIFEST: "a manifest that contradicts itself or its schema",
    QuarantineReason.BAD_SIGNATURE: "not signed by the device it names",
    QuarantineReason.UNKNOWN_DEVICE: "from a device that nobody enrolled",
    QuarantineReason.REVOKED_DEVICE: "from a device that was revoked",
    QuarantineReason.WRONG_LOCATION: "from a device of another location",
    QuarantineReason.BAD_ENROLMENT: "a request to join without a valid token",
    QuarantineReason.UNKNOWN_LOCATION: "for a location that is not registered on that day",
    QuarantineReason.UNKNOWN_CAMERA: "for a camera that is not registered there on that day",
    QuarantineReason.LOCATION_OFF: "for a location that is switched off",
    QuarantineReason.WRONG_PATH: "lying under another name than its own",
    QuarantineReason.CLOCK: "dated outside the day or the time it can be from",
    QuarantineReason.DUPLICATE: "taken in before; without effect",
    QuarantineReason.HASH_MISMATCH: "a still that is not the one that was signed",
    QuarantineReason.FORMAT: "a still that is no JPEG",
    QuarantineReason.DIMENSIONS: "a still too large, or of another size than signed",
    QuarantineReason.UNDECODABLE: "a still that cannot be decoded",
    QuarantineReason.INVALID_VECTOR: "a face whose vector is not a direction",
}


def problems_frame(status: FleetStatus) -> pd.DataFrame:
    """Return one row a problem. A table: what a device says of itself must not act as Markdown."""
    rows = [(device.device_id, device.location_id, problem) for device in status.devices for problem in device.problems]
    return pd.DataFrame.from_records(rows, columns=["Device", "Location", "Problem"])


def devices_frame(status: FleetStatus) -> pd.DataFrame:
    """Return one row a device, as people read it; what is not known is missing."""
    return pd.DataFrame.from_records([_device_row(device) for device in status.devices])


def _device_row(device: DeviceStatus) -> dict[str, object]:
    report = device.report
    oldest = report.oldest_item_at if report else None
    received = device.intake.last_received_at if device.intake else None
    return {
        "Device": device.device_id,
        "Location": device.location_id,
        "State": str(device.state),
        "Last report": f"{_span(device.age_s)} ago" if device.age_s is not None else "",
        "Cameras": _cameras(device),
        "Revision": f"{report.revision if report else 0} of {device.desired_revision}",
        "Spool batches": report.spool_items if report else None,
        "Oldest in spool": duration_text(report.reported_at - oldest) if report and oldest else "",
        "Dropped stills": report.dropped_stills if report else None,
        "Clock skew s": report.clock_skew_s if report else None,
        "Set aside": device.quarantined,
        "Last batch": _moment(received) if received else "",
        "Spool MB": round(report.spool_bytes / _MEGABYTE, 1) if report else None,
        "Agent": report.agent_version if report else "",
    }


def _span(seconds: float) -> str:
    return duration_text(timedelta(seconds=max(seconds, 0.0)))


def _cameras(device: DeviceStatus) -> str:
    counts = {health: device.cameras_that_are(health) for health in CameraHealth}
    return ", ".join(f"{count} {health}" for health, count in counts.items() if count) or "none"


def cameras_frame(status: FleetStatus) -> pd.DataFrame:
    """Return one row a camera of a device; frames are counted since the device's agent started."""
    return pd.DataFrame.from_records(
        [
            {
                "Camera": camera.camera_id,
                "Device": device.device_id,
                "State": str(camera.health),
                "Last frame": _moment(reported.last_frame_at) if reported and reported.last_frame_at else "",
                "Frames expected": reported.frames_expected if reported else None,
                "Captured": reported.frames_captured if reported else None,
                "Kept": reported.frames_kept if reported else None,
                "Dropped": reported.frames_dropped if reported else None,
                "Reconnects": reported.reconnects if reported else None,
                "Error": (reported.error if reported else None) or "",
            }
            for device in status.devices
            for camera in device.cameras
            for reported in (camera.reported,)
        ]
    )


def quarantine_frame(status: FleetStatus) -> pd.DataFrame:
    """Return one row a reason that something lies in quarantine for, the most frequent first."""
    rows = sorted(status.quarantined.items(), key=lambda each: (-each[1], each[0]))
    records = [{"Reason": reason, "Objects": count, "Meaning": REASONS.get(reason, "")} for reason, count in rows]
    return pd.DataFrame.from_records(records, columns=["Reason", "Objects", "Meaning"])


def runs_frame(recent: RecentRuns, address: str) -> pd.DataFrame:
    """Return one row a run, newest first; `address` is that of the Dagster UI."""
    return pd.DataFrame.from_records(
        [
            {
                "Job": run.job,
                "Partition": run.partition or "",
                "State": run.status,
                "Started": _moment(run.started_at) if run.started_at else "",
                "Seconds": run.seconds,
                "Dagster UI": f"{address}/runs/{run.run_id}",
            }
            for run in recent.runs
        ]
    )


def gaps_frame(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage gaps as people read them: one row a run of missing batches."""
    first, last = gaps["first_missing"].astype(str), gaps["last_missing"].astype(str)
    return pd.DataFrame(
        {
            "Day": gaps["business_day"].astype(str),
            "Location": gaps["location_id"],
            "Camera": gaps["camera_id"],
            "Device": gaps["device_id"],
            "From (UTC)": _moments(gaps["gap_starts_at"]),
            "To (UTC)": _moments(gaps["gap_ends_at"]),
            "Batches": gaps["missing_batches"],
            "Numbers": first.where(first == last, first + " to " + last),
        }
    )


def _moments(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    return moments.dt.strftime("%Y-%m-%d %H:%M").fillna("before the first")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
