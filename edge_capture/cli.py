"""`edge-capture`: run the agent, see how it is, check the machine before it is left alone, join the fleet."""

# ruff: noqa: FBT002 - typer options are plain booleans

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import structlog
import typer
from filelock import FileLock, Timeout

from edge_capture.agent import Agent, AgentParts
from edge_capture.cameras.opening import open_camera
from edge_capture.checks import check_machine
from edge_capture.clock import SteadyClock, SystemClock
from edge_capture.config import EdgeSettings, load_edge_settings
from edge_capture.configuration import ConfigurationState, provide_models
from edge_capture.device import load_or_create_key
from edge_capture.encryption import load_or_create_seal
from edge_capture.enrolment import enroll as join
from edge_capture.errors import AgentRunning, EdgeError, EdgeMistake, SpoolUnwritable
from edge_capture.filter import StillFilter, load_filter
from edge_capture.log import configure_logs
from edge_capture.metrics import serve_metrics
from edge_capture.spool import Spool, SpoolCaps
from edge_capture.status import read_status, write_status
from footfall_assets.contracts.errors import FootfallError, UserMistake
from footfall_assets.contracts.fleet import DesiredCamera, Limits
from footfall_assets.storage import open_lake_at
from footfall_assets.storage.lake import LakeStore
from models.errors import ModelError

EXIT_FAILURE: Final = 1
EXIT_MISTAKE: Final = 2  # the caller can mend it
_STALE_AFTER_S: Final = 30.0  # the agent writes its status every second
_REOPEN_S: Final = 10.0  # a disk that refuses at the start is asked again
log = structlog.get_logger("edge_capture")

app = typer.Typer(
    name="edge-capture",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Stills from cameras, filtered, batched, kept safe and forwarded to the lake.",
)


@app.command()
def run(
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="Believe this machine's clock, whatever is remembered.")
    ] = False,
) -> None:
    """Capture and forward until SIGTERM or SIGINT; then close, spool and exit with 0.

    Example: EDGE_CAPTURE_LAKE=s3://a-lake edge-capture run
    """
    settings = load_edge_settings()
    configure_logs(settings.log_level)
    stop = _stop_on_signals()
    with _only_agent(settings.state):
        spool = _open_spool(settings, stop)
        if spool is None:
            return
        agent = Agent(_parts(settings, spool, believe_clock=trust_clock))
        with _metrics(agent, settings.metrics_port):
            agent.run(stop)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    alive: Annotated[bool, typer.Option("--alive", help="Only whether the agent lives: for a health check.")] = False,
) -> None:
    """Show how the agent of this machine is; exit with 1 where somebody should look.

    Example: edge-capture status
    """
    settings = load_edge_settings()
    found = read_status(settings.status_path)
    now = datetime.now(UTC)
    if alive:
        written_s = (now - datetime.fromtimestamp(settings.status_path.stat().st_mtime, UTC)).total_seconds()
        raise typer.Exit(EXIT_FAILURE if written_s > _STALE_AFTER_S else 0)
    problems = found.problems(now, stale_after_s=_STALE_AFTER_S)
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        report = found.report
        typer.echo(f"{report.device_id}, revision {report.revision}, {report.reported_at:%Y-%m-%d %H:%M:%S} UTC")
        typer.echo(f"spool: {report.spool_items} batches, {report.spool_bytes} bytes, oldest {report.oldest_item_at}")
        typer.echo(f"uploaded: {report.uploaded_items} batches, {report.uploaded_bytes} bytes")
        for camera in report.cameras:
            state = "connected" if camera.connected else "away"
            typer.echo(
                f"camera {camera.camera_id}: {state}, {camera.frames_captured} of {camera.frames_expected} frames, "
                f"{camera.frames_kept} kept, last {camera.last_frame_at}"
            )
        for loss in found.losses:
            typer.echo(
                f"lost: {loss.camera_id} {loss.first_sequence} to {loss.last_sequence} ({loss.reason}), "
                f"{loss.stills} stills, {loss.first_at} to {loss.last_at}"
            )
    for problem in problems:
        typer.secho(problem, err=True, fg=typer.colors.YELLOW)
    if problems:
        raise typer.Exit(EXIT_FAILURE)


@app.command()
def check(
    cameras: Annotated[bool, typer.Option(help="Take one picture from every camera.")] = True,
) -> None:
    """Check state folder, keys, lake, configuration, models and cameras; exit with 1 where one of them fails.

    Example: edge-capture check --no-cameras
    """
    settings = load_edge_settings()
    failed = False
    for result in check_machine(settings, cameras=cameras):
        failed = failed or not result.passed
        colour = typer.colors.GREEN if result.passed else typer.colors.RED
        typer.secho(f"{'ok    ' if result.passed else 'FAILED'} {result.name}: {result.text}", fg=colour)
    if failed:
        raise typer.Exit(EXIT_FAILURE)


@app.command()
def enroll(
    token_file: Annotated[
        Path | None, typer.Argument(help="File with the one-time token; without it, it is asked for.")
    ] = None,
) -> None:
    """Join the fleet with the one-time token of `footfall fleet enroll`; the device makes its own key.

    Example: edge-capture enroll token.txt
    """
    settings = load_edge_settings()
    if token_file:
        try:
            text = token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise EdgeMistake(f"expected a file with a token at {token_file}: {error}") from error
    else:
        text = typer.prompt("Token", hide_input=True)
    key = load_or_create_key(settings.device_key_path)
    identity = join(text, key=key, lake=_lake(settings), state=settings.state)
    typer.echo(f"{identity.device_id}: asked to join; the platform answers with a configuration")


def _parts(settings: EdgeSettings, spool: Spool, *, believe_clock: bool) -> AgentParts:
    configuration = ConfigurationState(settings.state)
    clock = SteadyClock(SystemClock(), spool.known_clock(), believe=believe_clock)
    access = settings.camera_access()
    lake = _lake(settings)

    def filter_of(camera: DesiredCamera) -> StillFilter:
        return load_filter(
            camera.filter,
            cache=settings.model_cache,
            threads=settings.threads,
            face_detector=settings.face_detector,
            person_detector=settings.person_detector,
            zones=camera.zones,
        )

    return AgentParts(
        configuration=configuration,
        device_id=configuration.identity.device_id,
        key=load_or_create_key(settings.device_key_path),
        spool=spool,
        lake=lake,
        clock=clock,
        open_source=lambda camera: open_camera(camera, clock=clock, access=access, max_side_px=settings.max_side_px),
        load_filter=filter_of,
        provide_models=lambda desired: provide_models(
            desired, cache=settings.model_cache, lake=lake, mirror=settings.model_mirror
        ),
        trial_s=settings.trial_s,
        poll_s=settings.poll_s,
        on_status=lambda found: write_status(settings.status_path, found),
    )


def _lake(settings: EdgeSettings) -> LakeStore:
    # The uploader has a backoff of its own; retries below it would hide how often the lake is asked.
    return open_lake_at(settings.require_lake(), cache=settings.state / "lake_cache", attempts=1)


def _open_spool(settings: EdgeSettings, stop: Event) -> Spool | None:
    """Return the spool as soon as the disk lets it open, or None where the agent was stopped before."""
    seal = load_or_create_seal(settings.spool_key) if settings.spool_key else None
    limits = Limits()  # until the configuration says otherwise
    caps = SpoolCaps(limits.spool_bytes, limits.spool_items, limits.when_full)
    while True:
        try:
            return Spool(settings.spool_folder, caps, seal)
        except SpoolUnwritable as error:
            log.error("spool cannot be opened", error=str(error), retry_in_s=_REOPEN_S)  # noqa: TRY400
        if stop.wait(_REOPEN_S):
            return None


@contextmanager
def _only_agent(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(state / "agent.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise AgentRunning(f"{state}: another agent works here; stop it, or set EDGE_CAPTURE_STATE") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _metrics(agent: Agent, port: int) -> Iterator[None]:
    if port == 0:
        yield
        return
    try:
        stop = serve_metrics(agent.status, port)
    except OSError as error:
        raise EdgeMistake(f"port {port} for metrics: {error}; set EDGE_CAPTURE_METRICS_PORT") from error
    try:
        yield
    finally:
        stop()


def _stop_on_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except (UserMistake, ModelError, EdgeError) as mistake:
        _complain(mistake)
        sys.exit(EXIT_MISTAKE)
    except FootfallError as failure:
        _complain(failure)
        sys.exit(EXIT_FAILURE)


def _complain(error: Exception) -> None:
    typer.secho(f"edge-capture: {error}", err=True, fg=typer.colors.RED)
