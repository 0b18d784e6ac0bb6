"""How many people came, those included whose face never showed; or why nobody can say.

What a door counter says of the visits that took place, beside the visits with a face, gives each location's visibility.
From there `visit_thinning` finds who was never seen. A number needs a counter for enough of the period and of the
locations, faces in enough of the visits, and counters that the faces do not contradict.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, sqrt
from typing import Final

import numpy as np

from footfall_assets.domain.count_range import Total
from footfall_assets.domain.fusion import FACES, FusedVisits, HourlyCounts, fuse
from footfall_assets.domain.visit_thinning import SeenPeople, Thinning, people_behind, with_people

LEAST_COUNTED: Final = 0.5  # of the visits with a face, in hours that a counter saw too
LEAST_AT_COUNTED_PLACES: Final = 0.8  # of the visits with a face; the other locations are taken to be like these
MOST_COUNTED_PLACES: Final = 100  # at once: each is measured hour by hour, some 4 ms
LEAST_VISIBILITY: Final = 0.1  # of the visits: below, nine of ten are guessed
MOST_VISIBILITY_ERROR: Final = 0.2  # standard deviation of its log
LEAST_PEOPLE: Final = 30  # seen at all
MOST_OPEN: Final = 3.0  # times that the interval's upper end may be the lower one
BEYOND_ENTRIES: Final = 2.6  # errors that visits with a face may exceed those counted by; by chance 1 in 100 does
_LEVEL: Final = 0.9
_Z: Final = 1.6449  # of a normal distribution, two-sided 90 %

NO_COUNTER: Final = (
    "no door counter covers these locations and days; a person or none filter alone counts nobody without a face. "
    "Import what a counter says: footfall import counts"
)


@dataclass(frozen=True)
class CountedPlace:
    """What the faces and the counters of one location say together.

    Attributes:
        name: of the location, for people.
        visits: with a face, in the whole period.
        compared_visits: those in hours that a counter saw too.
        took_place: visits in these hours, seen or not; None where nobody can say.
        error: standard deviation of the log of `took_place`.
        reason: why nobody can say.
    """

    name: str
    visits: int
    compared_visits: int = 0
    took_place: float | None = None
    error: float = 0.0
    reason: str | None = None


@dataclass(frozen=True)
class Visibility:
    """The chance that a visit shows the face, by location, and the standard deviation of the log of all together."""

    chances: Mapping[str, float]
    overall: float
    error: float


@dataclass(frozen=True, eq=False)
class PlaceHours:
    """One location: its visits with a face in the period, and hour by hour what its counters said.

    `given` has the visits with a face as `FACES`, of the hours that any counter saw; None without a counter.
    """

    name: str
    visits: int
    given: HourlyCounts | None = None


def refused_at_once(visits: Mapping[str, int], counted: Collection[str]) -> str | None:
    """Return why nobody can say how many came, as far as that shows before any hour is looked at.

    Args:
        visits: with a face, by location.
        counted: the locations of which a counter says anything.
    """
    places = [each for each in visits if each in counted]
    if not places:
        return NO_COUNTER
    if len(places) > MOST_COUNTED_PLACES:
        return (
            f"people whose face never showed are estimated for at most {MOST_COUNTED_PLACES} locations with a door "
            f"counter at once, these are {len(places):,}; choose fewer locations"
        )
    return _too_few_at_counters(sum(visits[each] for each in places), sum(visits.values()))


def counted_places(places: Mapping[str, PlaceHours]) -> dict[str, CountedPlace]:
    """Return what the hours of each location say of its visibility, from all its counters at once.

    Locations that saw too little for a visibility of their own get that of all these together.
    """
    found = {key: counted_place(place) for key, place in places.items()}
    small = {key: place for key, place in places.items() if place.given is not None and not found[key].took_place}
    if len(small) < 2:  # noqa: PLR2004 - there is nobody to put together
        return found
    together = counted_place(_together(list(small.values())))
    if not together.took_place:
        return found
    chance = together.compared_visits / together.took_place
    for key, place in small.items():
        seen = _compared_visits(place.given) if place.given is not None else 0
        found[key] = CountedPlace(place.name, place.visits, seen, max(seen, 1) / chance, together.error)
    return found


def counted_place(place: PlaceHours) -> CountedPlace:
    """Return what the hours of one location say."""
    if place.given is None:
        return CountedPlace(place.name, place.visits)
    fused = fuse(place.given)
    if fused.reason:
        return CountedPlace(place.name, place.visits, reason=fused.reason)
    if FACES not in fused.sources:
        return CountedPlace(
            place.name, place.visits, reason="too few visits were seen by both a counter and the cameras"
        )
    seen = _compared_visits(place.given)
    took_place = float(seen / fused.sources[FACES].factor)
    return CountedPlace(place.name, place.visits, seen, took_place, _error(fused, took_place))


def _compared_visits(given: HourlyCounts) -> int:
    counted = np.any([np.isfinite(given.counts[each]) for each in given.errors], axis=0)
    return int(np.nansum(given.counts[FACES][counted])) if given.errors else 0


def _together(places: Sequence[PlaceHours]) -> PlaceHours:
    """Return several locations as one: hours below hours, days of their own."""
    given = [place.given for place in places if place.given is not None]
    names = sorted({name for each in given for name in each.counts})
    days = 1 + max(int(each.day.max()) for each in given)
    unknown = [np.full(len(each.day), np.nan) for each in given]
    return PlaceHours(
        " and ".join(place.name for place in places),
        sum(place.visits for place in places),
        HourlyCounts(
            day=np.concatenate([each.day + number * days for number, each in enumerate(given)]),
            counts={
                name: np.concatenate([each.counts.get(name, none) for each, none in zip(given, unknown, strict=True)])
                for name in names
            },
            errors={name: error for each in given for name, error in each.errors.items()},
        ),
    )


def _error(fused: FusedVisits, took_place: float) -> float:
    by_day = sqrt(sum(error**2 for error in fused.day_error.values())) / took_place
    return sqrt(fused.scale_error**2 + by_day**2)


def visibility(places: Mapping[str, CountedPlace]) -> Visibility | str:
    """Return each location's visibility, or the first reason against saying so.

    A location without a counter of its own is taken to be as the others together.
    """
    known = {key: each for key, each in places.items() if each.took_place}
    if not known:
        reasons = sorted({f"{each.name}: {each.reason}" for each in places.values() if each.reason})
        return reasons[0] if reasons else NO_COUNTER
    refused = _too_little(places, known) or _contradicted(known.values())
    if refused:
        return refused
    seen = sum(each.compared_visits for each in known.values())
    took_place = sum(each.took_place or 0.0 for each in known.values())
    overall = min(1.0, seen / took_place)
    # Counters of one kind err alike, so their errors do not cancel over the locations.
    error = sum((each.took_place or 0.0) * each.error for each in known.values()) / took_place
    error = sqrt(error**2 + (1 - overall) / max(seen, 1))
    if overall < LEAST_VISIBILITY:
        return f"faces show in {overall:.0%} of the visits, less than {LEAST_VISIBILITY:.0%}: look at the cameras' view"
    if error > MOST_VISIBILITY_ERROR:
        return (
            f"the visits that took place are known to {error:.0%} only, more than {MOST_VISIBILITY_ERROR:.0%}; count "
            "by hand for some hours and import that as source manual"
        )
    chances = {key: min(1.0, each.compared_visits / (each.took_place or 1.0)) for key, each in known.items()}
    return Visibility({key: chances.get(key, overall) for key in places}, overall, error)


def _too_little(places: Mapping[str, CountedPlace], known: Mapping[str, CountedPlace]) -> str | None:
    visits = sum(each.visits for each in places.values())
    compared = sum(each.compared_visits for each in known.values()) / max(visits, 1)
    refused = _too_few_at_counters(sum(each.visits for each in known.values()), visits)
    if refused:
        return refused
    if compared < LEAST_COUNTED:
        return (
            f"{compared:.0%} of the visits with a face were in hours that a door counter saw, less than "
            f"{LEAST_COUNTED:.0%}; choose days with counts, or import the missing ones: footfall import counts"
        )
    return None


def _too_few_at_counters(visits_there: int, visits: int) -> str | None:
    share = visits_there / max(visits, 1)
    if share >= LEAST_AT_COUNTED_PLACES:
        return None
    return (
        f"{share:.0%} of the visits with a face were at locations with a door counter, less than "
        f"{LEAST_AT_COUNTED_PLACES:.0%}; choose those, or import counts of the others: footfall import counts"
    )


def _contradicted(places: Iterable[CountedPlace]) -> str | None:
    for place in places:
        times = place.compared_visits / (place.took_place or 1.0)
        if log(max(times, 1e-9)) > BEYOND_ENTRIES * sqrt(place.error**2 + 1 / max(place.compared_visits, 1)):
            return (
                f"{place.name} had {times:.2f} visits with a face for each one counted, more than the counter's error "
                "explains: it misses people or an entrance, or visits are cut in two; check the counter"
            )
    return None


def people_including_unseen(
    total: Total, seen: Sequence[SeenPeople], found: Visibility | str, *, seed: int = 0
) -> Total:
    """Return the people who came, seen or not, with an interval at 90 %; or why nobody can say.

    Args:
        total: the people with a face, with its interval or its reason.
        seen: the list behind it, by how often each was seen, in groups of one visibility.
        found: the visibility of their locations, or why it is not known.
        seed: of the draws.
    """
    listed = sum(group.seen for group in seen)
    reason = _refusal(total, listed, found)
    if reason is not None or isinstance(found, str) or not total.people or not total.interval:
        return Total(None, None, _LEVEL, reason or "nobody was seen")
    groups = tuple(with_people(group, total.people / listed) for group in seen)
    low, high = (max(1, bound) for bound in total.interval)
    estimate = people_behind(Thinning(groups, found.error, log(high / low) / (2 * _Z)), seed=seed)
    if estimate.high > MOST_OPEN * estimate.low:
        return Total(
            None,
            None,
            _LEVEL,
            f"anything from {floor(estimate.low):,} to {ceil(estimate.high):,} people would explain what was seen; "
            "choose a longer period, or bring the cameras to show more faces",
        )
    people = max(total.people, round(estimate.people))
    bounds = (min(people, max(total.interval[0], floor(estimate.low))), max(people, ceil(estimate.high)))
    return Total(people, bounds, _LEVEL, None)


def _refusal(total: Total, listed: float, found: Visibility | str) -> str | None:
    if total.reason is not None:
        return f"the people with a face are not estimated: {total.reason}"
    if isinstance(found, str):
        return found
    if listed < LEAST_PEOPLE:
        return f"{listed:,.0f} visitors were seen, fewer than the {LEAST_PEOPLE} needed to learn how often people come"
    return None


def grouped(rows: Iterable[tuple[float, int, int]]) -> tuple[SeenPeople, ...]:
    """Return (chance, times seen, people) as groups of one chance, lowest first."""
    groups: dict[float, dict[int, int]] = {}
    for chance, times, people in rows:
        of_chance = groups.setdefault(chance, {})
        of_chance[times] = of_chance.get(times, 0) + people
    return tuple(
        SeenPeople(chance, tuple(float(of_chance.get(times, 0)) for times in range(1, max(of_chance) + 1)))
        for chance, of_chance in sorted(groups.items())
    )
