"""Prometheus metrics on this machine's loopback, read from the agent's status when they are asked for."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_capture.status import AgentStatus
from footfall_assets.contracts.fleet import CameraState, DeviceReport

LOOPBACK: Final = "127.0.0.1"
_OF_CAMERAS: Final = ("expected", "captured", "kept", "dropped")


class AgentCollector(Collector):
    """Turns a status into metrics."""

    def __init__(self, status: Callable[[], AgentStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the present status."""
        status = self._status()
        yield from _of_spool(status.report)
        yield from _of_cameras(status.report.cameras)
        gauges = {
            "edge_lake_connected": ("1 while batches get through.", status.connected),
            "edge_lake_refused": ("1 where the lake refuses this device.", status.refused is not None),
            "edge_clock_fault": ("1 while the clock is in doubt.", status.clock_fault is not None),
            "edge_spool_unwritable": ("1 while the disk takes nothing.", status.spool_error is not None),
            "edge_configuration_revision": ("Revision in force.", status.report.revision),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(name, text, float(value))
        if status.report.clock_skew_s is not None:
            yield GaugeMetricFamily("edge_clock_skew_seconds", "Device minus lake.", status.report.clock_skew_s)


def _of_spool(report: DeviceReport) -> Iterator[Metric]:
    yield GaugeMetricFamily("edge_spool_items", "Batches waiting.", report.spool_items)
    yield GaugeMetricFamily("edge_spool_bytes", "Bytes waiting.", report.spool_bytes)
    oldest_s = (report.reported_at - report.oldest_item_at).total_seconds() if report.oldest_item_at else 0.0
    yield GaugeMetricFamily("edge_spool_oldest_age_seconds", "Age of the oldest batch waiting.", max(oldest_s, 0.0))
    counters = {
        "edge_uploaded_items": ("Batches that arrived.", report.uploaded_items),
        "edge_uploaded_bytes": ("Bytes that arrived.", report.uploaded_bytes),
        "edge_upload_failures": ("Attempts that failed, since the start.", report.upload_failures),
        "edge_dropped_items": ("Batches given up for the cap.", report.dropped_items),
        "edge_dropped_stills": ("Stills given up for the cap.", report.dropped_stills),
        "edge_quarantined_items": ("Damaged batches set aside.", report.quarantined_items),
    }
    for name, (text, value) in counters.items():
        yield CounterMetricFamily(name, text, value)


def _of_cameras(cameras: tuple[CameraState, ...]) -> Iterator[Metric]:
    connected = GaugeMetricFamily("edge_camera_connected", "1 while the camera gives pictures.", labels=["camera"])
    last = GaugeMetricFamily("edge_camera_last_frame_seconds", "Unix time of the last frame.", labels=["camera"])
    frames = CounterMetricFamily("edge_camera_frames", "Frames, since the start.", labels=["camera", "what"])
    for camera in cameras:
        connected.add_metric([camera.camera_id], float(camera.connected))
        if camera.last_frame_at:
            last.add_metric([camera.camera_id], camera.last_frame_at.timestamp())
        for what in _OF_CAMERAS:
            frames.add_metric([camera.camera_id, what], getattr(camera, f"frames_{what}"))
    yield from (connected, last, frames)


def serve_metrics(status: Callable[[], AgentStatus], port: int) -> Callable[[], None]:
    """Serve metrics on 127.0.0.1 at `port`; return what ends it.

    Raises:
        OSError: the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(AgentCollector(status))
    server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
