"""The edge filter: which stills may leave the store. What it rejects never touches the disk and leaves only a count.

Zones label, they do not reject: a still is kept for whom it shows, wherever in it they are, and its verdict names the
zones they are in. To have nobody seen in some part of a picture, mask that part.
"""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_capture.source import Image
from edge_capture.zones import Anchor, Boxes, zones_of
from footfall_assets.contracts.fleet import Zone
from footfall_assets.contracts.registry import FilterMode
from models.catalog import load_face_detector, load_person_detector
from models.detector import Detections, FaceDetector, Faces, PersonDetector
from models.manifest import ModelSpec

Found = TypeVar("Found", bound=Faces | Detections)
Found_co = TypeVar("Found_co", bound=Faces | Detections, covariant=True)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a filter says of one still: `boxes` (n, 4) float32, xyxy in pixels, best first; `zones` they lie in."""

    keep: bool
    zones: tuple[str, ...]
    boxes: Boxes


class StillFilter(Protocol):
    """Decides on one still at a time; not for use by several threads at once."""

    mode: FilterMode
    model: str | None

    def keep(self, image: NDArray[np.uint8]) -> bool:
        """Return whether this BGR image may leave the store."""

    def judge(self, image: NDArray[np.uint8]) -> Verdict:
        """Return the same with what was found, and where."""


class KeepAll:
    """Mode `none`: every still is kept. Nothing is looked for, so no zone is ever named."""

    mode = FilterMode.NONE
    model: str | None = None

    def keep(self, image: Image) -> bool:
        """Return True."""
        return self.judge(image).keep

    def judge(self, image: Image) -> Verdict:  # noqa: ARG002 - the contract of all filters
        """Return that it is kept."""
        return Verdict(keep=True, zones=(), boxes=np.empty((0, 4), np.float32))


class FaceFilter:
    """Mode `face`: a still is kept when a face is found in it; a face is where its middle is."""

    mode = FilterMode.FACE

    def __init__(self, detector: FaceDetector, zones: Sequence[Zone] = ()) -> None:
        self._detector = detector
        self._zones = tuple(zones)
        self.model: str | None = detector.spec.name

    def keep(self, image: Image) -> bool:
        """Return whether a face is found."""
        return self.judge(image).keep

    def judge(self, image: Image) -> Verdict:
        """Return the faces found."""
        return _verdict(self._detector.detect([image])[0].boxes, image, self._zones, Anchor.CENTRE)


class PersonFilter:
    """Mode `person`: a still is kept when a person is found in it, seen from any side; they are where they stand."""

    mode = FilterMode.PERSON

    def __init__(self, detector: PersonDetector, zones: Sequence[Zone] = ()) -> None:
        self._detector = detector
        self._zones = tuple(zones)
        self.model: str | None = detector.spec.name

    def keep(self, image: Image) -> bool:
        """Return whether a person is found."""
        return self.judge(image).keep

    def judge(self, image: Image) -> Verdict:
        """Return the people found."""
        return _verdict(self._detector.detect([image])[0].boxes, image, self._zones, Anchor.FOOT)


def _verdict(boxes: Boxes, image: Image, zones: Sequence[Zone], anchor: Anchor) -> Verdict:
    height, width = image.shape[:2]
    return Verdict(len(boxes) > 0, zones_of(boxes, zones, width=width, height=height, anchor=anchor), boxes)


def load_filter(
    mode: FilterMode,
    *,
    cache: Path,
    threads: int,
    face_detector: str,
    person_detector: str = "yolox_nano",
    zones: Sequence[Zone] = (),
) -> StillFilter:
    """Return the filter for a camera's mode, with the camera's zones.

    Raises:
        models.errors.ModelMissing: its model is not in the cache.
    """
    if mode is FilterMode.NONE:
        return KeepAll()
    if mode is FilterMode.PERSON:
        return PersonFilter(load_person_detector(person_detector, cache=cache, threads=threads), zones)
    return FaceFilter(load_face_detector(face_detector, cache=cache, threads=threads), zones)


class _Detector(Protocol[Found_co]):
    """A face or a person detector."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the results."""

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""

    def detect(self, images: Sequence[Image]) -> Sequence[Found_co]:
        """Return what is found in each image."""


class SharedDetector(Generic[Found]):
    """One detector for the threads of many cameras: at most `sessions` of them look at a time, the others wait.

    A loaded model holds its working memory for good, CenterFace some 250 MB at 1280x720, and one that waits for the
    next still of its own camera holds it for nothing.
    """

    def __init__(self, load: Callable[[], _Detector[Found]], *, sessions: int) -> None:
        self._load = load
        self._free = sessions - 1  # that may still be loaded
        self._lock = Lock()
        first = load()
        self._loaded = [first]
        self._idle: LifoQueue[_Detector[Found]] = LifoQueue()  # the last one used: the others stay small, or unloaded
        self._idle.put(first)
        self.spec: ModelSpec = first.spec

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far, by all together."""
        return sum(each.seconds_in_model for each in self._loaded)

    def detect(self, images: Sequence[Image]) -> list[Found]:
        """Return what is found in each image."""
        detector = self._take()
        try:
            return list(detector.detect(images))
        finally:
            self._idle.put(detector)

    def _take(self) -> _Detector[Found]:
        try:
            return self._idle.get_nowait()
        except Empty:
            with self._lock:
                another, self._free = self._free > 0, max(self._free - 1, 0)
            if not another:
                return self._idle.get()
        detector = self._load()
        self._loaded.append(detector)
        return detector


class FilterModels:
    """The filters of all cameras of a process, which share their models. Safe for threads."""

    def __init__(
        self,
        *,
        cache: Path,
        threads: int,
        face_detector: str,
        person_detector: str = "yolox_nano",
        sessions: int | None = None,
    ) -> None:
        """Load nothing yet; of each model at most `sessions` are loaded, by default one per core."""
        count = sessions or os.cpu_count() or 1
        self._lock = Lock()
        self._faces = _once(lambda: load_face_detector(face_detector, cache=cache, threads=threads), count)
        self._people = _once(lambda: load_person_detector(person_detector, cache=cache, threads=threads), count)

    def filter_for(self, mode: FilterMode, zones: Sequence[Zone] = ()) -> StillFilter:
        """Return the filter for a camera's mode, with the camera's zones.

        Raises:
            models.errors.ModelMissing: its model is not in the cache; it is looked for again next time.
        """
        with self._lock:
            if mode is FilterMode.NONE:
                return KeepAll()
            if mode is FilterMode.PERSON:
                return PersonFilter(self._people(), zones)
            return FaceFilter(self._faces(), zones)


def _once(load: Callable[[], _Detector[Found]], sessions: int) -> Callable[[], SharedDetector[Found]]:
    """Return what loads a shared detector when first called, and gives the same one from then on."""
    return functools.cache(lambda: SharedDetector(load, sessions=sessions))  # an error is not remembered
