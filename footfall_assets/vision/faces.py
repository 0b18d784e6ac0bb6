"""The `faces` asset: one row per face in one image, with the aligned crop where the location allows one."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.capture.quarantine import quarantine
from footfall_assets.contracts.errors import PermanentFailure, QuarantineReason
from footfall_assets.contracts.ids import face_image_id
from footfall_assets.contracts.schemas import FACES
from footfall_assets.storage.lake import LakeStore
from footfall_assets.vision.stills import DecodedStill, ahead, decoded_stills
from models.alignment import CropTemplate, align
from models.detector import FaceDetector, Faces
from models.quality import FaceQuality, assess_faces

CODE_VERSION: Final = "faces/1"
_STILLS_AT_A_TIME: Final = 4  # twice as many are held decoded: 8 x 25 Mpx x 3 B = 600 MB at the very most
_CROP_JPEG_QUALITY: Final = 95  # percent


@dataclass
class FacesPart:
    """The faces of one batch and what was left out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    quarantined: Counter[str] = field(default_factory=Counter)
    faces_beyond_limit: int = 0

    def table(self) -> pa.Table:
        """Return the rows in the `faces` schema."""
        return pa.Table.from_pylist(self.rows, schema=FACES)


def faces_of_images(
    images: pa.Table, lake: LakeStore, detector: FaceDetector, template: CropTemplate, *, keep_crops: bool
) -> FacesPart:
    """Return the faces in a table of `images`, in its order; a still that does not decode is quarantined.

    Args:
        images: rows of the `images` asset.
        lake: where their batches lie.
        detector: finds the faces.
        template: the pose to align crops to.
        keep_crops: False where a location only counts: then no picture of a face is kept.
    """
    part = FacesPart()
    slices = (images.slice(start, _STILLS_AT_A_TIME) for start in range(0, images.num_rows, _STILLS_AT_A_TIME))
    for decoded in ahead(list(decoded_stills(rows, lake)) for rows in slices):
        stills = []
        for still in decoded:
            if still.picture is None:
                _set_aside(still, lake, part)
            else:
                stills.append((still.row, still.picture))
        found = detector.detect([picture for _, picture in stills])
        for (row, picture), faces in zip(stills, found, strict=True):
            part.faces_beyond_limit += faces.dropped
            part.rows += _rows(row, picture, faces, template, keep_crops=keep_crops)
    return part


def _set_aside(still: DecodedStill, lake: LakeStore, part: FacesPart) -> None:
    quarantine(
        lake,
        still.jpeg,
        ".bin",
        reason=QuarantineReason.UNDECODABLE,
        message=f"image {still.row['image_id']}: a JPEG header without a picture of that size behind it",
        stage="faces",
        code_version=CODE_VERSION,
        source=f"{still.row['object']}#{still.row['image_id']}.jpg",
    )
    part.quarantined[str(QuarantineReason.UNDECODABLE)] += 1


def _rows(
    image: dict[str, Any], picture: NDArray[np.uint8], faces: Faces, template: CropTemplate, *, keep_crops: bool
) -> list[dict[str, Any]]:
    crops = align(picture, faces.landmarks, template)
    quality = assess_faces(faces, crops, template=template)
    return [
        _row(image, faces, quality, number, encode_crop(crops[number]) if keep_crops else None)
        for number in range(len(faces))
    ]


def _row(image: dict[str, Any], faces: Faces, quality: FaceQuality, number: int, crop: bytes | None) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(side) for side in faces.boxes[number])
    return {
        "face_image_id": face_image_id(image["image_id"], (x1, y1, x2, y2)).bytes,
        "image_id": image["image_id"].bytes,
        "camera_id": image["camera_id"],
        "location_id": image["location_id"],
        "captured_at": image["captured_at"],
        "box": [x1, y1, x2, y2],
        "landmarks": faces.landmarks[number].ravel().tolist(),
        "score": float(faces.scores[number]),
        "size_px": float(quality.size_px[number]),
        "sharpness": float(quality.sharpness[number]),
        "yaw": float(quality.yaw[number]),
        "pitch": float(quality.pitch[number]),
        "roll_deg": float(quality.roll_deg[number]),
        "quality": float(quality.quality[number]),
        "crop": crop,
    }


def encode_crop(crop: NDArray[np.uint8]) -> bytes:
    """Return a BGR crop as a JPEG.

    Raises:
        PermanentFailure: OpenCV could not encode it.
    """
    ok, buffer = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, _CROP_JPEG_QUALITY])
    if not ok:
        raise PermanentFailure(f"a crop of shape {crop.shape} could not be encoded as JPEG")
    return buffer.tobytes()


def decode_crop(data: bytes) -> NDArray[np.uint8]:
    """Return the BGR picture of a stored crop."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)
