"""`footfall ingest`: recorded footage, taken through the same code as a camera."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from footfall_assets.contracts.errors import RegistryError, UserMistake
from footfall_assets.contracts.ids import parse_slug
from footfall_assets.contracts.registry import FilterMode, Registry

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # what a batch may say at the earliest


def ingest(
    source: Annotated[Path, typer.Argument(help="A video, a GIF or a folder of stills.")],
    location: Annotated[str, typer.Option(help="Location the camera hangs in.")],
    camera: Annotated[str, typer.Option(help="Camera the footage comes from.")],
    start: Annotated[str, typer.Option(help="Time of the first frame, ISO 8601; without a zone it is local.")],
    every: Annotated[float | None, typer.Option(help="Seconds between stills; default the camera's.")] = None,
    still_filter: Annotated[
        FilterMode | None, typer.Option("--filter", help="What a still must show; default the camera's.")
    ] = None,
) -> None:
    """Land the stills of a video, GIF or folder as edge batches; `footfall run` then processes them.

    Example: footfall ingest door.mp4 --location store-101 --camera store-101-door --start 2024-01-05T10:00
    """
    _silence_opencv()
    from edge_capture.cameras.recorded import open_source
    from edge_capture.filter import load_filter
    from footfall_assets.capture.hand_over import CameraNeed, LocalDevice
    from footfall_assets.cli.progress import progress_bar
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform

    if every is not None and not 0.01 <= every <= 3600:  # noqa: PLR2004 - seconds, as the message says
        raise UserMistake(f"expected --every between 0.01 and 3600 seconds, got {every:g}")
    settings = load_settings()
    platform = Platform(settings)
    moment = _start(start, parse_slug(location), platform.registry)
    zone = _timezone(platform.registry, location)
    need = CameraNeed(
        location_id=location,
        camera_id=parse_slug(camera),
        first_day=moment.astimezone(zone).date(),
        interval_s=every or 5.0,
        filter=still_filter or FilterMode.FACE,
    )
    device = LocalDevice(platform)
    # Nothing is registered before footage and filter are there: a mistyped command leaves no location behind.
    registry = device.admitted(platform.registry, [need])
    known_camera, known_location = registry.camera(camera, need.first_day), registry.location(location, need.first_day)
    if known_camera is None or known_location is None:
        raise RegistryError(f"camera {camera!r} is not registered on {need.first_day}; run footfall fleet add-camera")
    chosen = load_filter(
        still_filter or known_camera.filter,
        cache=settings.model_cache,
        threads=settings.threads,
        face_detector=settings.detection.detector,
    )
    seconds = every or known_camera.interval_s
    with open_source(source, start=moment, every_s=seconds) as frames, progress_bar() as bar:
        device.register([need])
        landed = device.land(
            bar.track(frames, total=None, description=f"{source.name}: stills"),
            known_camera.model_copy(update={"interval_s": seconds}),
            known_location,
            chosen,
        )
    unreadable = getattr(frames, "unreadable", [])
    typer.echo(
        f"{landed.frames} stills captured, {landed.kept} kept by filter {chosen.mode}, "
        f"{landed.batches} batches, {landed.size_bytes / 1e6:.1f} MB landed"
        + (f", {len(unreadable)} unreadable: {', '.join(unreadable[:5])}" if unreadable else "")
    )
    typer.echo("next: footfall run", err=True)


def _timezone(registry: Registry, location_id: str) -> ZoneInfo:
    versions = [each for each in registry.locations if each.location_id == location_id]
    return ZoneInfo(versions[0].timezone if versions else "UTC")


def _start(text: str, location_id: str, registry: Registry) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_timezone(registry, location_id))
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UserMistake(f"expected --start as ISO 8601, such as 2024-01-05T10:00, got {text!r}") from error
    if moment > datetime.now(UTC):
        raise UserMistake(f"--start {text} lies in the future; stills have to be taken before they are ingested")
    if moment < _EARLIEST:
        raise UserMistake(f"--start {text} lies before {_EARLIEST.year}; check its year")
    return moment


def _silence_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to standard error themselves; both read this when they are loaded."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
