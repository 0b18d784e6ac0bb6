"""The `face_embeddings` asset: one row per vector, computed from the aligned crops of `faces`."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.schemas import face_embeddings
from footfall_assets.storage.arrow import list_column
from footfall_assets.vision.faces import decode_crop
from models.alignment import CropTemplate, realign
from models.embedder import FaceEmbedder

Floats = NDArray[np.float32]

_LENGTH_TOLERANCE = 1e-3  # float32 sums of a few hundred squares stay well inside
_CROPS_AT_A_TIME = 256  # 150 x 150 x 3 bytes each: 17 MB


@dataclass(frozen=True)
class EmbeddingsPart:
    """The vectors of one batch; `invalid` counts faces left out for a vector that is none (see `usable`)."""

    table: pa.Table
    invalid: int


def embeddings_of_faces(
    faces: pa.Table, embedder: FaceEmbedder, template: CropTemplate, *, mirror: bool
) -> EmbeddingsPart:
    """Return the vectors of the faces that have a crop, in the table's order.

    Args:
        faces: rows of the `faces` asset.
        embedder: computes the vectors.
        template: the pose that the stored crops are in.
        mirror: average each face with its mirror image, where the embedder gains from it.
    """
    faces = faces.filter(faces["crop"].is_valid())
    average = mirror and embedder.spec.mirror_helps
    vectors = _embed(faces["crop"].to_pylist(), embedder, template, mirror=average)
    valid = usable(vectors)
    rows = faces.filter(pa.array(valid))
    table = pa.table(
        {
            "face_image_id": rows["face_image_id"],
            "model": pa.array([embedder.spec.name] * rows.num_rows, pa.string()),
            "vector": list_column(vectors[valid], embedder.dim),
            "quality": rows["quality"],
        },
        schema=face_embeddings(embedder.dim),
    )
    return EmbeddingsPart(table, int((~valid).sum()))


def usable(vectors: Floats) -> NDArray[np.bool_]:
    """Return which rows of (n, d) may enter a gallery: every number finite, the length one within a thousandth."""
    lengths = np.linalg.norm(np.where(np.isfinite(vectors), vectors, 0), axis=1)
    return np.asarray(np.isfinite(vectors).all(axis=1) & (np.abs(lengths - 1) < _LENGTH_TOLERANCE), dtype=np.bool_)


def _embed(crops: list[bytes], embedder: FaceEmbedder, template: CropTemplate, *, mirror: bool) -> Floats:
    wanted = embedder.spec.alignment or template
    found = [np.empty((0, embedder.dim), np.float32)]
    for start in range(0, len(crops), _CROPS_AT_A_TIME):
        pictures = np.stack([decode_crop(each) for each in crops[start : start + _CROPS_AT_A_TIME]])
        vectors = embedder.embed(realign(pictures, template, wanted), mirror=mirror)
        if vectors.shape != (len(pictures), embedder.dim):  # none of them can be told to be of one face
            vectors = np.zeros((len(pictures), embedder.dim), np.float32)
        found.append(vectors)
    return np.concatenate(found)
