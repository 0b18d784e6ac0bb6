"""YOLOX, an optional person detector for cameras that see no faces."""

from collections.abc import Sequence

from models import _ops
from models.detector import Detections, DetectorOptions, Floats, Image, fitted, require_image
from models.embedder import model_input
from models.session import ModelSession, SessionBacked

_STRIDES_PX = (8, 16, 32)
_PADDING_GREY = 114  # the value YOLOX was trained with
_OBJECTNESS, _PERSON = 4, 5  # columns of the output; person is the first of the 80 COCO classes


class YoloX(SessionBacked):
    """YOLOX with its undecoded output; the score is objectness times the probability of class person.

    People stand close together in stores: the default options allow them more overlap than faces.
    """

    def __init__(self, session: ModelSession, options: DetectorOptions | None = None) -> None:
        super().__init__(session)
        self._options = options or DetectorOptions(score_threshold=0.3, nms_iou=0.45)
        self._height, self._width = session.spec.input.fixed_sides()
        self._corners, self._strides = _ops.anchor_grid(self._height, self._width, strides_px=_STRIDES_PX)

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
