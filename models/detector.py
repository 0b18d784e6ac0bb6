"""What detectors find, what they promise, and the default face detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models import _ops
from models.errors import ContractMismatch
from models.manifest import ModelSpec
from models.session import ModelSession, SessionBacked

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Selection = NDArray[np.bool_] | NDArray[np.intp]

LANDMARKS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects in one image, best score first.

    `boxes` `(n, 4)` float32: xyxy in pixels of the image as given, not clipped to it. `scores` `(n,)` float32 in
    0..1. `dropped` counts those that were found but cut off by the limit per image.

    Raises:
        ValueError: shapes or types differ from that, or a number is not finite.
    """

    boxes: Floats
    scores: Floats
    dropped: int = 0

    def __post_init__(self) -> None:
        _require("boxes", self.boxes, (len(self.scores), 4))
        _require("scores", self.scores, (len(self.scores),))

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, which: Selection) -> Self:
        """Return those at a boolean mask or an array of indices; `dropped` stays as it is."""
        return type(self)(boxes=self.boxes[which], scores=self.scores[which], dropped=self.dropped)

    @classmethod
    def empty(cls) -> Self:
        """Return the result for an image with nothing in it."""
        return cls(boxes=np.empty((0, 4), np.float32), scores=np.empty(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces in one image, best score first.

    `boxes` `(n, 4)` float32: xyxy in pixels of the image as given, not clipped to it. `landmarks` `(n, 5, 2)`
    float32: x, y of left eye, right eye, nose tip, left and right mouth corner, as the viewer sees them. `scores`
    `(n,)` float32 in 0..1. `dropped` counts faces that were found but cut off by the limit per image.

    Raises:
        ValueError: shapes or types differ from that, or a number is not finite.
    """

    boxes: Floats
    landmarks: Floats
    scores: Floats
    dropped: int = 0

    def __post_init__(self) -> None:
        _require("boxes", self.boxes, (len(self.scores), 4))
        _require("landmarks", self.landmarks, (len(self.scores), LANDMARKS, 2))
        _require("scores", self.scores, (len(self.scores),))

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, which: Selection) -> Self:
        """Return those at a boolean mask or an array of indices; `dropped` stays as it is."""
        return type(self)(
            boxes=self.boxes[which],
            landmarks=self.landmarks[which],
            scores=self.scores[which],
            dropped=self.dropped,
        )

    @classmethod
    def empty(cls) -> Self:
        """Return the result for an image without faces."""
        return cls(
            boxes=np.empty((0, 4), np.float32),
            landmarks=np.empty((0, LANDMARKS, 2), np.float32),
            scores=np.empty(0, np.float32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorOptions:
    """How a detector looks at an image.

    `max_side_px`: larger images are reduced to it first (a fixed-size model has its own limit). `nms_iou`: of two
    boxes that overlap more, the weaker goes. `max_per_image`: the best so many are kept, the rest is counted.
    """

    score_threshold: float = 0.5
    max_side_px: int = 1280
    nms_iou: float = 0.3
    max_per_image: int = 200

    def __post_init__(self) -> None:
        if not 0 < self.score_threshold < 1 or not 0 < self.nms_iou <= 1:
            raise ValueError(f"score_threshold and nms_iou lie between 0 and 1, got {self}")
        if self.max_side_px < 1 or self.max_per_image < 1:
            raise ValueError(f"max_side_px and max_per_image are at least 1, got {self}")


class FaceDetector(Protocol):
    """Finds faces."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the results."""
        ...

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""
        ...

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each image.

        Args:
            images: uint8 BGR `(height, width, 3)`, of any sizes.

        Raises:
            ContractMismatch: an array is not such an image.
        """
        ...


class PersonDetector(Protocol):
    """Finds people, from any side."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the results."""
        ...

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""
        ...

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people in each image.

        Args:
            images: uint8 BGR `(height, width, 3)`, of any sizes.

        Raises:
            ContractMismatch: an array is not such an image.
        """
        ...


class CenterFace(SessionBacked):
    """CenterFace, the default face detector: one pass at the image's own size.

    Images go through the network one by one. Larger batches are slower on a CPU, because the maps of a second image
    push those of the first out of its caches: on one thread 24 ms an image alone and 32 ms in fours at 640 x 480.
    """

    def __init__(self, session: ModelSession, options: DetectorOptions | None = None) -> None:
        super().__init__(session)
        self._options = options or DetectorOptions()

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each image (see `FaceDetector.detect`)."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Faces:
        require_image(image)
        options = self._options
        fit = _ops.letterbox_within(
            image.shape[0], image.shape[1], max_side_px=options.max_side_px, multiple=self.spec.input.multiple
        )
        maps = self._session.run(fitted(image, fit, fill=0)[None])
        heatmap, scale, offset, landmarks = (found[0] for found in maps)
        decoded = _ops.decode_centerface(heatmap[0], scale, offset, landmarks, threshold=options.score_threshold)
        return best_faces(*decoded, fit=fit, options=options)


def require_image(image: Image) -> None:
    """Raise `ContractMismatch` unless `image` is uint8 BGR `(height, width, 3)` with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004
        raise ContractMismatch(f"expected a uint8 image (height, width, 3), got {image.dtype} {image.shape}")


def fitted(image: Image, fit: _ops.Letterbox, *, fill: int) -> Image:
    """Return the image scaled and padded as `fit` says, uint8 BGR `(padded_height, padded_width, 3)`."""
    size = (fit.scaled_width, fit.scaled_height)
    if size != (image.shape[1], image.shape[0]):
        shrinking = size[0] < image.shape[1]
        interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=interpolation), dtype=np.uint8)
    canvas = np.full((fit.padded_height, fit.padded_width, 3), fill, dtype=np.uint8)
    canvas[: fit.scaled_height, : fit.scaled_width] = image
    return canvas


def best_faces(
    boxes: Floats, landmarks: Floats, scores: Floats, *, fit: _ops.Letterbox, options: DetectorOptions
) -> Faces:
    """Suppress overlaps, keep the best, and return them in pixels of the image."""
    kept = _ops.suppress_overlaps(boxes, scores, iou=options.nms_iou)
    best = kept[: options.max_per_image]
    return Faces(
        boxes=_ops.to_image_points(boxes[best].reshape(-1, 2, 2), fit).reshape(-1, 4),
        landmarks=_ops.to_image_points(landmarks[best], fit),
        scores=scores[best],
        dropped=len(kept) - len(best),
    )


def _require(name: str, array: Floats, shape: tuple[int, ...]) -> None:
    if array.dtype != np.float32 or array.shape != shape:
        raise ValueError(f"{name}: expected float32 {shape}, got {array.dtype} {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: every number must be finite")
