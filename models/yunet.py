"""YuNet, an optional small face detector with a fixed 640 x 640 input."""

from collections.abc import Sequence

import numpy as np

from models import _ops
from models.detector import DetectorOptions, Faces, Floats, Image, best_faces, fitted, require_image
from models.embedder import model_input
from models.session import ModelSession, SessionBacked

_STRIDES_PX = (8, 16, 32)


class YuNet(SessionBacked):
    """YuNet, decoded as in OpenCV's `FaceDetectorYN`: the score is the root of class times objectness."""

    def __init__(self, session: ModelSession, options: DetectorOptions | None = None) -> None:
        super().__init__(session)
        self._options = options or DetectorOptions()
        self._height, self._width = session.spec.input.fixed_sides()
        self._corners, self._strides = _ops.anchor_grid(self._height, self._width, strides_px=_STRIDES_PX)

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """Return the faces of each image (see `FaceDetector.detect`)."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Faces:
        require_image(image)
        fit = _ops.letterbox_into(image.shape[0], image.shape[1], target_height=self._height, target_width=self._width)
        outputs = self._session.run(model_input(fitted(image, fit, fill=0)[None], self.spec.input))
        boxes, landmarks, scores = self._decode(outputs)
        found = scores > self._options.score_threshold
        return best_faces(boxes[found], landmarks[found], scores[found], fit=fit, options=self._options)

    def _decode(self, outputs: tuple[Floats, ...]) -> tuple[Floats, Floats, Floats]:
        levels = len(_STRIDES_PX)
        classes, objects, regression, points = (
            np.concatenate([level[0] for level in outputs[start : start + levels]])
            for start in range(0, 4 * levels, levels)
        )
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        boxes = _ops.decode_anchor_free(self._corners, regression, strides_px=self._strides)
        landmarks = points.reshape(-1, 5, 2) * self._strides[:, None] + self._corners[:, None]
        return boxes, landmarks.astype(np.float32), scores.astype(np.float32)
