"""A cast of real people from labelled photographs, `DIR/<name>/*.jpg`, one photograph per visit."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.face_model import Colour
from footfall_assets.simulation.face_sampling import CLOTH_COLOURS
from footfall_assets.simulation.figure import Figure

MAX_PHOTO_BYTES = 20_000_000
MAX_PHOTO_PIXELS = 25_000_000
MIN_PHOTO_SIDE_PX = 64
SUFFIXES = {".jpg", ".jpeg"}
# Labeled Faces in the Wild: 250 x 250 pixels, the labelled face in the middle. Medians of CenterFace's boxes
# there, as shares of the side; the mask keeps the head and leaves out most of the neighbours.
FACE_BOX = (0.305, 0.241, 0.707, 0.780)
EYE_LEVEL = 0.45
MASK_CENTRE = (0.5, 0.49)
MASK_AXES = (0.30, 0.41)
GRAIN = 3.0  # grey levels; photographs have some of their own
MASK_EDGE = 0.14  # width of its soft edge, as a share of its axes
HAIR: Colour = (34, 38, 46)


@dataclass(frozen=True)
class PhotoCast:
    """People with their photographs; on visit n a person shows photograph n, starting over after the last."""

    names: tuple[str, ...]
    photos: tuple[tuple[Path, ...], ...]
    _heads: dict[Path, Figure] = field(default_factory=dict, repr=False, compare=False)

    @property
    def size(self) -> int:
        """How many different people there are."""
        return len(self.names)

    @property
    def sensor_noise(self) -> float:
        """Grain of the camera, in grey levels (standard deviation)."""
        return GRAIN

    def person_id(self, visitor: int) -> str:
        """The name of the person's folder."""
        return self.names[visitor]

    def figure(
        self, visitor: int, *, visit_number: int, face_height: float, visible: bool, rng: np.random.Generator
    ) -> Figure:
        """The head of this visit's photograph, tilted, lit and blurred by the moment; its back if not `visible`.

        Raises:
            CastError: the photograph cannot be read.
        """
        photos = self.photos[visitor]
        path = photos[visit_number % len(photos)]
        if path not in self._heads:
            self._heads[path] = _cut_out(_read_photo(path))
        head = self._heads[path] if visible else _from_behind(self._heads[path])
        cloth = CLOTH_COLOURS[visitor % len(CLOTH_COLOURS)]
        return _with_shoulders(_jittered(head, face_height=face_height, rng=rng), cloth=cloth)


def photo_cast(folder: Path, *, visitors: int | None, seed: int) -> PhotoCast:
    """`visitors` people of the folder (None: all), drawn by `seed`.

    One photograph of each must be readable when it is needed.

    Raises:
        CastError: the folder is missing, or holds fewer people with photographs than visitors are asked for.
    """
    if not folder.is_dir():
        raise CastError(f"no folder {folder}; --people expects DIR/<name>/*.jpg, one folder per person")
    people = {person.name: photos for person in sorted(folder.iterdir()) if (photos := _photos_of(person))}
    if not people:
        raise CastError(f"no photographs in {folder}; --people expects DIR/<name>/*.jpg, one folder per person")
    if visitors is not None and visitors > len(people):
        raise CastError(f"{visitors} visitors asked for, but {folder} has {len(people)} people; ask for at most these")
    names = sorted(people)
    chosen = np.random.default_rng(seed).permutation(len(names))[:visitors].tolist()
    return PhotoCast(tuple(names[i] for i in chosen), tuple(people[names[i]] for i in chosen))


def _photos_of(person: Path) -> tuple[Path, ...]:
    if not person.is_dir():
        return ()
    return tuple(sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()))


def _read_photo(path: Path) -> NDArray[np.uint8]:
    """The photograph cut to a square around its middle."""
    content = path.read_bytes() if path.stat().st_size <= MAX_PHOTO_BYTES else b""
    if not content.startswith(b"\xff\xd8\xff"):
        raise CastError(f"{path} is not a JPEG photograph of at most {MAX_PHOTO_BYTES // 1_000_000} MB; remove it")
    _check_size(path, content)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise CastError(f"{path} cannot be decoded; replace or remove it")
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return np.asarray(image[top : top + side, left : left + side], np.uint8)


def _check_size(path: Path, content: bytes) -> None:
    """Read the header only: decoding first would let a small file fill the memory."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as header:
            width, height = header.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise CastError(f"{path} is not a readable JPEG ({error}); replace or remove it") from error
    if min(width, height) < MIN_PHOTO_SIDE_PX or width * height > MAX_PHOTO_PIXELS:
        raise CastError(
            f"{path} is {width}x{height}; expected at least {MIN_PHOTO_SIDE_PX} pixels a side and at most"
            f" {MAX_PHOTO_PIXELS // 1_000_000} megapixels; replace or remove it"
        )


def _cut_out(photo: NDArray[np.uint8]) -> Figure:
    """The central head behind a soft ellipse."""
    side = len(photo)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    radius = np.hypot((x - MASK_CENTRE[0]) / MASK_AXES[0], (y - MASK_CENTRE[1]) / MASK_AXES[1])
    coverage = np.clip((1 - radius) / MASK_EDGE + 0.5, 0, 1).astype(np.float32)
    pixels = photo.astype(np.float32) * coverage[:, :, None]
    x1, y1, x2, y2 = (edge * side for edge in FACE_BOX)
    return Figure(pixels, coverage, (0.5 * side, EYE_LEVEL * side), (x1, y1, x2, y2))


def _from_behind(head: Figure) -> Figure:
    """The same outline in the colour of hair."""
    dark = np.asarray(HAIR, np.float32) * head.coverage[:, :, None]
    return Figure(dark, head.coverage, head.anchor, head.box)


def _jittered(head: Figure, *, face_height: float, rng: np.random.Generator) -> Figure:
    """The head at its size, turned a little in the plane, with the light and focus of the moment."""
    ratio = face_height / (head.box[3] - head.box[1])
    side = round(len(head.coverage) * ratio)
    turn = cv2.getRotationMatrix2D(head.anchor, float(rng.normal(0, 2.5)), 1.0)
    layers = np.dstack([head.pixels, head.coverage])
    turned = cv2.warpAffine(layers, turn, (len(head.coverage),) * 2, flags=cv2.INTER_LINEAR)
    sized = cv2.resize(turned, (side, side), interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(sized, (0, 0), float(rng.uniform(0.3, 0.9)))
    pixels = np.minimum(soft[:, :, :3] * np.float32(rng.uniform(0.85, 1.12)), np.float32(255))
    x1, y1, x2, y2 = (edge * ratio for edge in head.box)
    return Figure(pixels, soft[:, :, 3], (head.anchor[0] * ratio, head.anchor[1] * ratio), (x1, y1, x2, y2))


def _with_shoulders(head: Figure, *, cloth: Colour) -> Figure:
    """The head on plain shoulders that go on downwards."""
    side = len(head.coverage)
    body = np.zeros((side, side), np.uint8)
    middle, half = side // 2, int(0.44 * side)
    cv2.ellipse(body, (middle, side), (half, int(0.2 * side)), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(body, (int(0.4 * side), int(0.76 * side)), (int(0.6 * side), side), 255, -1)
    mask = cv2.GaussianBlur(body, (0, 0), 1.2).astype(np.float32) / np.float32(255)
    behind = mask * (1 - head.coverage)
    pixels = head.pixels + behind[:, :, None] * np.asarray(cloth, np.float32)
    return Figure(pixels, head.coverage + behind, head.anchor, head.box)
