"""What a calibration knows: which thresholds, which faces are recognisable, how a list becomes a count, and how well.

It belongs to one embedder (its identity: file and input contract) and one way of linking. Another embedder, or another
threshold, has no calibration until one is made for it, and then no count is estimated.
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from footfall_assets.contracts.ids import digest_of

LEVELS: Final = (0.8, 0.9, 0.95)  # of the intervals that are calibrated
DEFAULT_LEVEL: Final = 0.9

Numbers = tuple[float, ...]
Range = tuple[float, float]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ProbeWeights(_Record):
    """A logistic probe: an embedding v is recognisable where `weights . v + bias >= 0`."""

    weights: Numbers
    bias: float


class CountWeights(_Record):
    """The numbers of `domain.estimate.CountModel`, and the range of stores it was fitted on."""

    centre: Numbers
    scale: Numbers
    weight: Numbers
    intercept: float
    spread: tuple[float, float, float]
    low: dict[float, float]
    high: dict[float, float]
    listed: tuple[int, int]  # identities, fewest and most
    feature_ranges: tuple[Range, ...]  # of each feature, lowest and highest


class Evaluation(_Record):
    """How well it did on people that fitted nothing."""

    people: int
    stores: int
    median_error: float  # |estimate / truth - 1|
    coverage: dict[float, float]  # share of intervals that held the truth, by level
    median_width: float  # of the interval at the default level, over the estimate
    false_match_rate: float  # between strangers' templates at the window's threshold, upper 95 % bound


class Calibration(_Record):
    """Everything a site needs to count with one embedder."""

    format: Literal["footfall-calibration/1"] = "footfall-calibration/1"
    embedder: str  # ModelSpec.identity
    origin: str = Field(max_length=400)  # where the labels come from, in words that a report can print
    made_on: date
    window_max_distance: float = Field(gt=0, lt=2)  # the threshold it holds for
    cuts: Annotated[Numbers, Field(min_length=2)]  # of the merge tree, cosine distances, rising
    probe: ProbeWeights | None
    count: CountWeights
    evaluation: Evaluation

    @property
    def digest(self) -> str:
        """Hash of its content, which names it."""
        return digest_of(self.model_dump_json())
