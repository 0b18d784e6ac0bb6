"""What a camera costs a store's machine and its uplink: CPU, memory, disk, megabytes uploaded.

Runs the agent's own code on one thread per camera. Stills are 1280x720, one a second and camera, of the arcade clip
where it lies beside the project and of drawn scenes elsewhere:

    python benchmarks/edge.py
    python benchmarks/edge.py --cameras 4 --seconds 60 --json edge.json
"""

import argparse
import json
import multiprocessing
import os
import shutil
import socketserver
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.addresses import AllowedAddresses
from edge_capture.batch import BatchLimits, CameraProfile, capture_batches, encode_still
from edge_capture.cameras.ffmpeg import open_capture
from edge_capture.cameras.opening import CameraAccess, open_camera
from edge_capture.cameras.recorded import VideoFileSource
from edge_capture.cameras.synthetic import SyntheticScenes
from edge_capture.clock import SystemClock
from edge_capture.filter import FaceFilter, FilterModels, StillFilter, load_filter
from edge_capture.masks import only_near, shrunk
from edge_capture.source import Frame, Image
from footfall_assets.contracts.fleet import DesiredCamera, SourceKind
from footfall_assets.contracts.registry import FilterMode
from models.catalog import load_face_detector
from models.errors import ModelError
from models.manifest import load_manifest
from models.pull import pull

CLIP = Path(__file__).resolve().parents[2] / "shared" / "data" / "clips" / "arcade_entrance.mp4"
START = datetime(2024, 1, 1, 9, tzinfo=UTC)
HOUR_S = 3600
VIDEO_BITS_PER_S = 1_000_000  # what the upload is compared with
VIDEO_MB_PER_HOUR = VIDEO_BITS_PER_S / 8 * HOUR_S / 1e6
STREAM_FPS = 10  # of the MJPEG camera
VIDEO_FPS = 25  # of the H.264 camera
STREAM_QUALITY = 75  # percent, as MJPEG cameras are usually set
SPOOL_HOURS = 72
DEFAULT_INTERVAL_S = 5  # of a DesiredCamera
OFFLINE_MODEL = "centerface"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass(frozen=True)
class Stage:
    """CPU milliseconds per still, one thread."""

    detector: str
    decode_jpeg_ms: float
    filter_ms: float
    encode_ms: float
    decode_video_ms: float | None  # one frame of H.264, 1280x720


@dataclass(frozen=True)
class Fleet:
    """What so many cameras took while they ran."""

    detector: str
    cameras: int
    seconds: float
    cpu_share_per_camera: float  # of one core
    memory_mb_per_camera: float
    memory_mb_without: float
    expected: int
    captured: int


@dataclass(frozen=True)
class Upload:
    """Bytes that batches of the clip hold, at one still a second."""

    setting: str
    still_kb: float
    kept_share: float
    bytes_per_pass: float  # one run of the clip through the door
    worst_mb_per_hour: float  # the clip again and again: every still is kept
    idle_mb_per_hour: float  # nobody comes: empty batches only
    faces_found_again: str

    @property
    def passes_at_a_tenth(self) -> float:
        """Runs of the clip an hour at which the upload is a tenth of the video's."""
        return (VIDEO_MB_PER_HOUR / 10 - self.idle_mb_per_hour) * 1e6 / self.bytes_per_pass


def scenes(clip: Path | None, count: int, *, side: int = 1280) -> list[Image]:
    """Return stills with people in them."""
    if clip is None:
        drawn = SyntheticScenes(7)
        return [drawn.draw(number) for number in range(2, 2 + count)]
    with VideoFileSource(clip, start=START, every_s=0.2) as source:
        return [shrunk(frame.image, side) for frame, _ in zip(source, range(count), strict=False)]


def cpu_ms(work: Callable[[Image], object], images: list[Image]) -> float:
    """Return the median CPU milliseconds of `work` over the images, after one to warm up."""
    work(images[0])
    taken = []
    for image in images:
        started = time.process_time()
        work(image)
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken)


def measure_stages(still_filter: StillFilter, images: list[Image], video: Path | None, quality: int) -> Stage:
    """Return what each step costs."""
    jpegs = {id(image): cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, STREAM_QUALITY])[1] for image in images}
    return Stage(
        detector=still_filter.model or "none",
        decode_jpeg_ms=cpu_ms(lambda image: cv2.imdecode(jpegs[id(image)], cv2.IMREAD_COLOR), images),
        filter_ms=cpu_ms(still_filter.judge, images),
        encode_ms=cpu_ms(lambda image: encode_still(Frame(image, START, 0), "door", jpeg_quality=quality), images),
        decode_video_ms=video_decode_ms(video) if video else None,
    )


def as_camera_video(clip: Path, folder: Path) -> Path | None:
    """Return the clip as a camera would send it, 1280x720 at 2 Mbit/s in H.264, or None without the ffmpeg command."""
    command = shutil.which("ffmpeg")
    if command is None:
        return None
    made = folder / "camera.mp4"
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "2M", "-bf", "0", "-g", str(2 * VIDEO_FPS)]
    subprocess.run(
        [command, "-loglevel", "error", "-stream_loop", "2", "-i", clip, "-vf", "scale=1280:720", *codec, "-an", made],
        check=True,
    )
    return made


def video_decode_ms(clip: Path) -> float:
    """Return the CPU milliseconds that one frame of a video takes to decode, without conversion to BGR."""
    capture, frames = open_capture(str(clip)), 0
    started = time.process_time()
    while capture.grab():
        frames += 1
    return (time.process_time() - started) * 1000 / max(frames, 1)


class _Stream(BaseHTTPRequestHandler):
    parts: list[bytes] = []  # noqa: RUF012 - set once, before the server starts

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send the stills, over and over."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        try:
            while True:
                self.wfile.write(self.parts[number % len(self.parts)])
                number += 1
                time.sleep(1 / STREAM_FPS)
        except OSError:
            return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64


def serve(parts: list[bytes], port: "multiprocessing.queues.Queue[int]") -> None:
    """Be the cameras, in a process of their own, so that their work is not counted."""
    _Stream.parts = parts
    with _Server(("127.0.0.1", 0), _Stream) as server:
        port.put(server.server_address[1])
        server.serve_forever()


def memory_mb() -> float:
    """Return this process' resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_fleet(models: FilterModels, images: list[Image], *, cameras: int, seconds: float, quality: int) -> Fleet:
    """Run so many HTTP cameras at one still a second, each in its own thread, and return what they took."""
    parts = []
    for image in images:
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, STREAM_QUALITY])[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        parts.append(head + data + b"\r\n")
    context = multiprocessing.get_context("spawn")
    port: multiprocessing.queues.Queue[int] = context.Queue()
    server = context.Process(target=serve, args=(parts, port), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{port.get(timeout=60)}/door"
    access = CameraAccess(allowed=AllowedAddresses((ip_network("127.0.0.0/8"),)))
    ready, stop = threading.Barrier(cameras + 1), threading.Event()
    counts: list[tuple[int, int]] = []
    names: list[str] = []

    def capture(number: int) -> None:
        still_filter = models.filter_for(FilterMode.FACE)
        names.append(still_filter.model or "none")
        camera = DesiredCamera(camera_id=f"door-{number}", kind=SourceKind.NETWORK, address=address, interval_s=1.0)
        with open_camera(camera, clock=SystemClock(), access=access) as source:
            ticks = source.ticks()
            while source.status.frames_captured == 0:
                tick = next(ticks)
                if tick.frame:
                    still_filter.judge(tick.frame.image)
            ready.wait()
            next(ticks)  # counts what passed while the others got ready
            before = source.status
            for tick in ticks:
                if stop.is_set():
                    break
                if tick.frame and still_filter.judge(tick.frame.image).keep:
                    encode_still(tick.frame, camera.camera_id, jpeg_quality=quality)
            after = source.status
        counts.append((after.frames_expected - before.frames_expected, after.frames_captured - before.frames_captured))

    without = memory_mb()
    threads = [threading.Thread(target=capture, args=(number,)) for number in range(cameras)]
    for thread in threads:
        thread.start()
    ready.wait()
    began, cpu = time.monotonic(), time.process_time()
    time.sleep(seconds)
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    used = memory_mb() - without
    stop.set()
    for thread in threads:
        thread.join()
    server.terminate()
    return Fleet(
        detector=names[0],
        cameras=cameras,
        seconds=took,
        cpu_share_per_camera=cpu / took / cameras,
        memory_mb_per_camera=used / cameras,
        memory_mb_without=without,
        expected=sum(each[0] for each in counts),
        captured=sum(each[1] for each in counts),
    )


def clip_frames(pictures: list[Image], *, side: int | None, passes: int) -> Iterator[Frame]:
    """Yield the stills of the clip run again and again, one a second; each run starts 0.2 s later in it."""
    per_pass = len(pictures) // VIDEO_FPS
    for number in range(per_pass * passes):
        run, still = divmod(number, per_pass)
        image = shrunk(pictures[(still * VIDEO_FPS + run * VIDEO_FPS // passes) % len(pictures)], side)
        yield Frame(image, START + timedelta(seconds=number), number)


def measure_upload(
    pictures: list[Image],
    still_filter: FaceFilter,
    *,
    side: int | None,
    quality: int,
    only_people: bool,
    passes: int = 5,
) -> Upload:
    """Return what a door like the clip's uploads."""
    profile = CameraProfile(
        device_id="bench",
        location_id="bench",
        camera_id="bench-door",
        timezone="UTC",
        interval_s=1.0,
        boot_id=UUID(int=1),
    )
    limits = BatchLimits(jpeg_quality=quality)
    frames = list(clip_frames(pictures, side=side, passes=passes))
    again, known = 0, 0
    if only_people:
        found = [still_filter.judge(frame.image).boxes for frame in frames]
        frames = [
            replace(frame, image=only_near(frame.image, boxes)) for frame, boxes in zip(frames, found, strict=True)
        ]
        for frame, boxes in zip(frames, found, strict=True):
            data = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            again += matched(boxes, still_filter.judge(decoded).boxes)
            known += len(boxes)
    batches = list(capture_batches(frames, profile, still_filter, KEY, limits=limits))
    total = sum(len(batch.data) for batch in batches)
    kept = sum(batch.manifest.frames_kept for batch in batches)
    stills = sum(entry.size_bytes for batch in batches for entry in batch.manifest.images)
    empty = [Frame(np.zeros((48, 64, 3), np.uint8), START + timedelta(seconds=n), n) for n in range(int(limits.age_s))]
    idle = sum(len(batch.data) for batch in capture_batches(empty, profile, still_filter, KEY, limits=limits))
    name = f"{frames[0].image.shape[1]}x{frames[0].image.shape[0]}, quality {quality}"
    return Upload(
        setting=name + (", people only" if only_people else ""),
        still_kb=stills / max(kept, 1) / 1000,
        kept_share=kept / len(frames),
        bytes_per_pass=total / passes,
        worst_mb_per_hour=total / len(frames) * HOUR_S / 1e6,
        idle_mb_per_hour=idle * HOUR_S / limits.age_s / 1e6,
        faces_found_again=f"{again} of {known}" if only_people else "",
    )


def matched(boxes: Image, others: Image) -> int:
    """Return how many boxes have another with an intersection over union of at least a half."""
    count = 0
    for x1, y1, x2, y2 in boxes.tolist():
        for u1, v1, u2, v2 in others.tolist():
            inner = max(0, min(x2, u2) - max(x1, u1)) * max(0, min(y2, v2) - max(y1, v1))
            if inner >= ((x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - inner) / 2:
                count += 1
                break
    return count


def available_detectors(cache: Path, mirror: str | None) -> list[str]:
    """Return the face detectors that are in the cache, or come from the mirror."""
    names = []
    for name in ("centerface", "yunet"):
        try:
            if mirror:
                pull(next(each for each in load_manifest().models if each.name == name), cache=cache, mirror=mirror)
            load_face_detector(name, cache=cache)
            names.append(name)
        except (ModelError, OSError) as error:
            print(f"without {name}: {error}")
    return names


def print_stage(stage: Stage) -> None:
    """Print one detector's costs."""
    for source, decode in (
        (f"JPEG camera, {STREAM_FPS} pictures/s sent", stage.decode_jpeg_ms),
        (
            f"H.264 camera, {VIDEO_FPS} frames/s sent and decoded",
            VIDEO_FPS * (stage.decode_video_ms or 0),
        ),
    ):
        if not decode:
            continue
        total = decode + stage.filter_ms + stage.encode_ms
        print(
            f"  {stage.detector:<11} {source}: {total:.0f} ms CPU a still (decode {decode / total:.0%}, filter "
            f"{stage.filter_ms / total:.0%}, encode {stage.encode_ms / total:.0%}): {1000 / total:.1f} cameras/core"
        )


def print_fleet(fleet: Fleet) -> None:
    """Print what running cameras took."""
    print(
        f"  {fleet.detector:<11} {fleet.cameras} cameras for {fleet.seconds:.0f} s: {fleet.cpu_share_per_camera:.1%} "
        f"of a core each = {1 / fleet.cpu_share_per_camera:.1f} cameras/core; {fleet.memory_mb_per_camera:.0f} MB each "
        f"above {fleet.memory_mb_without:.0f} MB; {fleet.captured} of {fleet.expected} stills taken"
    )


def print_upload(upload: Upload) -> None:
    """Print one setting's upload."""
    less = VIDEO_MB_PER_HOUR / upload.worst_mb_per_hour
    print(
        f"  {upload.setting:<38} {upload.still_kb:6.1f} kB {upload.worst_mb_per_hour:7.0f} MB/h {less:5.1f}x "
        f"{less * DEFAULT_INTERVAL_S:5.1f}x {upload.passes_at_a_tenth:7.0f} "
        f"{upload.worst_mb_per_hour * SPOOL_HOURS / 1000:6.1f} GB  {upload.faces_found_again}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=CLIP, help="a busy doorway, 25 frames/s")
    parser.add_argument("--stills", type=int, default=20, help="over which a stage is measured")
    parser.add_argument("--cameras", type=int, default=4, help="that run at the same time")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which they run")
    parser.add_argument("--quality", type=int, default=90, help="of the JPEGs, percent")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/footfall/models").expanduser())
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    mirror = os.environ.get("FOOTFALL_MODEL_MIRROR")
    clip = options.clip if options.clip.is_file() else None
    figures: dict[str, list[dict[str, object]]] = {"stages": [], "fleets": [], "uploads": []}
    with tempfile.TemporaryDirectory() as own:
        cache = Path(own) if mirror and not options.cache.is_dir() else options.cache
        detectors = available_detectors(cache, mirror)
        print(f"machine: {os.cpu_count()} cores; stills 1280x720 of {clip.name if clip else 'drawn scenes'}")
        images = scenes(clip, options.stills)
        video = as_camera_video(clip, Path(own)) if clip else None
        if video is None:
            print("without an H.264 camera: it needs the clip and the ffmpeg command")
        print("one still, step by step:")
        for name in detectors:
            chosen = load_filter(FilterMode.FACE, cache=cache, threads=1, face_detector=name)
            stage = measure_stages(chosen, images, video, options.quality)
            figures["stages"].append(asdict(stage))
            print_stage(stage)
        print(f"running: MJPEG over HTTP, {STREAM_FPS} pictures/s in, 1 still/s out")
        for name in detectors:
            fleet = run_fleet(
                FilterModels(cache=cache, threads=1, face_detector=name),
                images,
                cameras=options.cameras,
                seconds=options.seconds,
                quality=options.quality,
            )
            figures["fleets"].append(asdict(fleet))
            print_fleet(fleet)
        if clip is None or OFFLINE_MODEL not in detectors:
            print(f"upload: skipped, it needs {OFFLINE_MODEL} and the clip ({options.clip})")
        else:
            against = f"{VIDEO_BITS_PER_S / 1e6:g} Mbit/s video ({VIDEO_MB_PER_HOUR:.0f} MB/h)"
            print(
                f"upload against {against}, with somebody in the door all the time (the clip over and over), 1 still/s"
            )
            print(
                f"  {'':<38} {'a still':>9} {'an hour':>12} {'less':>6} {'at 5 s':>6} {'runs*':>7} {'72 h':>9}  again**"
            )
            with VideoFileSource(clip, start=START, every_s=1 / VIDEO_FPS) as source:
                pictures = [frame.image for frame in source]
            watching = FaceFilter(load_face_detector(OFFLINE_MODEL, cache=cache))
            for side, quality, only_people in (
                (None, 90, False),
                (1280, 90, False),
                (1280, 80, False),
                (960, 80, False),
                (None, 90, True),
                (None, 80, True),
                (1280, 90, True),
                (1280, 80, True),
                (960, 80, True),
                (960, 70, True),
            ):
                upload = measure_upload(pictures, watching, side=side, quality=quality, only_people=only_people)
                figures["uploads"].append(asdict(upload) | {"passes_at_a_tenth": upload.passes_at_a_tenth})
                print_upload(upload)
            print("  * of the clip an hour, at 1 still/s, with an empty door in between, that are a tenth of the video")
            print("  ** faces found at the edge that are found in the uploaded still as well")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
