"""The `face_attributes` asset: one row per face good enough to guess age, gender or expression of, where switched on.

Nothing here imports the models: they are loaded by `Platform` when the first face of a location asks for one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.attributes import EXPRESSIONS, Attribute
from footfall_assets.contracts.schemas import FACE_ATTRIBUTES
from footfall_assets.domain.founding import FaceMeasures, FoundingRules, may_found
from footfall_assets.platform import Platform
from footfall_assets.storage.arrow import matrix
from footfall_assets.vision.faces import decode_crop

if TYPE_CHECKING:
    from models.attributes import AgeGenderEstimator, ExpressionEstimator

_CROPS_AT_A_TIME: Final = 256  # 150 x 150 x 3 bytes each: 17 MB
_DEMOGRAPHIC: Final = frozenset({Attribute.AGE, Attribute.GENDER})

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class AttributesPart:
    """The attributes of one batch; `under_the_gate` counts faces that were not good enough to guess of."""

    table: pa.Table
    under_the_gate: int


def part_names(sources: Iterable[str], wanted: Sequence[Attribute]) -> dict[str, str]:
    """Return the parts that a partition consists of, each with the part of `face_embeddings` that it comes from.

    What is switched on is in the name: after a change no part fits, and every one is computed anew. None where nothing
    is switched on.
    """
    suffix = "-".join(sorted(wanted))
    return {f"{source}.{suffix}": source for source in sources} if wanted else {}


def attributes_of_faces(
    faces: pa.Table, embeddings: pa.Table, wanted: Sequence[Attribute], platform: Platform
) -> AttributesPart:
    """Return what is wanted of the faces that may found an identity, in the order of `embeddings`.

    The gate is that of identities: of small, blurred and turned faces, and of those the probe does not take for
    recognisable, nothing is guessed.

    Args:
        faces: rows of the `faces` asset.
        embeddings: rows of `face_embeddings` of the same batch.
        wanted: what the location has switched on; no other column is filled.
        platform: whose gate and models are used; only those models are loaded that are wanted.
    """
    row_of = {face: row for row, face in enumerate(faces["face_image_id"].to_pylist())}
    rows = pa.array([row_of[face] for face in embeddings["face_image_id"].to_pylist()], pa.int64())
    faces = faces.take(rows)
    good = good_enough(faces, matrix(embeddings["vector"]), platform)
    kept = faces.filter(pa.array(good))
    crops = kept["crop"].to_pylist()
    columns: dict[str, pa.Array] = {}
    if crops and _DEMOGRAPHIC & set(wanted):
        years, female = _age_gender(crops, platform.age_gender, platform)
        columns |= {"age_years": years} if Attribute.AGE in wanted else {}
        columns |= {"female": female} if Attribute.GENDER in wanted else {}
    if crops and Attribute.EXPRESSION in wanted:
        columns |= dict(zip(EXPRESSIONS, _expressions(crops, platform.expression, platform).T, strict=True))
    given = {"face_image_id": kept["face_image_id"], "models": pa.repeat(platform.attribute_models, len(crops))}
    filled = {name: pa.array(values, pa.float32()) for name, values in columns.items()}
    return AttributesPart(_whole(given | filled, len(crops)), int((~good).sum()))


def good_enough(faces: pa.Table, vectors: Floats, platform: Platform) -> Flags:
    """Return which faces, with their vectors (n, d), pass the gate of identities: of no other is anything guessed."""
    quality = platform.settings.quality
    rules = FoundingRules(
        quality.min_size_px, quality.min_score, quality.min_sharpness, quality.max_abs_yaw, probe=platform.probe
    )
    size_px, score, sharpness, yaw = (
        faces[name].to_numpy().astype(np.float32) for name in ("size_px", "score", "sharpness", "yaw")
    )
    return may_found(FaceMeasures(size_px, score, sharpness, yaw, vectors), rules)


def _whole(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    empty = pa.nulls(rows, pa.float32())
    return pa.table([columns.get(name, empty) for name in FACE_ATTRIBUTES.names], schema=FACE_ATTRIBUTES)


def _age_gender(crops: list[bytes], estimator: "AgeGenderEstimator", platform: Platform) -> tuple[Floats, Floats]:
    guesses = [estimator.estimate(each, template=platform.crop_template) for each in _pictures(crops)]
    return np.concatenate([each.age_years for each in guesses]), np.concatenate([each.female for each in guesses])


def _expressions(crops: list[bytes], estimator: "ExpressionEstimator", platform: Platform) -> Floats:
    guesses = [estimator.estimate(each, template=platform.crop_template) for each in _pictures(crops)]
    return np.concatenate([each.probabilities for each in guesses])


def _pictures(crops: list[bytes]) -> Iterable[NDArray[np.uint8]]:
    for start in range(0, len(crops), _CROPS_AT_A_TIME):
        yield np.stack([decode_crop(each) for each in crops[start : start + _CROPS_AT_A_TIME]])
