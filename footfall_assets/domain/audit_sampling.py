"""Which of the questions an audit asks: a stratified random sample, dense where the count is decided.

Strata are (link or gap) x band of the mean distance around the threshold x rank among the neighbours x same or other
location. The number drawn from each follows Neyman (1934): its size times the standard deviation of its answers, as far
as `audit_estimate.PRIOR` lets one expect. Inclusion probabilities are drawn / size.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Labels
from footfall_assets.domain.audit_estimate import PRIOR, features, logistic
from footfall_assets.domain.audit_questions import Questions

# Upper ends of the bands, as shares of the threshold.
CLEAR_LINK: Final = 0.75  # times the threshold: links below it are clear cases
_LINK_BANDS: Final = (CLEAR_LINK, 0.9)
FARTHEST: Final = 2.0  # times the threshold; beyond it only an identity's nearest other is asked about
_GAP_BANDS: Final = (1.1, 1.3, 1.6, FARTHEST)
_RANKS: Final = 3  # a gap is asked about if one of the two is among the nearest so many of the other
_FEWEST: Final = 2  # questions a stratum, or there is no variance
_CLEAR: Final = 0.03  # share of the questions that go to the farthest gaps, beyond the fewest
_REPEATED: Final = 0.05  # share of the questions that are asked twice
_BEYOND: Final = "clear"
NEAR_BAND: Final = (0.75, 1.3)  # times the threshold: what is called near it


@dataclass(frozen=True)
class Strata:
    """How questions are grouped, and how many of each group are drawn.

    Attributes:
        name: of each stratum.
        of: (q,) stratum of each question.
        size: (s,) questions in each.
        drawn: (s,) how many of them are asked.
        available: (q,) whether a question can be asked at all.
    """

    name: tuple[str, ...]
    of: Labels
    size: Labels
    drawn: Labels
    available: NDArray[np.bool_]

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Which strata (s,) lie so far apart that they are asked as clear cases only."""
        return np.array([name == _BEYOND for name in self.name], dtype=np.bool_)


@dataclass(frozen=True)
class Draw:
    """The questions to ask: rows among all questions, each once, and which of them a second time."""

    asked: Labels
    repeated: Labels


def stratify(
    questions: Questions,
    same_location: NDArray[np.bool_],
    available: NDArray[np.bool_],
    *,
    threshold: float,
    count: int,
) -> Strata:
    """Return the strata of all questions and how `count` of them are spread.

    Args:
        questions: all that could be asked.
        same_location: (q,) whether the two of each were seen at one location.
        available: (q,) whether a question can be asked; which of a stratum can must not depend on the answer.
        threshold: `window_max_distance` of the solve.
        count: how many to ask; more where the strata are many, fewer where there are not so many questions.
    """
    texts = _names(questions, same_location, threshold)
    name, of, size = np.unique(texts, return_inverse=True, return_counts=True)
    chance = logistic(features(questions, threshold) @ PRIOR.mean)
    spread = np.asarray(np.bincount(of, np.sqrt(chance * (1 - chance)), minlength=len(name)), dtype=np.float64)
    most = np.bincount(of, available, minlength=len(name)).astype(np.int64)
    clear = name == _BEYOND
    fewest = np.where(clear, max(_FEWEST, round(_CLEAR * count)), _FEWEST)
    spread[clear | (most == 0)] = 0
    drawn = _allocate(most, spread, np.minimum(fewest, most), count)
    return Strata(tuple(str(each) for each in name), of, size, drawn, available)


def _names(questions: Questions, same_location: NDArray[np.bool_], threshold: float) -> NDArray[np.str_]:
    share = questions.height / threshold
    link = np.array(["below 0.75", "0.75 to 0.9", "above 0.9"])[np.digitize(share, _LINK_BANDS)]
    gap = np.array(["below 1.1", "1.1 to 1.3", "1.3 to 1.6", "1.6 to 2", "above 2"])[np.digitize(share, _GAP_BANDS)]
    rank = np.where(questions.farther == 0, "each the nearest", np.where(questions.nearer == 0, "one nearest", "near"))
    place = np.where(same_location, "same location", "other location")
    parts = np.where(questions.linked, _joined("link", link, place), _joined(_joined("gap", gap, rank), place))
    beyond = ~questions.linked & ((questions.nearer >= _RANKS) | ((share > FARTHEST) & (questions.nearer > 0)))
    return np.where(beyond, _BEYOND, parts)


def _joined(*texts: str | NDArray[np.str_]) -> NDArray[np.str_]:
    joined = np.asarray(texts[0])
    for text in texts[1:]:
        joined = np.strings.add(np.strings.add(joined, ", "), text)
    return joined


def _allocate(most: Labels, spread: NDArray[np.float64], fewest: Labels, count: int) -> Labels:
    """Return how many to draw of each stratum: from `fewest` to `most`, in proportion to `spread`."""
    drawn = fewest.astype(np.float64)
    open_ = spread > 0
    for _ in range(len(most)):
        free = count - drawn[~open_].sum()
        share = free * spread / max(float(spread[open_].sum()), 1e-300)
        drawn = np.where(open_, share, drawn)
        over, under = open_ & (drawn > most), open_ & (drawn < fewest)
        if not (over | under).any():
            break
        # Those that want too much come first: what they leave is for the others.
        fixed = over if over.any() else under
        drawn = np.where(fixed, np.where(over, most, fewest), drawn)
        open_ &= ~fixed
    return np.asarray(np.clip(np.round(drawn), fewest, most), dtype=np.int64)


def draw(strata: Strata, chance: np.random.Generator) -> Draw:
    """Return a simple random sample without replacement of each stratum, and the questions to repeat."""
    asked = [
        chance.choice(np.flatnonzero((strata.of == number) & strata.available), int(drawn), replace=False)
        for number, drawn in enumerate(strata.drawn)
    ]
    rows = np.sort(np.concatenate(asked)) if asked else np.empty(0, np.int64)
    repeats = min(len(rows), max(round(_REPEATED * len(rows)), min(5, len(rows))))
    return Draw(rows, np.sort(chance.choice(rows, repeats, replace=False)) if len(rows) else rows)
