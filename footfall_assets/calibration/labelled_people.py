"""Stills of labelled people as a camera would take them, seen through the platform's own detector and embedder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Floats, Labels
from footfall_assets.platform import Platform
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.figure import Cast, Figure
from footfall_assets.simulation.photos import photo_cast
from footfall_assets.simulation.scenes import photographed, place
from footfall_assets.vision.faces import decode_crop, encode_crop
from models.alignment import CropTemplate, align
from models.detector import FaceDetector, Faces
from models.embedder import FaceEmbedder
from models.quality import assess_faces

CLEAN_STILLS: Final = 6  # per photograph: two visits of three
_WIDTH_PX, _HEIGHT_PX = 384, 352  # of a still: room for one head and its shoulders
_WALL_GREY = 170.0
_FACE_WIDTH_PX = (50.0, 110.0)  # what an entrance camera sees at 2 to 4 m
_HEIGHT_OVER_WIDTH = 1.34  # of CenterFace's boxes on these photographs
_TINY_FACE_WIDTH_PX = 15.0
_STRONG_BLUR_SHARE = (0.06, 0.10)  # of the face's height: 605 times too many false matches (DESIGN section 7)
_MASK_COLOUR = (196.0, 172.0, 140.0)  # BGR of a surgical mask
_MASK_TOP, _MASK_AXES = 0.555, (0.20, 0.26)  # shares of the photograph's side; from the bridge of the nose down
_LENS_BLUR_PX = 0.5  # standard deviation; a lens in focus
_LOOKS_DRAWN: Final = 3  # of each drawn person: poses and moods differ, the face does not
_JPEG_QUALITY = 90  # percent; the edge's own
_STILLS_AT_A_TIME = 16
_NEAR_SHARE = 0.5  # of the face's height: a box whose middle lies farther off is another face


_Columns = dict[str, NDArray[np.float32] | Labels]


class StillKind(IntEnum):
    """What was done to a still."""

    CLEAN = 0
    MIRRORED = 1
    BLURRED = 2
    TINY = 3
    MASKED = 4


@dataclass(frozen=True)
class LabelledStills:
    """Faces of labelled people, n in all; a still without a found face has no row.

    Attributes:
        person: (n,) number of the person.
        photo: (n,) number of the photograph, over all people.
        kind: (n,) a StillKind.
        vector: (n, d) unit vectors.
        size_px, score, sharpness, yaw, quality: (n,) as in the `faces` asset.
        missed: stills of each kind in which no face was found.
        names: the people's names, by number.
    """

    person: Labels
    photo: Labels
    kind: Labels
    vector: Floats
    size_px: Floats
    score: Floats
    sharpness: Floats
    yaw: Floats
    quality: Floats
    missed: dict[StillKind, int]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class _Still:
    person: int
    photo: int
    kind: StillKind
    image: NDArray[np.uint8]
    middle: tuple[float, float]  # of the face, in pixels
    face_height: float


def photograph_people(
    cast: Cast,
    looks: Sequence[int],
    detector: FaceDetector,
    embedder: FaceEmbedder,
    template: CropTemplate,
    *,
    mirror: bool,
    seed: int,
    kinds: Sequence[StillKind] = tuple(StillKind),
) -> LabelledStills:
    """Return the faces in stills of a cast: each photograph taken `CLEAN_STILLS` times, and once for each other kind.

    Args:
        cast: the people.
        looks: how many photographs there are of each.
        detector: finds the faces.
        embedder: computes the vectors.
        template: the pose that crops are stored in.
        mirror: average each face with its mirror image.
        seed: of light, size, tilt and blur.
        kinds: what is done to the photographs.
    """
    parts: list[_Columns] = []
    missed = dict.fromkeys(StillKind, 0)
    stills = _stills(cast, looks, kinds, np.random.default_rng(seed))
    while chunk := list(islice(stills, _STILLS_AT_A_TIME)):
        found = detector.detect([still.image for still in chunk])
        faces = [_central(each, still) for each, still in zip(found, chunk, strict=True)]
        for still, face in zip(chunk, faces, strict=True):
            missed[still.kind] += face is None
        seen = [(still, face) for still, face in zip(chunk, faces, strict=True) if face is not None]
        if seen:
            parts.append(_measure(seen, embedder, template, mirror=mirror))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = tuple(cast.person_id(number) for number in range(cast.size))
    return LabelledStills(**columns, missed=missed, names=names)


def _stills(cast: Cast, looks: Sequence[int], kinds: Sequence[StillKind], rng: np.random.Generator) -> Iterator[_Still]:
    photo = 0
    taken = [kind for kind in kinds for _ in range(CLEAN_STILLS if kind is StillKind.CLEAN else 1)]
    for person, count in enumerate(looks):
        for visit in range(count):
            for kind in taken:
                yield _still(cast, person, photo, visit, kind, rng)
            photo += 1


def _still(cast: Cast, person: int, photo: int, visit: int, kind: StillKind, rng: np.random.Generator) -> _Still:
    width = _TINY_FACE_WIDTH_PX if kind is StillKind.TINY else float(rng.uniform(*_FACE_WIDTH_PX))
    height = width * _HEIGHT_OVER_WIDTH
    figure = cast.figure(person, visit_number=visit, face_height=height, visible=True, rng=rng)
    figure = _spoil(figure, kind, height, rng)
    image = np.full((_HEIGHT_PX, _WIDTH_PX, 3), _WALL_GREY, np.float32)
    left = round(_WIDTH_PX / 2 + rng.uniform(-20, 20) - figure.anchor[0])
    top = round(_HEIGHT_PX * 0.4 + rng.uniform(-15, 15) - figure.anchor[1])
    place(image, figure, left=left, top=top)
    taken = photographed(image, noise=cast.sensor_noise, rng=rng, lens_blur_px=_LENS_BLUR_PX)
    _, jpeg = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    x1, y1, x2, y2 = figure.box
    middle = (left + (x1 + x2) / 2, top + (y1 + y2) / 2)
    decoded = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), dtype=np.uint8)
    return _Still(person, photo, kind, decoded, middle, height)


def _spoil(figure: Figure, kind: StillKind, height: float, rng: np.random.Generator) -> Figure:
    pixels, coverage = figure.pixels, figure.coverage
    if kind is StillKind.MIRRORED:
        side = coverage.shape[1]
        x1, y1, x2, y2 = figure.box
        pixels, coverage = np.ascontiguousarray(pixels[:, ::-1]), np.ascontiguousarray(coverage[:, ::-1])
        return Figure(pixels, coverage, (side - figure.anchor[0], figure.anchor[1]), (side - x2, y1, side - x1, y2))
    if kind is StillKind.BLURRED:
        sigma = float(rng.uniform(*_STRONG_BLUR_SHARE)) * height
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma).astype(np.float32)
        coverage = cv2.GaussianBlur(coverage, (0, 0), sigma).astype(np.float32)
    if kind is StillKind.MASKED:
        pixels = _with_mask(figure)
    return Figure(pixels, coverage, figure.anchor, figure.box)


def _with_mask(figure: Figure) -> NDArray[np.float32]:
    """The figure in a surgical mask: an ellipse over nose, mouth and chin, cut off straight at the top."""
    side = len(figure.coverage)
    mask = np.zeros((side, side), np.uint8)
    width, height = (max(round(share * side), 1) for share in _MASK_AXES)
    cv2.ellipse(mask, (round(side * 0.5), round(side * _MASK_TOP)), (width, height), 0, 0, 180, 255, -1, cv2.LINE_AA)
    share = (mask.astype(np.float32) / np.float32(255) * figure.coverage)[:, :, None]
    return np.asarray(figure.pixels * (1 - share) + np.asarray(_MASK_COLOUR, np.float32) * share, np.float32)


def _central(faces: Faces, still: _Still) -> Faces | None:
    """Return the face that was meant, or None where it was not found."""
    if len(faces) == 0:
        return None
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    away = np.linalg.norm(middles - np.asarray(still.middle), axis=1)
    nearest = int(away.argmin())
    return faces.select(np.array([nearest])) if away[nearest] <= _NEAR_SHARE * still.face_height else None


def _measure(
    seen: list[tuple[_Still, Faces]], embedder: FaceEmbedder, template: CropTemplate, *, mirror: bool
) -> _Columns:
    crops = [align(still.image, face.landmarks, template) for still, face in seen]
    quality = [assess_faces(face, crop, template=template) for (_, face), crop in zip(seen, crops, strict=True)]
    stored = np.stack([decode_crop(encode_crop(crop[0])) for crop in crops])
    measured = {
        name: np.concatenate([getattr(each, name) for each in quality])
        for name in ("size_px", "sharpness", "yaw", "quality")
    }
    return {
        "person": np.array([still.person for still, _ in seen]),
        "photo": np.array([still.photo for still, _ in seen]),
        "kind": np.array([int(still.kind) for still, _ in seen]),
        "vector": embedder.embed(stored, mirror=mirror),
        "score": np.concatenate([np.asarray(face.scores, np.float32) for _, face in seen]),
        **measured,
    }


def measured_stills(people: Path | None, platform: Platform, *, seed: int, kept: Path | None = None) -> LabelledStills:
    """Return the stills of the labelled people in a folder, measured with the platform's models.

    Args:
        people: `DIR/<name>/*.jpg`; None takes the drawn cast of the simulation, whom nothing blurs or masks.
        platform: whose detector, embedder and crops are used.
        seed: of light, size, tilt and blur.
        kept: a file to read them from where it exists, and to keep them in otherwise.

    Raises:
        CastError: the folder holds no labelled photographs, or one cannot be read.
    """
    if kept is not None and kept.is_file():
        return load_stills(kept)
    cast, looks, kinds = _cast_of(people, seed)
    stills = photograph_people(
        cast,
        looks,
        platform.detector,
        platform.embedder,
        platform.crop_template,
        mirror=platform.settings.embedding.mirror,
        seed=seed,
        kinds=kinds,
    )
    if kept is not None:
        save_stills(kept, stills)
    return stills


def _cast_of(people: Path | None, seed: int) -> tuple[Cast, list[int], tuple[StillKind, ...]]:
    if people is None:
        drawn = procedural_cast(None)
        return drawn, [_LOOKS_DRAWN] * drawn.size, (StillKind.CLEAN,)
    cast = photo_cast(people, visitors=None, seed=seed)
    return cast, [len(photos) for photos in cast.photos], tuple(StillKind)


def save_stills(path: Path, stills: LabelledStills) -> None:
    """Write stills as numbers only, no picture; readable without pickle."""
    columns = {name: value for name, value in vars(stills).items() if isinstance(value, np.ndarray)}
    missed = np.array([stills.missed[kind] for kind in StillKind])
    everything: dict[str, Any] = {**columns, "missed": missed, "names": np.array(stills.names)}
    np.savez_compressed(path, **everything)


def load_stills(path: Path) -> LabelledStills:
    """Return what `save_stills` wrote."""
    with np.load(path) as stored:
        columns = {name: stored[name] for name in stored.files if name not in {"missed", "names"}}
        missed = dict(zip(StillKind, stored["missed"].tolist(), strict=True))
        return LabelledStills(**columns, missed=missed, names=tuple(stored["names"].tolist()))
