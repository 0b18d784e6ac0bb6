"""`footfall simulate`: simulated stores whose true visitors are known."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from footfall_assets.contracts.errors import UserMistake

if TYPE_CHECKING:
    from edge_capture.batch import Still
    from edge_capture.filter import StillFilter, Verdict
    from edge_capture.source import Frame, Image
    from footfall_assets.contracts.settings import PlatformSettings
    from footfall_assets.simulation.simulation import CameraDay, SimulatedStill, Simulation

_BATCH_AGE_S: Final = 3600.0  # a quarter as many batches as a device in a store sends, so that a demo is quick
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def simulate(
    locations: Annotated[int, typer.Option(help="Stores.")] = 3,
    days: Annotated[int, typer.Option(help="Days.")] = 3,
    visitors: Annotated[int, typer.Option(help="Different people.")] = 60,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal stores.")] = 7,
    people: Annotated[
        Path | None, typer.Option(help="Folder DIR/<name>/*.jpg of labelled photographs; default drawn people.")
    ] = None,
    first_day: Annotated[
        datetime, typer.Option("--first-day", formats=["%Y-%m-%d"], help="First business day.")
    ] = _FIRST_DAY,
    truth: Annotated[Path | None, typer.Option(help="Default truth.parquet in the home.")] = None,
) -> None:
    """Simulate stores: batches go to the landing area, the truth about every still that is painted to a file.

    Cameras take stills from opening to closing, as real ones do. Most are of an empty store: they are not painted, the
    edge filter keeps none of them, and their batches say that a camera was awake and saw nobody.

    Beside the truth lie the files that the stores' other systems would export, and they are imported: opening hours, a
    staff plan, sales and door counts (docs/imports.md).

    Example: footfall simulate --locations 3 --days 3 --visitors 60 --seed 7
    """
    import pyarrow.parquet as pq

    from edge_capture.batch import BatchLimits
    from edge_capture.filter import load_filter
    from footfall_assets.capture.hand_over import Landed, LocalDevice
    from footfall_assets.cli.progress import progress_bar
    from footfall_assets.contracts.registry import FilterMode
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform
    from footfall_assets.simulation.drawn_calibration import count_as_drawn
    from footfall_assets.simulation.truth import truth_table
    from footfall_assets.storage import open_lake

    settings = load_settings()
    if settings.environment != "development":
        raise UserMistake("footfall simulate works in a development home only; set FOOTFALL_ENVIRONMENT=development")
    if first_day.date() > datetime.now(UTC).date():
        raise UserMistake(f"--first-day {first_day.date()} lies in the future")
    simulation = _simulation(locations, days, visitors, seed, people, first_day.date())
    still_filter = load_filter(
        FilterMode.FACE,
        cache=settings.model_cache,
        threads=settings.threads,
        face_detector=settings.detection.detector,
    )
    device = LocalDevice(Platform(settings))
    registry = device.register(_needs(simulation))
    if people is None:
        count_as_drawn(open_lake(settings))
    rows: list[dict[str, object]] = []
    total = Landed()
    with progress_bar() as bar:
        for camera_day in bar.track(list(simulation.camera_days()), description="camera days"):
            camera = registry.camera(camera_day.camera_id, camera_day.day)
            location = registry.location(camera_day.location_id, camera_day.day)
            if camera is None or location is None:
                raise UserMistake(f"camera {camera_day.camera_id} is not registered on {camera_day.day}")
            recorder = _Recorder(camera_day)
            landed = device.land(
                recorder.frames(),
                camera,
                location,
                _Sparing(still_filter, camera_day.background),
                limits=BatchLimits(age_s=_BATCH_AGE_S),
                observe=recorder.observe,
            )
            rows += recorder.rows
            total.frames += landed.frames
            total.kept += landed.kept
            total.batches += landed.batches
            total.size_bytes += landed.size_bytes
    target = truth or settings.home / "truth.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(truth_table(rows), target)
    _import_business_files(simulation, target.parent, settings)
    typer.echo(
        f"{visitors} people, {len(simulation.schedule.visits)} visits: {total.frames:,} stills, {total.kept:,} kept by "
        f"the edge filter, {total.batches} batches, {total.size_bytes / 1e6:.1f} MB landed; truth in {target}"
    )


def _import_business_files(simulation: "Simulation", folder: Path, settings: "PlatformSettings") -> None:
    """Write what the stores' other systems would export, and take it in as `footfall import` does."""
    from footfall_assets.imports.import_file import import_csv, parse_csv
    from footfall_assets.simulation.business_files import business_files
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.registry_store import read_registry

    lake, now = open_lake(settings), datetime.now(UTC)
    registry = read_registry(lake)
    for kind, text in business_files(simulation.schedule).items():
        path = folder / f"{kind}.csv"
        path.write_text(text)
        parsed = parse_csv(kind, path.name, text.encode(), registry=registry, now=now)
        import_csv(lake, kind, parsed, now=now, lock_folder=settings.home / "locks")


def _simulation(
    locations: int, days: int, visitors: int, seed: int, people: Path | None, first_day: date
) -> "Simulation":
    from footfall_assets.simulation.cast import procedural_cast
    from footfall_assets.simulation.photos import photo_cast
    from footfall_assets.simulation.plan import SimulationPlan
    from footfall_assets.simulation.simulation import simulate as plan_simulation

    plan = SimulationPlan(locations=locations, days=days, visitors=visitors, seed=seed, first_day=first_day)
    cast = photo_cast(people, visitors=visitors, seed=seed) if people else procedural_cast(visitors)
    return plan_simulation(plan, cast)


def _needs(simulation: "Simulation") -> list[Any]:
    from footfall_assets.capture.hand_over import CameraNeed

    first_day = simulation.schedule.plan.first_day
    return [
        CameraNeed(
            location_id=store.location_id,
            camera_id=camera.camera_id,
            first_day=first_day,
            location_name=store.name,
            camera_name=f"{store.name} {camera.name}",
            timezone=store.timezone,
            interval_s=camera.interval_s,
            zones=camera.zones,
            areas=camera.areas,
            plan_position=camera.plan_position,
        )
        for store in simulation.schedule.stores
        for camera in store.cameras
    ]


class _Recorder:
    """Feeds one camera's day to the capture code and writes down the truth about every still on its way."""

    def __init__(self, camera_day: "CameraDay") -> None:
        self._day = camera_day
        self._current: SimulatedStill | None = None
        self.rows: list[dict[str, object]] = []

    def frames(self) -> "Iterator[Frame]":
        """Yield the day's stills as frames."""
        from edge_capture.source import Frame

        for number, (moment, still) in enumerate(self._day.moments()):
            self._current = still
            yield Frame(still.image if still else self._day.background, moment, number)

    def observe(self, frame: "Frame", encoded: "Callable[[], Still]", kept: bool) -> None:
        """Write down who is in the still that was just captured, kept or not; of empty ones nothing is known."""
        del frame, kept
        if self._current is None:
            return
        from footfall_assets.simulation.simulation import truth_rows

        image: UUID = encoded().entry.image_id
        self.rows += truth_rows(image, self._day, self._current)


class _Sparing:
    """The edge filter, but for a picture that is known to show nobody: it is rejected without a look."""

    def __init__(self, still_filter: "StillFilter", empty: "Image") -> None:
        self.mode, self.model = still_filter.mode, still_filter.model
        self._filter, self._empty = still_filter, empty

    def keep(self, image: "Image") -> bool:
        """Return whether this BGR image may leave the store."""
        return image is not self._empty and self._filter.keep(image)

    def judge(self, image: "Image") -> "Verdict":
        """Return what the filter itself sees in it."""
        return self._filter.judge(image)
