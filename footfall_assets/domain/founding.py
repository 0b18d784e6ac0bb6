"""Which faces may found an identity: big, clear and frontal enough, and recognisable to the embedder.

Small, blurred and masked faces match strangers hundreds of times too often, and the detector's score sees none of it
(DESIGN section 7). What is left of a face shows in its own vector: a logistic probe on it tells spoilt faces from good
ones. A face that may not found an identity may still join one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Floats
from footfall_assets.domain.local_visitors import UnidentifiedReason

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Probe:
    """A vector v is recognisable where `weights . v + bias >= 0`; `weights` (d,) float32."""

    weights: Floats
    bias: float

    def recognisable(self, vectors: Floats) -> Flags:
        """Return which unit vectors (n, d) come from a face that can be told from others."""
        return np.asarray(vectors @ self.weights + self.bias >= 0, dtype=np.bool_)


@dataclass(frozen=True)
class FoundingRules:
    """See QualitySettings for the meaning of the numbers; without a probe every vector is taken for recognisable."""

    min_size_px: float
    min_score: float
    min_sharpness: float
    max_abs_yaw: float
    probe: Probe | None = None


@dataclass(frozen=True)
class FaceMeasures:
    """What is measured of n faces, each (n,) float32, and their vectors (n, d)."""

    size_px: Floats
    score: Floats
    sharpness: Floats
    yaw: Floats
    vector: Floats


def founding_reasons(faces: FaceMeasures, rules: FoundingRules) -> list[UnidentifiedReason | None]:
    """Return for each face the first reason why it may not found an identity, or None where it may."""
    checks: Sequence[tuple[UnidentifiedReason, Flags]] = [
        (UnidentifiedReason.TOO_SMALL, faces.size_px < rules.min_size_px),
        (UnidentifiedReason.LOW_SCORE, faces.score < rules.min_score),
        (UnidentifiedReason.TOO_BLURRED, faces.sharpness < rules.min_sharpness),
        (UnidentifiedReason.EXTREME_POSE, np.abs(faces.yaw) > rules.max_abs_yaw),
    ]
    if rules.probe is not None:
        checks = [*checks, (UnidentifiedReason.UNRECOGNISABLE, ~rules.probe.recognisable(faces.vector))]
    failed = np.stack([fails for _, fails in checks], axis=1)
    first = np.where(failed.any(axis=1), failed.argmax(axis=1), -1)
    reasons = [reason for reason, _ in checks]
    return [reasons[number] if number >= 0 else None for number in first.tolist()]


def may_found(faces: FaceMeasures, rules: FoundingRules) -> Flags:
    """Return which faces may found an identity."""
    return np.array([reason is None for reason in founding_reasons(faces, rules)], dtype=np.bool_)
