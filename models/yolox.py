"""YOLOX, an optional person detector for cameras that see no faces."""

from collections.abc import Sequence

import numpy as np

from models import _ops
from models.detector import Detections, DetectorOptions, Floats, Image, fitted, require_image
from models.embedder import model_input
from models.manifest import ModelSpec
from models.session import ModelSession

_STRIDES_PX = (8, 16, 32)
_PADDING_GREY = 114  # the value YOLOX was trained with
_OBJECTNESS, _PERSON = 4, 5  # columns of the output; person is the first of the 80 COCO classes


class YoloX:
    """YOLOX with its undecoded output; the score is objectness times the probability of class person.

    People stand close together in stores: the default options allow them more overlap than faces.
    """

    def __init__(self, session: ModelSession, options: DetectorOptions | None = None) -> None:
        self._session = session
        self._options = options or DetectorOptions(score_threshold=0.3, nms_iou=0.45)
        self._height, self._width = session.spec.input.fixed_sides()
        grids = [
            _ops.cell_corners(self._height // stride, self._width // stride, stride_px=stride) for stride in _STRIDES_PX
        ]
        self._corners = np.concatenate(grids)
        self._strides = np.concatenate(
            [np.full((len(grid), 1), stride, np.float32) for grid, stride in zip(grids, _STRIDES_PX, strict=True)]
        )

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the results."""
        return self._session.spec

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""
        return self._session.seconds_in_model

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people in each image (see `PersonDetector.detect`)."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Detections:
        require_image(image)
        fit = _ops.letterbox_into(image.shape[0], image.shape[1], target_height=self._height, target_width=self._width)
        canvas = fitted(image, fit, fill=_PADDING_GREY)
        (output,) = self._session.run(model_input(canvas[None], self.spec.input))
        return self._people(output[0], fit)

    def _people(self, output: Floats, fit: _ops.Letterbox) -> Detections:
        scores = output[:, _OBJECTNESS] * output[:, _PERSON]
        found = scores > self._options.score_threshold
        boxes = _ops.decode_anchor_free(self._corners[found], output[found, :4], strides_px=self._strides[found])
        kept = _ops.suppress_overlaps(boxes, scores[found], iou=self._options.nms_iou)
        best = kept[: self._options.max_per_image]
        return Detections(
            boxes=_ops.to_image_points(boxes[best].reshape(-1, 2, 2), fit).reshape(-1, 4),
            scores=scores[found][best],
            dropped=len(kept) - len(best),
        )
