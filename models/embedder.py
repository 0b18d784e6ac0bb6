"""From aligned crops to unit vectors that lie close together for one person."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models import _ops
from models.contract import InputContract
from models.errors import ContractMismatch
from models.manifest import ModelSpec
from models.session import Floats, ModelSession, Pixels, SessionBacked

Crops = NDArray[np.uint8]

# On two cores dlib's ResNet does 533 faces/s one by one, 731 in eights, 757 in sixteens, 787 in thirty-twos.
_FACES_PER_RUN = 16


class FaceEmbedder(Protocol):
    """Turns faces into vectors."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the vectors; its `alignment` is the template the crops must be cut to."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""
        ...

    def embed(self, crops: Crops, *, mirror: bool = True) -> Floats:
        """Return one unit-length vector per crop, `(n, dim)` float32.

        Args:
            crops: uint8 BGR `(n, side, side, 3)`, aligned to the model's template.
            mirror: average each face with its mirror image (twice the work, fewer misses).

        Raises:
            ContractMismatch: the crops have another size or type.
        """
        ...


class OnnxEmbedder(SessionBacked):
    """Any embedder in the style of ArcFace: one image in, one vector out, described by its manifest entry.

    The same crops give the same bits on every call. How the caller splits them into calls matters only as far as
    the network's arithmetic depends on the batch size, which is float noise (see tests/models/test_embedder.py).

    Raises:
        ContractMismatch: the manifest entry is not an embedder's, or the model does not give one vector of the declared
            length per crop. It is tried on black crops first, so that no day's work begins with a model that fails.
    """

    def __init__(self, session: ModelSession, *, faces_per_run: int = _FACES_PER_RUN) -> None:
        spec = session.spec
        if spec.embedding_dim is None or spec.alignment is None:
            raise ContractMismatch(f"model {spec.name!r} is a {spec.kind.value}, not a face_embedder")
        if faces_per_run < 1:
            raise ValueError(f"faces_per_run must be at least 1, got {faces_per_run}")
        super().__init__(session)
        self._dim = spec.embedding_dim
        self._side_px = spec.alignment.side_px
        self._images_per_run = faces_per_run if session.takes_batches else 1
        self._try_out()

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    def embed(self, crops: Crops, *, mirror: bool = True) -> Floats:
        """Return one unit-length vector per crop (see `FaceEmbedder.embed`)."""
        expected = (self._side_px, self._side_px, 3)
        if crops.dtype != np.uint8 or crops.shape[1:] != expected:
            raise ContractMismatch(
                f"{self.spec.name!r} takes uint8 crops (n, {self._side_px}, {self._side_px}, 3),"
                f" got {crops.dtype} {crops.shape}"
            )
        vectors = _ops.unit_rows(self._vectors(crops))
        if mirror:
            vectors = _ops.unit_rows(vectors + _ops.unit_rows(self._vectors(crops[:, :, ::-1])))
        return vectors

    def _try_out(self) -> None:
        """Run as many black crops at a time as ever, but at most two, and one."""
        crops = np.zeros((min(2, self._images_per_run), self._side_px, self._side_px, 3), dtype=np.uint8)
        self._vectors(crops[:1])
        try:
            self._vectors(crops)
        except ContractMismatch as error:
            raise ContractMismatch(
                f"{error}; one crop at a time works: set input.batch = 'fixed_one' in the manifest"
            ) from error

    def _vectors(self, crops: Crops) -> Floats:
        vectors = np.empty((len(crops), self._dim), dtype=np.float32)
        for start in range(0, len(crops), self._images_per_run):
            chunk = crops[start : start + self._images_per_run]
            vectors[start : start + len(chunk)] = self._run(chunk)
        return vectors

    def _run(self, crops: Crops) -> Floats:
        output = self._session.run(model_input(crops, self.spec.input))[0]
        if output.shape[:1] != (len(crops),) or output.size != len(crops) * self._dim:
            raise ContractMismatch(
                f"model {self.spec.name!r}: expected {len(crops)} vectors of {self._dim} numbers for as many crops, got"
                f" {output.shape}; correct embedding_dim, or choose the output by outputs.name or outputs.index"
            )
        return output.reshape(len(crops), self._dim)


def model_input(images: Crops, contract: InputContract) -> Pixels:
    """Bring uint8 BGR images `(n, height, width, 3)` into a model's layout, colour order, type and range."""
    ordered = images if contract.colour == "bgr" else images[..., ::-1]
    if contract.dtype == "uint8":
        return np.ascontiguousarray(ordered if contract.layout == "nhwc" else ordered.transpose(0, 3, 1, 2))
    mean, scale = (np.asarray(each, dtype=np.float32) for each in (contract.mean, contract.scale))
    scaled = ((ordered.astype(np.float32) - mean) * scale).astype(contract.dtype, copy=False)
    return np.ascontiguousarray(scaled if contract.layout == "nhwc" else scaled.transpose(0, 3, 1, 2))
