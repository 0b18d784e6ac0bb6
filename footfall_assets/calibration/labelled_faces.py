"""Photographs of people whose age, gender or expression is known, seen through the platform's own models.

`DIR/labels.csv` has one row a photograph: `photo` (a path below DIR), `person`, `age` (years), `gender` (female or
male), `expression`; what is not known stays empty. Stills of the site's own cameras measure the site; other
photographs measure themselves.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.attributes import CLASSES, EXPRESSIONS, GENDERS, Trait, age_band, gender_of
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.platform import Platform
from footfall_assets.simulation.photos import MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS
from footfall_assets.vision.face_attributes import good_enough
from footfall_assets.vision.faces import decode_crop, encode_crop
from models.alignment import align
from models.detector import Faces
from models.quality import assess_faces

LABELS_FILE: Final = "labels.csv"
_COLUMNS: Final = ("photo", "person", "age", "gender", "expression")
_MOST_PHOTOS: Final = 200_000
_OLDEST_YEARS: Final = 130.0
_PHOTOS_AT_A_TIME: Final = 16

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledPhoto:
    """One row of the list; None where it does not say."""

    path: Path
    person: str
    age_years: float | None
    gender: str | None
    expression: str | None


@dataclass(frozen=True)
class LabelledFaces:
    """What the models guess of the photographs, n of them, whose faces pass the gate of identities.

    Attributes:
        photos: n rows of the list.
        age_years, female: (n,) guesses.
        expressions: (n, 7) probabilities in the order of `EXPRESSIONS`.
        left_out: photographs without such a face, by reason.
    """

    photos: tuple[LabelledPhoto, ...]
    age_years: Floats
    female: Floats
    expressions: Floats
    left_out: Counter[str]

    def classes(self, trait: Trait) -> tuple[Numbers, Numbers]:
        """Return the true class and the class they got of all people labelled for a trait, numbers into `CLASSES`.

        One is a person in one true class: as with visitors, the class they got is that of the mean of their faces.
        """
        rows: dict[tuple[str, str], list[int]] = {}
        for row, photo in enumerate(self.photos):
            true = _true_class(photo, trait)
            if true is not None:
                rows.setdefault((photo.person, true), []).append(row)
        names = CLASSES[trait]
        got = [names.index(self._class_of(trait, np.array(several))) for several in rows.values()]
        return np.array([names.index(true) for _, true in rows], np.int64), np.array(got, np.int64)

    def _class_of(self, trait: Trait, rows: Numbers) -> str:
        band, gender = age_band(float(self.age_years[rows].mean())), gender_of(float(self.female[rows].mean()))
        likeliest = EXPRESSIONS[int(self.expressions[rows].mean(axis=0).argmax())]
        return {
            Trait.AGE: band,
            Trait.GENDER: gender,
            Trait.AGE_GENDER: f"{gender}_{band}",
            Trait.EXPRESSION: likeliest,
        }[trait]


def read_labels(folder: Path) -> tuple[LabelledPhoto, ...]:
    """Return the rows of `labels.csv` in a folder.

    Raises:
        UserMistake: it is missing, or a row of it cannot be right; the message names the line.
    """
    path = folder / LABELS_FILE
    if not path.is_file():
        raise UserMistake(f"expected {path} with the columns {', '.join(_COLUMNS)}, found none")
    with path.open(newline="", encoding="utf-8-sig") as source:
        reader = csv.DictReader(source)
        if not {"photo", "person"} <= set(reader.fieldnames or ()) <= set(_COLUMNS):
            raise UserMistake(f"{path}: expected the columns {', '.join(_COLUMNS)}, got {reader.fieldnames}")
        rows = tuple(_row(folder, line, row) for line, row in enumerate(reader, start=2))
    if not 1 <= len(rows) <= _MOST_PHOTOS:
        raise UserMistake(f"{path}: expected 1 to {_MOST_PHOTOS} rows, got {len(rows)}")
    return rows


def guess_labelled(photos: tuple[LabelledPhoto, ...], platform: Platform) -> LabelledFaces:
    """Return what the platform's models guess of the largest face of each photograph.

    Raises:
        UserMistake: no photograph shows a face that is good enough.
        models.errors.ModelMissing: a model was not pulled.
    """
    left_out: Counter[str] = Counter()
    kept: list[LabelledPhoto] = []
    ages, females, expressions = [], [], []
    for several in _readable(photos, left_out):
        crops, shown = _good_crops(several, platform, left_out)
        if not shown:
            continue
        demographics = platform.age_gender.estimate(crops, template=platform.crop_template)
        moods = platform.expression.estimate(crops, template=platform.crop_template)
        kept += shown
        ages.append(demographics.age_years)
        females.append(demographics.female)
        expressions.append(moods.probabilities)
    if not kept:
        raise UserMistake(f"expected photographs with a face that is good enough, found none of {len(photos)}")
    return LabelledFaces(
        tuple(kept), np.concatenate(ages), np.concatenate(females), np.concatenate(expressions), left_out
    )


def _row(folder: Path, line: int, row: dict[str, str | None]) -> LabelledPhoto:
    def wrong(what: str) -> UserMistake:
        return UserMistake(f"{LABELS_FILE}, line {line}: expected {what}")

    path = (folder / (row.get("photo") or "")).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise wrong("a photo that lies in the folder")
    if not (row.get("person") or "").strip():
        raise wrong("a person")
    gender, expression = (row.get("gender") or "").strip() or None, (row.get("expression") or "").strip() or None
    if gender is not None and gender not in GENDERS:
        raise wrong(f"a gender of {', '.join(GENDERS)}, or nothing")
    if expression is not None and expression not in EXPRESSIONS:
        raise wrong(f"an expression of {', '.join(EXPRESSIONS)}, or nothing")
    try:
        age = float(row["age"]) if (row.get("age") or "").strip() else None  # type: ignore[arg-type]
    except ValueError as error:
        raise wrong("an age in years, or nothing") from error
    if age is not None and not (math.isfinite(age) and 0 <= age <= _OLDEST_YEARS):
        raise wrong(f"an age of 0 to {_OLDEST_YEARS:g} years, or nothing")
    return LabelledPhoto(path, (row["person"] or "").strip(), age, gender, expression)


def _true_class(photo: LabelledPhoto, trait: Trait) -> str | None:
    band = None if photo.age_years is None else age_band(photo.age_years)
    if trait is Trait.AGE_GENDER:
        return f"{photo.gender}_{band}" if photo.gender and band else None
    return {Trait.AGE: band, Trait.GENDER: photo.gender, Trait.EXPRESSION: photo.expression}[trait]


_Pictures = list[tuple[LabelledPhoto, NDArray[np.uint8]]]


def _readable(photos: tuple[LabelledPhoto, ...], left_out: Counter[str]) -> Iterator[_Pictures]:
    for start in range(0, len(photos), _PHOTOS_AT_A_TIME):
        pictures = [(photo, _read(photo.path)) for photo in photos[start : start + _PHOTOS_AT_A_TIME]]
        left_out["unreadable"] += sum(picture is None for _, picture in pictures)
        yield [(photo, picture) for photo, picture in pictures if picture is not None]


def _read(path: Path) -> NDArray[np.uint8] | None:
    """Return the BGR picture; None for what is too large or no picture."""
    if path.stat().st_size > MAX_PHOTO_BYTES:
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if picture is None or picture.shape[0] * picture.shape[1] > MAX_PHOTO_PIXELS:
        return None
    return np.asarray(picture, dtype=np.uint8)


def _good_crops(
    pictures: _Pictures, platform: Platform, left_out: Counter[str]
) -> tuple[NDArray[np.uint8], list[LabelledPhoto]]:
    """Return the crops (n, side, side, 3) of the largest faces that pass the gate, as they would be stored."""
    found = platform.detector.detect([picture for _, picture in pictures])
    seen = [(photo, picture, _largest(faces)) for (photo, picture), faces in zip(pictures, found, strict=True)]
    left_out["without_a_face"] += sum(face is None for _, _, face in seen)
    crops, measures, photos = [], [], []
    for photo, picture, face in seen:
        if face is not None:
            crop = align(picture, face.landmarks, platform.crop_template)
            quality = assess_faces(face, crop, template=platform.crop_template)
            measures.append((quality.size_px[0], face.scores[0], quality.sharpness[0], quality.yaw[0]))
            crops.append(decode_crop(encode_crop(crop[0])))
            photos.append(photo)
    if not crops:
        return np.empty((0, 0, 0, 3), np.uint8), []
    stacked = np.stack(crops)
    columns = zip(("size_px", "score", "sharpness", "yaw"), zip(*measures, strict=True), strict=True)
    table = pa.table({name: pa.array([float(each) for each in values], pa.float32()) for name, values in columns})
    vectors = platform.embedder.embed(stacked, mirror=platform.settings.embedding.mirror)
    good = good_enough(table, vectors, platform)
    left_out["under_the_quality_gate"] += int((~good).sum())
    return stacked[good], [photo for photo, is_good in zip(photos, good.tolist(), strict=True) if is_good]


def _largest(faces: Faces) -> Faces | None:
    if not len(faces):
        return None
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
    return faces.select(np.array([int(sides.prod(axis=1).argmax())]))
