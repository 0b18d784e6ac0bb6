"""The three interfaces as child processes that start and stop together."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Final

from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.operations.dagster_home import prepare_dagster_home
from footfall_assets.warehouse.build import BUILD_FILE
from footfall_assets.warehouse.project import default_project_dir, docs_site, ensure_manifest

_ROOT: Final = Path(__file__).resolve().parents[2]
_LOOPBACK: Final = "127.0.0.1"
_POLL_S: Final = 0.5
_GRACE_S: Final = 15


@dataclass(frozen=True)
class Interface:
    """A process that serves people in a browser."""

    name: str
    port: int
    command: tuple[str, ...]


def chosen_interfaces(settings: PlatformSettings, *, dagster: bool, app: bool, docs: bool) -> list[Interface]:
    """Return the chosen interfaces; all listen on this machine only."""
    python = sys.executable
    found: list[Interface] = []
    if dagster:
        port = settings.dagster_port
        workspace = str(_ROOT / "workspace.yaml")
        web = ("-w", workspace, "-h", _LOOPBACK, "-p", str(port))
        found.append(Interface("Dagster UI", port, (python, "-m", "dagster", "dev", *web)))
    if app:
        port = settings.app_port
        options = ("--server.port", str(port), "--server.address", _LOOPBACK, "--server.headless", "true")
        found.append(Interface("Report explorer", port, (python, "-m", "streamlit_app", *options)))
    if docs:
        port = settings.docs_port
        folder = str(settings.dbt_target / "docs")
        site = ("-m", "http.server", str(port), "--bind", _LOOPBACK, "--directory", folder)
        found.append(Interface("dbt docs", port, (python, *site)))
    return found


def serve(settings: PlatformSettings, interfaces: Sequence[Interface]) -> int:
    """Run the interfaces until one ends or the user interrupts; return the exit code.

    Each child gets SIGINT: after SIGTERM `dagster dev` leaves children behind that block the next start.
    """
    prepare_dagster_home(settings)
    ensure_manifest(default_project_dir(), settings.dbt_target)
    if any(interface.name == "dbt docs" for interface in interfaces):
        page = docs_site(default_project_dir(), settings.dbt_target, build_path=settings.warehouse_dir / BUILD_FILE)
        (page.parent / "index.html").write_bytes(page.read_bytes())
    # A service manager's SIGTERM ends us like Ctrl-C does, also where a shell started us with SIGINT ignored; children
    # inherit an ignored signal, but not a handler.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    children = [
        subprocess.Popen(interface.command, cwd=_ROOT, start_new_session=True)  # noqa: S603 - our own commands
        for interface in interfaces
    ]
    try:
        while all(child.poll() is None for child in children):
            sleep(_POLL_S)
        return next(child.returncode for child in children if child.poll() is not None)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(children)


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    for child in children:
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
