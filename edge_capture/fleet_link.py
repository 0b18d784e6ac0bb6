"""Talking to the fleet: a newer configuration in, a signed report out. The lake may be away for days."""

from collections.abc import Callable
from threading import Event
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.clock import Clock
from edge_capture.configuration import ConfigurationRefused, ConfigurationState, ModelsUnavailable, write_report
from edge_capture.errors import EdgeError, SpoolError
from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.fleet import DesiredConfiguration, DeviceReport
from footfall_assets.storage.lake import LakeStore

_FIRST_REPORT_EVERY_S: Final = 60.0  # until a configuration says otherwise
log = structlog.get_logger("edge_capture.fleet")


class FleetLink:
    """Fetches and reports in a thread of its own; what it fetches is delivered once, with its models in the cache."""

    def __init__(
        self,
        configuration: ConfigurationState,
        lake: LakeStore,
        key: Ed25519PrivateKey,
        clock: Clock,
        *,
        provide_models: Callable[[DesiredConfiguration], object],
        deliver: Callable[[DesiredConfiguration], None],
        report: Callable[[], DeviceReport],
        poll_s: float,
        give_up_s: float,
    ) -> None:
        self._configuration = configuration
        self._lake = lake
        self._key = key
        self._clock = clock
        self._provide_models = provide_models
        self._deliver = deliver
        self._report = report
        self._poll_s = poll_s
        self._give_up_s = give_up_s
        self._delivered = 0
        self._models_since: tuple[int, float] | None = None  # revision that waits for models, and since when
        self._report_at_s = float("-inf")

    def run(self, stop: Event) -> None:
        """Fetch and report until `stop` is set; a last report follows."""
        while True:
            self.step()
            if self._clock.wait(min(self._poll_s, self._report_every_s()), stop):
                self._try_report()
                return

    def step(self) -> None:
        """Look for a newer configuration, and report where that is due; no failure gets out."""
        try:
            self._fetch()
        except (EdgeError, FootfallError, OSError) as error:
            log.warning("no newer configuration", error=str(error))
        except Exception:
            log.exception("fetching failed")
        if self._clock.monotonic() >= self._report_at_s:
            self._try_report()

    def _fetch(self) -> None:
        if self._configuration.is_on_trial or self._delivered > self._configuration.newest_revision:
            return  # one at a time, and only one thread changes what is kept
        desired = self._configuration.fetch(self._lake)
        if desired is None:
            return
        try:
            self._provide_models(desired)
        except ConfigurationRefused as error:
            self._configuration.refuse(desired.revision, str(error))
            log.error("configuration refused", revision=desired.revision, error=str(error))  # noqa: TRY400
            return
        except ModelsUnavailable as error:
            self._wait_for_models(desired, error)
            return
        self._delivered = desired.revision
        self._deliver(desired)

    def _wait_for_models(self, desired: DesiredConfiguration, error: ModelsUnavailable) -> None:
        now_s = self._clock.monotonic()
        if self._models_since is None or self._models_since[0] != desired.revision:
            self._models_since = (desired.revision, now_s)
        if now_s - self._models_since[1] >= self._give_up_s:
            self._configuration.refuse(desired.revision, str(error))
        log.warning("models missing", revision=desired.revision, error=str(error))

    def _report_every_s(self) -> float:
        in_force = self._configuration.in_force
        return in_force.report_every_s if in_force else _FIRST_REPORT_EVERY_S

    def _try_report(self) -> None:
        self._report_at_s = self._clock.monotonic() + self._report_every_s()
        try:
            write_report(self._lake, self._report(), self._key)
        except (FootfallError, SpoolError, OSError) as error:
            log.warning("report not delivered", error=str(error))
        except Exception:
            log.exception("reporting failed")
