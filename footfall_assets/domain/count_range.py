"""Whether a total may be given: the estimate inside what its calibration has seen, a reason outside of it.

Inside the range of list sizes that fitted it, an estimate stands as it is. Beyond, strangers begin to match: each of N
listed visitors meets N x false match rate others by mistake. Up to a budget of such mistakes the interval is widened by
what they can hide, further on nobody knows who is who and the count is refused.
"""

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Final

from footfall_assets.domain.estimate import (
    SIZE_CLASSES,
    CountEstimate,
    CountModel,
    TreeSummary,
    estimate,
    features,
)
from footfall_assets.domain.strangers import Strangers

# Others whom a listed visitor matches by mistake, at most: one in ten visitors is then somebody else as well.
MOST_FALSE_MATCHES: Final = 0.1
# How far a feature may lie outside of what the calibration has seen: a share of that range's width ...
RANGE_TOLERANCE: Final = 0.1
LEAST_TOLERANCE: Final = 0.01  # ... and at least so much, where all stores were alike
# Of the sightings where visitors are recognised, at most. The calibration's stores show up to a third of hard faces.
MOST_UNIDENTIFIED: Final = 0.5

NO_CUTS: Final = "the visitors were linked without the calibration's cuts, as on provisional days"
_LISTED: Final = 0  # place of the feature that says how many are listed; it has limits of its own


@dataclass(frozen=True)
class CountRange:
    """What a calibration has seen.

    Attributes:
        listed: fewest and most identities of a store.
        features: lowest and highest value of each feature of `domain.estimate`.
        false_match_rate: between the templates of two strangers at the window's threshold, an upper bound.
    """

    listed: tuple[int, int]
    features: tuple[tuple[float, float], ...]
    false_match_rate: float

    def at_site(self, strangers: Strangers | None) -> "CountRange":
        """Return the range with the false match rate that the site's own certain strangers speak for."""
        if strangers is None or not strangers.pairs:
            return self
        return replace(self, false_match_rate=strangers.rate_beside(self.false_match_rate))

    @property
    def budget(self) -> int:
        """The longest list on which people can be told apart."""
        if self.false_match_rate * self.listed[1] >= MOST_FALSE_MATCHES:
            return self.listed[1]
        return floor(MOST_FALSE_MATCHES / self.false_match_rate) if self.false_match_rate else _ANY


_ANY: Final = 2**63 - 1  # a list can never be so long


@dataclass(frozen=True)
class CountCalibration:
    """A fitted correction and the range it holds for."""

    model: CountModel
    range: CountRange


@dataclass(frozen=True)
class FacesSeen:
    """Sightings that are in the counts.

    Attributes:
        recognised_here: sightings at locations that recognise visitors.
        unidentified: how many of these belong to no visitor.
        only_counted: sightings at locations that count faces without recognising anybody.
    """

    recognised_here: int
    unidentified: int
    only_counted: int = 0

    def __add__(self, other: "FacesSeen") -> "FacesSeen":
        """Return the sightings of both."""
        return FacesSeen(
            self.recognised_here + other.recognised_here,
            self.unidentified + other.unidentified,
            self.only_counted + other.only_counted,
        )


@dataclass(frozen=True)
class Total:
    """Distinct people with at least one face that may found an identity, or why there is no such number.

    Attributes:
        people: the estimate; None where it is refused.
        interval: lowest and highest number of people; None where it is refused.
        level: chance that the interval holds the truth.
        reason: why it is refused; None where it is not.
    """

    people: int | None
    interval: tuple[int, int] | None
    level: float
    reason: str | None

    def __post_init__(self) -> None:
        if (self.people is None) != (self.interval is None) or (self.people is None) != (self.reason is not None):
            raise ValueError(f"expected a number with its interval, or a reason, got {self}")
        if self.people is not None and self.interval and not self.interval[0] <= self.people <= self.interval[1]:
            raise ValueError(f"expected an interval around {self.people}, got {self.interval}")


def judge(
    calibration: CountCalibration | None,
    tree: TreeSummary,
    faces: FacesSeen,
    level: float,
    strangers: Strangers | None = None,
) -> Total:
    """Return how many people are behind a selection's list, or the first reason against saying so.

    Args:
        calibration: of the embedder and threshold behind the list; None where there is none.
        tree: the local visitors of the selection; no clusters where the cuts are not known.
        faces: the sightings of the selection.
        level: of the interval; one that the calibration knows.
        strangers: of the site, in the same linkage window; None where nobody was seen beside somebody else.
    """
    if tree.listed == 0 and not faces.only_counted:
        return Total(0, (0, 0), level, None)
    if calibration is not None:
        calibration = replace(calibration, range=calibration.range.at_site(strangers))
    reason = _refusal(calibration, tree, faces)
    if reason is not None or calibration is None:
        return Total(None, None, level, reason)
    return _estimated(calibration, tree, level)


def _refusal(calibration: CountCalibration | None, tree: TreeSummary, faces: FacesSeen) -> str | None:
    if tree.listed == 0:
        return "visitors are not recognised at these locations, faces are counted only"
    if calibration is None:
        return "no calibration for this embedder and threshold"
    if not tree.clusters or min(tree.clusters) == 0:
        return NO_CUTS
    if not len(features(tree)) == len(calibration.range.features) == len(calibration.model.centre):
        return "the calibration is of another version of the estimate"
    return _of_another_size(tree, calibration.range) or _too_few_recognised(faces) or _unlike(tree, calibration.range)


def _of_another_size(tree: TreeSummary, known: CountRange) -> str | None:
    if tree.listed < known.listed[0]:
        return f"{tree.listed:,} listed visitors are fewer than the {known.listed[0]:,} the calibration begins with"
    if tree.listed > known.budget:
        return f"{tree.listed:,} listed visitors are more than the {known.budget:,} whom this embedder can tell apart"
    return None


def _too_few_recognised(faces: FacesSeen) -> str | None:
    share = faces.unidentified / faces.recognised_here if faces.recognised_here else 0.0
    if share <= MOST_UNIDENTIFIED:
        return None
    return f"{share:.0%} of the sightings show nobody who can be recognised, more than {MOST_UNIDENTIFIED:.0%}"


def _unlike(tree: TreeSummary, known: CountRange) -> str | None:
    """Return which feature lies farthest outside of what was seen, if any lies too far."""
    found = features(tree).tolist()
    names = feature_names(tree)
    beyond = []
    for number, (value, (low, high)) in enumerate(zip(found, known.features, strict=True)):
        tolerance = max(RANGE_TOLERANCE * (high - low), LEAST_TOLERANCE)
        excess = max(low - value, value - high) / tolerance
        if number != _LISTED and excess > 1:
            beyond.append((excess, -number))
    if not beyond:
        return None
    worst = -max(beyond)[1]
    low, high = known.features[worst]
    return (
        f"the visits are unlike those of the calibration: {names[worst]} is {found[worst]:.3f}, "
        f"seen were {low:.3f} to {high:.3f}"
    )


def feature_names(tree: TreeSummary) -> list[str]:
    """Return what each feature of a summary is called; features without a name of their own are numbered."""
    cuts = [f"log of clusters at cut {cut} over listed" for cut in range(1, len(tree.clusters) + 1)]
    sizes = [f"share of visitors with {size} local visitors" for size in range(1, SIZE_CLASSES + 1)]
    names = ["log of listed", "log of local visitors over listed", *cuts, *sizes]
    return names + [f"feature {number}" for number in range(len(names), len(features(tree)))]


def _estimated(calibration: CountCalibration, tree: TreeSummary, level: float) -> Total:
    most = calibration.range.listed[1]
    if tree.listed <= most:
        return _rounded(estimate(calibration.model, tree, level), 1.0, 1.0, level)
    # Each false match that the longer list adds, N / 2 pairs a visitor, hides a person or was corrected in vain.
    hidden = 1.0 + calibration.range.false_match_rate * (tree.listed - most) / 2
    found = estimate(calibration.model, in_proportion(tree, most), level)
    return _rounded(found, tree.listed / most, hidden, level)


def in_proportion(tree: TreeSummary, listed: int) -> TreeSummary:
    """Return a summary of the same visits with fewer people listed.

    What was learnt about the length of a list is not carried on beyond the longest list it was learnt from.
    """
    share = listed / tree.listed
    return TreeSummary(
        local_visitors=round(tree.local_visitors * share),
        clusters=tuple(max(1, round(count * share)) for count in tree.clusters),
        listed=listed,
        sizes=tuple(round(count * share) for count in tree.sizes),
    )


def _rounded(found: CountEstimate, times: float, wider: float, level: float) -> Total:
    people = max(1, round(found.people * times))
    low, high = floor(found.low * times / wider), ceil(found.high * times * wider)
    return Total(people, (max(1, min(low, people)), max(high, people)), level, None)
