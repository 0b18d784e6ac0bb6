"""Stores full of labelled people, drawn by chance: who visits when, in which company, seen in which stills.

What is drawn here is the truth. The resolver gets faces, times and boxes only; how often people come, how many come
together and how many there are changes from seed to seed, so that nothing can be tuned to one crowd.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.calibration.labelled_people import LabelledStills, StillKind
from footfall_assets.domain.linkage import Floats, Labels
from footfall_assets.domain.tracklets import FaceEvidence

STILLS_A_VISIT: Final = 3
INTERVAL_S: Final = 5.0
_OPEN_S: Final = 10 * 3600
_DAY_S: Final = 24 * 3600
_STRIDE_SHARE: Final = 1.2  # of the face's width: how far somebody walks between two stills at most
_LANE_PX: Final = 400.0  # between people side by side
_APART_S: Final = 3600  # between two visits of a day
_LARGEST_PARTY: Final = 3
_MOST_GROUPED: Final = 0.3  # of visits
_MOST_LOCATIONS, _FEWEST_LOCATIONS = 5, 2
_MOST_DAYS, _FEWEST_DAYS = 8, 3


class VisitMix(StrEnum):
    """How often people come."""

    UNIFORM = "uniform"
    MOSTLY_SINGLE = "mostly_single"
    LOYAL = "loyal"


@dataclass(frozen=True)
class StorePlan:
    """What is drawn per seed, and which share of the visits shows a hard face beside the clean ones."""

    visitors: int
    mix: VisitMix
    seed: int
    hard_share: float = 0.0


@dataclass(frozen=True)
class StoreVisits:
    """Everybody's visits, v in all, and the stills that show them, n in all, in the order of time.

    Attributes:
        person: (v,) number of the person.
        location, day: (v,) where and on which day.
        still: (n,) row of the LabelledStills.
        visit: (n,) row of the visit.
        image: (n,) number of the picture; people who come together share pictures.
        camera: (n,) number of the camera, unique over locations.
        time_us: (n,) microseconds.
        box: (n, 4) xyxy in pixels.
    """

    person: Labels
    location: Labels
    day: Labels
    still: Labels
    visit: Labels
    image: Labels
    camera: Labels
    time_us: NDArray[np.int64]
    box: Floats

    def evidence(self, rows: Labels, vectors: Floats) -> FaceEvidence:
        """Return the faces at `rows` as the local solve takes them."""
        return FaceEvidence(
            image=self.image[rows],
            camera=self.camera[rows],
            time_us=self.time_us[rows],
            box=self.box[rows],
            interval_s=np.full(len(rows), INTERVAL_S),
            vector=vectors[self.still[rows]],
        )


def visit_counts(mix: VisitMix, visitors: int, rng: np.random.Generator) -> Labels:
    """Return how often each of so many visitors comes, at least once; the mix's own numbers are drawn too."""
    if mix is VisitMix.UNIFORM:
        return rng.integers(1, int(rng.integers(3, 6)) + 1, visitors)
    if mix is VisitMix.MOSTLY_SINGLE:
        again = rng.uniform(size=visitors) < rng.uniform(0.1, 0.3)
        return np.where(again, rng.integers(2, 4, visitors), 1)
    return 1 + rng.poisson(rng.uniform(1.5, 3.0), visitors)


def draw_store(stills: LabelledStills, people: Labels, plan: StorePlan) -> StoreVisits:
    """Return the visits of `plan.visitors` of these people.

    Another photograph each visit, as far as a person has so many: one photograph would make a visitor look the same for
    ever. So only people with two or more come back; where the mix asks for more returning visitors, they come once.

    Args:
        stills: of all people.
        people: numbers of those who may be drawn.
        plan: how many, how often and the seed.

    Raises:
        ValueError: fewer people than visitors.
    """
    if plan.visitors > len(people):
        raise ValueError(f"expected at least {plan.visitors} people to draw from, got {len(people)}")
    rng = np.random.default_rng(plan.seed)
    counts = np.sort(visit_counts(plan.mix, plan.visitors, rng))
    chosen, counts = _people_for(stills, people, counts, rng)
    locations = int(rng.integers(_FEWEST_LOCATIONS, _MOST_LOCATIONS + 1))
    days = int(rng.integers(_FEWEST_DAYS, _MOST_DAYS + 1))
    trips = _trips(counts, locations, days, grouped=float(rng.uniform(0, _MOST_GROUPED)), rng=rng)
    return _photographed(stills, chosen, trips, plan.hard_share, rng)


def _people_for(
    stills: LabelledStills, people: Labels, counts: Labels, rng: np.random.Generator
) -> tuple[Labels, Labels]:
    """Return a person for each visitor (counts rising), and the counts that their photographs allow."""
    clean = stills.kind == StillKind.CLEAN
    pairs = np.unique(np.stack([stills.person[clean], stills.photo[clean]]), axis=1)
    photos = np.bincount(pairs[0], minlength=int(people.max()) + 1)[people]
    several = rng.permutation(people[photos > 1])
    single = rng.permutation(people[photos == 1])
    often = min(int((counts > 1).sum()), len(several))
    returning = several[:often][np.argsort(photos_of(several[:often], people, photos), kind="stable")]
    rest = np.concatenate([single, several[often:]])[: len(counts) - often]
    allowed = counts.copy()
    allowed[: len(rest)] = 1
    return np.concatenate([rng.permutation(rest), returning]), allowed


def photos_of(chosen: Labels, people: Labels, photos: Labels) -> Labels:
    """Return how many photographs each of the chosen has."""
    order = np.argsort(people, kind="stable")
    return np.asarray(photos[order][np.searchsorted(people[order], chosen)], dtype=np.int64)


@dataclass(frozen=True)
class _Trip:
    members: tuple[int, ...]
    location: int
    day: int
    start_s: float


def _trips(counts: Labels, locations: int, days: int, *, grouped: float, rng: np.random.Generator) -> list[_Trip]:
    """Return trips; nobody is at one location twice a day, nor at two at once."""
    left = counts.copy()
    taken: set[tuple[int, int, int]] = set()
    busy: dict[tuple[int, int], list[float]] = {}
    trips = []
    for visitor in rng.permutation(np.repeat(np.arange(len(counts)), counts)).tolist():
        if left[visitor] == 0:
            continue
        company = [visitor]
        if rng.uniform() < grouped:
            others = np.flatnonzero(left > 0)
            size = int(rng.integers(1, _LARGEST_PARTY))
            company += [each for each in rng.choice(others, min(size, len(others)), replace=False) if each != visitor]
        for _ in range(20):
            location, day = int(rng.integers(locations)), int(rng.integers(days))
            start = float(rng.uniform(0, _OPEN_S))
            free = all(
                (each, location, day) not in taken
                and all(abs(start - other) > _APART_S for other in busy.get((each, day), ()))
                for each in company
            )
            if free:
                break
        else:
            left[visitor] -= 1  # no free hour is left in so few days
            continue
        for each in company:
            left[each] -= 1
            taken.add((each, location, day))
            busy.setdefault((each, day), []).append(start)
        trips.append(_Trip(tuple(company), location, day, start))
    return sorted(trips, key=lambda trip: (trip.day, trip.start_s))


def _photographed(
    stills: LabelledStills,
    chosen: Labels,
    trips: list[_Trip],
    hard_share: float,
    rng: np.random.Generator,
) -> StoreVisits:
    album = _Album.of(stills)
    visits: list[tuple[int, int, int]] = []
    rows: list[tuple[int, int, int, int, int]] = []
    boxes: list[list[float]] = []
    seen = np.zeros(len(chosen), np.int64)
    images = 0
    for trip in trips:
        camera = trip.location * 2 + int(rng.integers(2))
        middle = {member: 300.0 + _LANE_PX * lane for lane, member in enumerate(trip.members)}
        numbers = {}
        for member in trip.members:
            numbers[member] = len(visits)
            visits.append((int(chosen[member]), trip.location, trip.day))
        shown = {
            member: album.visit(int(chosen[member]), int(seen[member]), hard_share, rng) for member in trip.members
        }
        for turn in range(STILLS_A_VISIT):
            at_us = int((trip.day * _DAY_S + trip.start_s + turn * INTERVAL_S) * 1e6)
            for member in trip.members:
                if turn >= len(shown[member]):
                    continue
                still = shown[member][turn]
                width = float(stills.size_px[still])
                middle[member] += float(rng.uniform(-_STRIDE_SHARE, _STRIDE_SHARE)) * width
                rows.append((still, numbers[member], images, camera, at_us))
                boxes.append([middle[member] - width / 2, 100, middle[member] + width / 2, 100 + 1.3 * width])
            images += 1
        seen[list(trip.members)] += 1
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    stays = np.array(visits, dtype=np.int64).reshape(-1, 3)
    return StoreVisits(
        person=stays[:, 0],
        location=stays[:, 1],
        day=stays[:, 2],
        still=table[:, 0],
        visit=table[:, 1],
        image=table[:, 2],
        camera=table[:, 3],
        time_us=table[:, 4],
        box=np.array(boxes, np.float32).reshape(-1, 4),
    )


@dataclass(frozen=True)
class _Album:
    """The rows of LabelledStills of each person: by photograph the clean ones, and the hard ones of each photograph."""

    clean: dict[int, list[Labels]]
    hard: dict[int, list[Labels]]

    @classmethod
    def of(cls, stills: LabelledStills) -> "_Album":
        clean: dict[int, list[Labels]] = {}
        hard: dict[int, list[Labels]] = {}
        order = np.argsort(stills.photo, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(stills.photo[order])) + 1):
            person = int(stills.person[rows[0]])
            good = stills.kind[rows] == StillKind.CLEAN
            if good.any():
                clean.setdefault(person, []).append(rows[good])
                hard.setdefault(person, []).append(rows[~good])
        return cls(clean, hard)

    def visit(self, person: int, number: int, hard_share: float, rng: np.random.Generator) -> list[int]:
        """Return the stills of a person's visit of that number (from 0); a share of them is hard."""
        photo = number % len(self.clean[person])
        rows = rng.permutation(self.clean[person][photo])[:STILLS_A_VISIT].tolist()
        hard = self.hard[person][photo]
        return [
            int(rng.choice(hard)) if len(hard) and hard_share and rng.uniform() < hard_share else int(row)
            for row in rows
        ]
