"""The edge filter: which stills may leave the store. What it rejects never touches the disk."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from footfall_assets.contracts.registry import FilterMode
from models.catalog import load_face_detector, load_person_detector
from models.detector import FaceDetector, PersonDetector


class StillFilter(Protocol):
    """Decides on one still at a time."""

    mode: FilterMode
    model: str | None

    def keep(self, image: NDArray[np.uint8]) -> bool:
        """Return whether this BGR image may leave the store."""


class KeepAll:
    """Mode `none`: every still is kept."""

    mode = FilterMode.NONE
    model: str | None = None

    def keep(self, image: NDArray[np.uint8]) -> bool:  # noqa: ARG002 - the contract of all filters
        """Return True."""
        return True


class FaceFilter:
    """Mode `face`: a still is kept when a face is found in it."""

    mode = FilterMode.FACE

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self.model: str | None = detector.spec.name

    def keep(self, image: NDArray[np.uint8]) -> bool:
        """Return whether a face is found."""
        return len(self._detector.detect([image])[0]) > 0


class PersonFilter:
    """Mode `person`: a still is kept when a person is found in it, seen from any side."""

    mode = FilterMode.PERSON

    def __init__(self, detector: PersonDetector) -> None:
        self._detector = detector
        self.model: str | None = detector.spec.name

    def keep(self, image: NDArray[np.uint8]) -> bool:
        """Return whether a person is found."""
        return len(self._detector.detect([image])[0]) > 0


def load_filter(
    mode: FilterMode, *, cache: Path, threads: int, face_detector: str, person_detector: str = "yolox_nano"
) -> StillFilter:
    """Return the filter for a camera's mode.

    Raises:
        models.errors.ModelMissing: its model is not in the cache.
    """
    if mode is FilterMode.NONE:
        return KeepAll()
    if mode is FilterMode.PERSON:
        return PersonFilter(load_person_detector(person_detector, cache=cache, threads=threads))
    return FaceFilter(load_face_detector(face_detector, cache=cache, threads=threads))
