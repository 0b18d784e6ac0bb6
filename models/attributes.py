"""Optional estimates about a face: age, gender, expression. Off unless a location switches them on.

All are guesses of small networks about looks, not facts about people; use them in sums over many only.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from models.alignment import CropTemplate, realign
from models.embedder import model_input
from models.errors import ContractMismatch
from models.manifest import ModelSpec
from models.session import ModelSession

Floats = NDArray[np.float32]
Crops = NDArray[np.uint8]

_FACES_PER_RUN = 16


@dataclass(frozen=True, slots=True, eq=False)
class AgeGender:
    """`age_years` `(n,)` and `female` `(n,)`, the network's probability that the face looks female; float32."""

    age_years: Floats
    female: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Expressions:
    """`probabilities` `(n, 7)` float32 in the order of `LABELS`; each row sums to 1."""

    LABELS: ClassVar[tuple[str, ...]] = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

    probabilities: Floats


class AgeGenderEstimator(Protocol):
    """Guesses ages and genders."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the guesses."""
        ...

    def estimate(self, crops: Crops, *, template: CropTemplate) -> AgeGender:
        """Return one guess per crop.

        Args:
            crops: uint8 BGR `(n, side, side, 3)`.
            template: what the crops are aligned to; they are cut anew where the model wants another.
        """
        ...


class ExpressionEstimator(Protocol):
    """Guesses expressions."""

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the guesses."""
        ...

    def estimate(self, crops: Crops, *, template: CropTemplate) -> Expressions:
        """Return one guess per crop (arguments as in `AgeGenderEstimator.estimate`)."""
        ...


class FaceApiAgeGender:
    """face-api's age and gender network."""

    def __init__(self, session: ModelSession) -> None:
        self._session = session

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the guesses."""
        return self._session.spec

    def estimate(self, crops: Crops, *, template: CropTemplate) -> AgeGender:
        """Return one guess per crop (see `AgeGenderEstimator.estimate`)."""
        age, gender = _run_aligned(self._session, crops, template)
        return AgeGender(age_years=age[:, 0], female=gender[:, 1])


class FaceApiExpression:
    """face-api's expression network."""

    def __init__(self, session: ModelSession) -> None:
        self._session = session

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the guesses."""
        return self._session.spec

    def estimate(self, crops: Crops, *, template: CropTemplate) -> Expressions:
        """Return one guess per crop (see `ExpressionEstimator.estimate`)."""
        (probabilities,) = _run_aligned(self._session, crops, template)
        return Expressions(probabilities)


def _run_aligned(session: ModelSession, crops: Crops, template: CropTemplate) -> tuple[Floats, ...]:
    wanted = session.spec.alignment
    if wanted is None:
        raise ContractMismatch(f"model {session.spec.name!r} needs an alignment in the manifest")
    if crops.shape[1:] != (template.side_px, template.side_px, 3) or crops.dtype != np.uint8:
        raise ContractMismatch(f"crops {crops.dtype} {crops.shape} are not cut to {template.name!r}")
    images = model_input(realign(crops, template, wanted), session.spec.input)
    starts = range(0, max(len(images), 1), _FACES_PER_RUN)
    runs = [session.run(images[start : start + _FACES_PER_RUN]) for start in starts]
    return tuple(np.concatenate(column) for column in zip(*runs, strict=True))
