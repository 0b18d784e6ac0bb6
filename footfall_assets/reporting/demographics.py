"""Shares of visitors by age and gender, corrected for how the classifier errs at each location.

Nothing here is about one visitor: counts come from `demographics_daily`, which says nothing of fewer than the least
number of different visitors, and shares from `domain.shares`. A location without a measured confusion has no shares.
Shares by expression are in `expressions`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from footfall_assets.contracts.attributes import CLASSES, Trait
from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.domain.shares import ClassDraws, classes_behind, share_estimate
from footfall_assets.reporting.publication import fetch_frame, fetch_rows
from footfall_assets.reporting.request import Period

MEASUREMENTS_AT_MOST: Final = 50  # different confusions behind one answer; each takes about half a second
_MAY_PREVAIL: Final = 0.05  # chance of being the largest, below which a class is not named beside the others
_SEED: Final = 0

_BANDS: Final = {
    "0_17": "under 18",
    "18_25": "18 to 25",
    "26_35": "26 to 35",
    "36_50": "36 to 50",
    "51_65": "51 to 65",
    "66_up": "66 and over",
}
_GENDERS: Final = {"female": "women", "male": "men"}
SUPPRESSED: Final = {
    "no_confusion": "nobody has measured how the classifier errs at the location",
    "day_not_over": "the day was not over",
    "too_few_visitors": "too few different visitors",
}

_SWITCHED_SQL: Final = """
select location_id, attribute, legal_basis, notice_since, valid_from, valid_to
from location_attributes
where
    location_id in (select unnest($locations::varchar[]))
    and valid_from <= $last_day
    and (valid_to is null or valid_to > $first_day)
order by location_id, attribute, valid_from
"""
_CONFUSION_SQL: Final = """
select location_id, digest, true_class, labelled_class, people, origin, made_on, accuracy
from attribute_confusion
where trait = $trait and location_id in (select unnest($locations::varchar[]))
"""
_COUNTS_SQL: Final = """
select location_id, class, sum(visitors)::bigint as visitors
from demographics_daily
where
    trait = $trait
    and visitors is not null
    and business_day between $first_day and $last_day
    and location_id in (select unnest($locations::varchar[]))
group by location_id, class
order by location_id, class
"""
_LEFT_OUT_SQL: Final = """
select suppressed_reason, count(distinct (location_id, business_day))
from demographics_daily
where
    trait = $trait
    and suppressed_reason is not null
    and business_day between $first_day and $last_day
    and location_id in (select unnest($locations::varchar[]))
group by suppressed_reason
order by suppressed_reason
"""


@dataclass(frozen=True)
class ClassShare:
    """The share of one class with its 90 % interval; `largest` is the chance that no class has more."""

    name: str
    label: str
    share: float
    low: float
    high: float
    largest: float


@dataclass(frozen=True)
class Measurement:
    """One measured confusion behind an answer: of how many labelled people, and where their labels come from."""

    digest: str
    origin: str
    made_on: date
    people: int
    accuracy: float | None
    location_ids: tuple[str, ...]


@dataclass(frozen=True)
class TraitShares:
    """Shares of a trait; none where nothing may be said, and then `left_out` says why.

    Attributes:
        visitor_days: visitors, each counted once a day and location, that the shares are of.
        left_out: location-days (for expression camera-days) of which nothing is said, by reason.
    """

    trait: Trait
    visitor_days: int
    shares: tuple[ClassShare, ...]
    left_out: tuple[tuple[str, int], ...]
    measurements: tuple[Measurement, ...]

    @property
    def prevailing(self) -> ClassShare | None:
        """The class that is the largest with a chance of at least 90 %, None where none is."""
        return next((each for each in self.shares if each.largest >= 0.9), None)  # noqa: PLR2004 - domain.shares.LEVEL


def switched_on(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return what was switched on at these locations in the period, a row a version: basis, notice, first and last day.

    Raises:
        NoData: the publication was made before attributes could be switched on.
    """
    return asked_of(connection, _SWITCHED_SQL, _days(period) | {"locations": list(location_ids)})


def trait_shares(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...], trait: Trait
) -> TraitShares:
    """Return the shares of a trait other than expression over whole days, at all these locations together.

    Raises:
        UserMistake: more confusions are behind them than `MEASUREMENTS_AT_MOST`.
        NoData: as `switched_on`.
    """
    asked = _days(period) | {"locations": list(location_ids), "trait": str(trait)}
    counts = asked_of(connection, _COUNTS_SQL, asked)
    left_out = left_out_days(connection, _LEFT_OUT_SQL, asked)
    confusions = confusions_at(connection, trait, location_ids)
    return corrected_shares(trait, counts, confusions, left_out)


def class_label(trait: Trait, name: str) -> str:
    """Return a class as people read it, such as `women 18 to 25`."""
    if trait is Trait.AGE_GENDER:
        gender, _, band = name.partition("_")
        return f"{_GENDERS[gender]} {_BANDS[band]}"
    return {**_BANDS, **_GENDERS}.get(name, name)


def prevalence_sentence(shown: TraitShares) -> str:
    """Return who prevails, where the interval supports it, or between whom it is open."""
    if not shown.shares:
        return "Nothing can be said of who prevails."
    best = shown.prevailing
    if best:
        return f"{best.label.capitalize()} prevail: {share_text(best)} of visitor-days."
    open_to = sorted((each for each in shown.shares if each.largest >= _MAY_PREVAIL), key=lambda each: -each.largest)
    named = "; ".join(f"{each.label} {share_text(each)}" for each in open_to)
    return f"No group clearly prevails. The largest may be: {named}."


def share_text(share: ClassShare) -> str:
    """Return a share with its interval, such as `31 % (24 to 38 %)`."""
    return f"{share.share:.0%} ({100 * share.low:.0f} to {share.high:.0%})".replace("%", " %")


def left_out_sentence(left_out: Iterable[tuple[str, int]], *, what: str) -> str:
    """Return of how many days nothing is said and why, empty where there are none; `what` is counted, in the plural."""
    told = [f"{count} {what}, since {SUPPRESSED.get(reason, reason)}" for reason, count in left_out]
    return f"Nothing is said of {'; of '.join(told)}." if told else ""


def shares_frame(shown: TraitShares) -> pd.DataFrame:
    """Return the shares as a table: `class`, `label`, `share`, `low`, `high` (0 to 1)."""
    rows = [(each.name, each.label, each.share, each.low, each.high) for each in shown.shares]
    return pd.DataFrame(rows, columns=["class", "label", "share", "low", "high"])


@dataclass(frozen=True)
class Confusion:
    """A measured confusion: (k, k) labelled people by true class and label."""

    measurement: Measurement
    counts: NDArray[np.int64]


def confusions_at(
    connection: duckdb.DuckDBPyConnection, trait: Trait, location_ids: tuple[str, ...]
) -> tuple[Confusion, ...]:
    """Return how a trait is confused at these locations, one for all that were measured alike; raises NoData."""
    rows = asked_of(connection, _CONFUSION_SQL, {"trait": str(trait), "locations": list(location_ids)})
    names, found = CLASSES[trait], []
    for digest, several in rows.groupby("digest", sort=True):
        locations = tuple(sorted(several["location_id"].unique()))
        one = several[several["location_id"] == locations[0]]
        counts = np.zeros((len(names), len(names)), np.int64)
        for true, labelled, people in one[["true_class", "labelled_class", "people"]].itertuples(index=False):
            counts[names.index(true), names.index(labelled)] = people
        first = one.iloc[0]
        accuracy = None if pd.isna(first["accuracy"]) else float(first["accuracy"])
        measured = Measurement(
            str(digest), str(first["origin"]), first["made_on"], int(counts.sum()), accuracy, locations
        )
        found.append(Confusion(measured, counts))
    return tuple(found)


def corrected_shares(
    trait: Trait,
    counts: pd.DataFrame,
    confusions: tuple[Confusion, ...],
    left_out: tuple[tuple[str, int], ...],
    *,
    draws: int | None = None,
) -> TraitShares:
    """Return the shares of all locations together; those measured alike are corrected as one.

    Args:
        trait: whose classes are counted.
        counts: `location_id`, `class`, `visitors` by label.
        confusions: as `confusions_at` returns them.
        left_out: what the answer says of the days of which nothing is said.
        draws: how many; as many as `domain.shares` takes by itself where None.

    Raises:
        UserMistake: more confusions are behind them than `MEASUREMENTS_AT_MOST`.
    """
    names, total = CLASSES[trait], None
    used = [each for each in confusions if counts["location_id"].isin(each.measurement.location_ids).any()]
    if len(used) > MEASUREMENTS_AT_MOST:
        raise UserMistake(
            f"expected at most {MEASUREMENTS_AT_MOST} different measurements of the classifier's errors behind one "
            f"answer, these locations have {len(used)}; choose fewer locations"
        )
    for each in used:
        rows = counts[counts["location_id"].isin(each.measurement.location_ids)]
        by_class = rows.groupby("class")["visitors"].sum()
        labels = np.array([int(by_class.get(name, 0)) for name in names], np.int64)
        if labels.sum():
            more = {"draws": draws} if draws else {}
            found = classes_behind(labels, each.counts, seed=_SEED, **more)
            total = found if total is None else total + found
    shares = _class_shares(trait, total) if total else ()
    return TraitShares(trait, total.people if total else 0, shares, left_out, tuple(each.measurement for each in used))


def _class_shares(trait: Trait, found: ClassDraws) -> tuple[ClassShare, ...]:
    estimate = share_estimate(found)
    columns = (estimate.share, estimate.low, estimate.high, estimate.largest)
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(
        ClassShare(name, class_label(trait, name), *each) for name, each in zip(CLASSES[trait], numbers, strict=True)
    )


def left_out_days(
    connection: duckdb.DuckDBPyConnection, sql: str, asked: Mapping[str, object]
) -> tuple[tuple[str, int], ...]:
    """Return the days of which nothing is said, by reason, as `sql` counts them."""
    return tuple((str(reason), int(count)) for reason, count in fetch_rows(connection, sql, asked))


def _days(period: Period) -> dict[str, object]:
    return {"first_day": period.first_day, "last_day": period.last_day}


def asked_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    """Return the rows of a query about attributes.

    Raises:
        NoData: the publication was made before there were any.
    """
    try:
        return fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData(
            "this publication says nothing of age, gender or expression; publish again: footfall run"
        ) from error
