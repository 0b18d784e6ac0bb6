"""Images and faces a second from the lake to stored vectors, and the share of that time inside ONNX Runtime.

Runs the pipeline's own code (`refresh_faces`, `refresh_face_embeddings`) on simulated stills, or on a recorded clip:

    python benchmarks/vision.py
    python benchmarks/vision.py --clip entrance.mp4 --every 0.2 --threads 1
"""

import argparse
import cProfile
import platform as machine
import pstats
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter

from edge_capture.cameras.recorded import VideoFileSource
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.hand_over import CameraNeed, LocalDevice
from footfall_assets.capture.intake import take_in
from footfall_assets.capture.refresh import refresh_images
from footfall_assets.contracts.settings import load_settings
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import simulate
from footfall_assets.vision.refresh import refresh_face_embeddings, refresh_faces

DAY = date(2024, 1, 1)
START = datetime(2024, 1, 1, 9, tzinfo=UTC)


def simulated_frames(count: int) -> Iterator[Frame]:
    """Yield `count` simulated stills of 640x480."""
    plan = SimulationPlan(locations=1, days=1, visitors=60)
    days = simulate(plan, procedural_cast(60)).camera_days()
    stills = (still for day in days for still in day.stills() if still.truth)
    for number, still in enumerate(islice(stills, count)):
        yield Frame(still.image, START.replace(minute=number // 60, second=number % 60), number)


def land(platform: Platform, frames: Iterator[Frame]) -> Place:
    """Put the frames into the lake as accepted batches and return where they lie."""
    device = LocalDevice(platform)
    registry = device.register([CameraNeed("bench", "bench-door", DAY, interval_s=1.0)])
    camera, location = registry.camera("bench-door", DAY), registry.location("bench", DAY)
    assert camera is not None  # noqa: S101 - registered above
    assert location is not None  # noqa: S101
    device.land(frames, camera, location, KeepAll())
    take_in(platform.lake, platform.registry, platform.settings.intake, now=datetime.now(UTC))
    return Place(DAY, "bench")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300, help="simulated stills")
    parser.add_argument("--clip", type=Path, help="a video to take stills from instead")
    parser.add_argument("--every", type=float, default=0.2, help="seconds between its stills")
    parser.add_argument("--threads", type=int, default=1, help="threads inside ONNX Runtime")
    parser.add_argument("--profile", action="store_true", help="also name where the rest goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        platform = Platform(load_settings(home=Path(home), threads=options.threads))
        if options.clip:
            with VideoFileSource(options.clip, start=START, every_s=options.every) as clip:
                place = land(platform, iter(clip))
        else:
            place = land(platform, simulated_frames(options.images))
        images = refresh_images(platform, place).rows
        detector, embedder = platform.detector, platform.embedder  # loaded before the clock starts
        profiler = cProfile.Profile()
        if options.profile:
            profiler.enable()
        started = perf_counter()
        faces = refresh_faces(platform, place).rows
        found = perf_counter()
        refresh_face_embeddings(platform, place)
        ended = perf_counter()
        profiler.disable()
    total, inside = ended - started, detector.seconds_in_model + embedder.seconds_in_model
    print(f"machine          {machine.processor() or machine.machine()}, ONNX Runtime threads {options.threads}")
    print(f"images           {images}, faces {faces}")
    print(f"images/s         {images / (found - started):.1f}  (decode, detect, align, quality, store)")
    print(f"faces/s          {faces / (ended - found):.1f}  (embed with mirror image, store)")
    print(
        f"inside models    {inside / total:.1%}  of {total:.1f} s (detector {detector.seconds_in_model:.1f} s, "
        f"embedder {embedder.seconds_in_model:.1f} s)"
    )
    if options.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
