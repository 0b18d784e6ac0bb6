"""How much a face can tell: size, sharpness, pose, and one weight that combines them."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.alignment import DLIB_150, CropTemplate, realign
from models.detector import Faces

Floats = NDArray[np.float32]
Crops = NDArray[np.uint8]

# Sharpness is read off at this coarse scale, which faces from about 30 px up resolve. On 400 faces of
# Labeled Faces in the Wild it told blurred ones (Gaussian, sigma 3 % and 4 % of the face) from the originals with an
# AUC of 0.996 and 1.000, and confused merely small faces (40 px) with blurred ones less than finer scales do: AUC
# of small against original 0.73 at 32 px, 0.81 at 48 px, 0.86 at 64 px, 0.90 on the full crop.
_SHARPNESS_SIDE_PX = 32
_SHARPNESS_MARGIN_PX = 5  # of the reduced crop: keeps background and hair out
_MIN_VARIANCE = 25.0  # grey levels squared; below it a crop is flat and its noise means nothing

# The weights are the hit rate at a false match rate of 1e-3, relative to the unharmed photo, of the same 400 faces
# after reduction (80 to 12 px) or blur (sigma 1 to 10 px of 95): 0.99 at 50 px, 0.79 at 20, 0.49 at 15, 0.26 at 12;
# 0.93, 0.79, 0.50, 0.21, 0.08 at median sharpness 0.56, 0.29, 0.16, 0.10, 0.06. Logistic curves in the logarithm.
_HALF_WEIGHT_SIZE_PX, _SIZE_STEEPNESS = 15.0, 4.7
_HALF_WEIGHT_SHARPNESS, _SHARPNESS_STEEPNESS = 0.16, 2.4
# Up to |yaw| 0.9 no loss could be measured (54 photos above 0.6); beyond lie profiles, weighed down by judgement.
# Faces with |pitch| above 0.1 (10 photos) kept three quarters of the hit rate.
_HALF_WEIGHT_YAW, _YAW_STEEPNESS = 1.4, 6.0
_HALF_WEIGHT_PITCH, _PITCH_STEEPNESS = 0.17, 4.0

# Where the nose lies between eyes (0) and mouth (1) on a face that looks straight ahead: median of 2,031 photos.
_LEVEL_NOSE = 0.564
_MIN_DISTANCE_PX = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class FaceQuality:
    """One value per face, all `(n,)` float32.

    `size_px`: the smaller side of the box, pixels of the original image. `sharpness`: detail relative to contrast,
    about 1.4 for a good photo and 0.16 where half the matches are lost. `yaw`: how far the nose lies off the middle
    of the eyes, in half eye distances, positive to the viewer's right. `pitch`: how much lower the nose lies between
    eyes and mouth than on a level face, as a part of that distance. `roll_deg`: tilt of the eyes, clockwise. All three
    are proxies from five points, not angles of a head model. `quality`: 0..1, the share of its matches that such
    a face keeps; use it as a weight.
    """

    size_px: Floats
    sharpness: Floats
    yaw: Floats
    pitch: Floats
    roll_deg: Floats
    quality: Floats

    def __post_init__(self) -> None:
        for name in ("size_px", "sharpness", "yaw", "pitch", "roll_deg", "quality"):
            array = getattr(self, name)
            if array.dtype != np.float32 or array.shape != (len(self.quality),):
                raise ValueError(f"{name}: expected float32 ({len(self.quality)},), got {array.dtype} {array.shape}")

    def __len__(self) -> int:
        return len(self.quality)

    def select(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return the values at a boolean mask or an array of indices."""
        return type(self)(
            size_px=self.size_px[which],
            sharpness=self.sharpness[which],
            yaw=self.yaw[which],
            pitch=self.pitch[which],
            roll_deg=self.roll_deg[which],
            quality=self.quality[which],
        )


def assess_faces(faces: Faces, crops: Crops, *, template: CropTemplate) -> FaceQuality:
    """Return the quality of faces.

    Args:
        faces: as detected, in pixels of the original image.
        crops: the same faces, aligned to `template`, uint8 BGR `(n, side, side, 3)`.
        template: what the crops are aligned to.

    Raises:
        ValueError: the numbers of faces and crops differ.
    """
    if len(faces) != len(crops):
        raise ValueError(f"{len(faces)} faces but {len(crops)} crops")
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
    size_px = np.maximum(sides.min(axis=1), 0.0).astype(np.float32)
    sharpness = measure_sharpness(realign(crops, template, DLIB_150))
    yaw, pitch, roll_deg = estimate_pose(faces.landmarks)
    return FaceQuality(
        size_px=size_px,
        sharpness=sharpness,
        yaw=yaw,
        pitch=pitch,
        roll_deg=roll_deg,
        quality=_combine(size_px, sharpness, yaw, pitch),
    )


def measure_sharpness(crops: Crops) -> Floats:
    """Return the sharpness `(n,)` of crops aligned to `DLIB_150`.

    The variance of the Laplacian over the variance of the grey values, both in the middle of the crop reduced to
    32 px: brightness and contrast cancel, and so does most of the face's size (Pech-Pacheco et al., ICPR 2000, for
    the variance of the Laplacian).
    """
    values = np.empty(len(crops), dtype=np.float32)
    inner = slice(_SHARPNESS_MARGIN_PX, -_SHARPNESS_MARGIN_PX)
    for index, crop in enumerate(crops):
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        size = (_SHARPNESS_SIDE_PX, _SHARPNESS_SIDE_PX)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        detail = cv2.Laplacian(small, cv2.CV_32F)[inner, inner].var()
        values[index] = detail / max(float(small[inner, inner].var()), _MIN_VARIANCE)
    return values


def estimate_pose(landmarks: Floats) -> tuple[Floats, Floats, Floats]:
    """Return yaw, pitch and roll, each `(n,)`, of landmarks `(n, 5, 2)`; units as in `FaceQuality`."""
    points = landmarks.astype(np.float64)
    eye_line = points[:, 1] - points[:, 0]
    eye_distance = np.maximum(np.linalg.norm(eye_line, axis=1), _MIN_DISTANCE_PX)
    across = eye_line / eye_distance[:, None]
    down = np.stack([-across[:, 1], across[:, 0]], axis=1)
    middle = (points[:, 0] + points[:, 1]) / 2
    nose = points[:, 2] - middle
    mouth = (points[:, 3] + points[:, 4]) / 2 - middle
    height = np.maximum((mouth * down).sum(axis=1), _MIN_DISTANCE_PX)
    yaw = (nose * across).sum(axis=1) / (eye_distance / 2)
    pitch = (nose * down).sum(axis=1) / height - _LEVEL_NOSE
    roll_deg = np.degrees(np.arctan2(eye_line[:, 1], eye_line[:, 0]))
    return yaw.astype(np.float32), pitch.astype(np.float32), roll_deg.astype(np.float32)


def _combine(size_px: Floats, sharpness: Floats, yaw: Floats, pitch: Floats) -> Floats:
    weight = (
        _rising(size_px, _HALF_WEIGHT_SIZE_PX, _SIZE_STEEPNESS)
        * _rising(sharpness, _HALF_WEIGHT_SHARPNESS, _SHARPNESS_STEEPNESS)
        * (1 - _rising(np.abs(yaw), _HALF_WEIGHT_YAW, _YAW_STEEPNESS))
        * (1 - _rising(np.abs(pitch), _HALF_WEIGHT_PITCH, _PITCH_STEEPNESS))
    )
    return weight.astype(np.float32)


def _rising(values: Floats, half: float, steepness: float) -> NDArray[np.float64]:
    """Return a curve from 0 to 1 that passes 0.5 at `half`: the logistic function of `steepness * log(v / half)`."""
    relative = (np.maximum(values.astype(np.float64), 0.0) / half) ** steepness
    return np.asarray(relative / (1 + relative), dtype=np.float64)
