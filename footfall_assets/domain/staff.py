"""Who is staff, by rules that need no template of anybody: where, for how long and when somebody is present."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Labels
from footfall_assets.domain.presence import Microseconds

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US


class ExclusionReason(StrEnum):
    """Why a visitor leaves all counts; where several hold, the first of this order is told."""

    EVENT = "event"  # a person said so
    STAFF_CAMERA = "staff_camera"
    STAFF_DWELL = "staff_dwell"
    STAFF_SCHEDULE = "staff_schedule"


@dataclass(frozen=True)
class Attendance:
    """One row a visitor, location and day, in that order.

    Attributes:
        person: (m,) number of the visitor.
        place: (m,) number of the location.
        day: (m,) number of the business day.
        first_us: (m,) first seen.
        last_us: (m,) last seen.
        present_us: (m,) microseconds from first to last sighting, summed over the visits of the day.
    """

    person: Labels
    place: Labels
    day: Labels
    first_us: Microseconds
    last_us: Microseconds
    present_us: Microseconds


def attendance(
    person: Labels, place: Labels, day: Labels, start_us: Microseconds, end_us: Microseconds, *, visit_gap_s: float
) -> Attendance:
    """Return how long each visitor was at each location on each day.

    Stays with gaps up to `visit_gap_s` are one visit, whose gaps count as presence: staff are seen now and then.

    Args:
        person: (n,) visitor of each stay.
        place: (n,) its location.
        day: (n,) its business day.
        start_us: (n,) its first moment.
        end_us: (n,) its last moment.
        visit_gap_s: seconds unseen that end a visit.
    """
    order = np.lexsort((start_us, day, place, person))
    person, place, day = person[order], place[order], day[order]
    start, end = start_us[order], end_us[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(person) != 0) | (np.diff(place) != 0) | (np.diff(day) != 0)
    begins = np.flatnonzero(new)
    row = np.cumsum(new) - 1
    # The latest end so far inside each group, in one pass: groups are lifted so that none reaches into the next.
    base = start[begins][row] if len(begins) else start
    lift = row * (3 * _DAY_US)
    latest = np.maximum.accumulate(end - base + lift) - lift + base
    before = np.concatenate([latest[:1], latest[:-1]])
    gap = np.where(new, 0, start - before)
    added = np.where(new, end - start, np.where(gap > visit_gap_s * 1e6, end - start, np.maximum(end - before, 0)))
    last = latest[np.append(begins[1:] - 1, len(order) - 1)] if len(begins) else latest
    present = np.add.reduceat(added, begins) if len(begins) else added
    return Attendance(person[begins], place[begins], day[begins], start[begins], last, present.astype(np.int64))


def by_staff_camera(person: Labels, stills: Labels, people: int, *, min_stills: int) -> NDArray[np.bool_]:
    """Return (people,) whether each was seen on `min_stills` stills or more of cameras that only staff pass.

    Args:
        person: (n,) visitor of each row.
        stills: (n,) stills of such cameras the row adds.
        people: number of visitors.
        min_stills: 1 or more.
    """
    return np.asarray(np.bincount(person, weights=stills, minlength=people) >= min_stills)


def by_dwell(seen: Attendance, people: int, *, min_hours: float, min_days: int) -> NDArray[np.bool_]:
    """Return (people,) whether each was at one location for more than `min_hours` on `min_days` days or more."""
    return _on_days(seen, seen.present_us > min_hours * _HOUR_US, people, min_days)


def by_schedule(
    seen: Attendance,
    shift_start_us: Microseconds,
    shift_end_us: Microseconds,
    people: int,
    *,
    tolerance_s: float,
    min_days: int,
) -> NDArray[np.bool_]:
    """Return (people,) whether the presence of each matches a shift on `min_days` days or more at one location.

    It matches where both the first and the last sighting lie within `tolerance_s` of the shift's start and end.

    Args:
        seen: m rows.
        shift_start_us: (m, k) start of the shifts that hold at the row's location and day; -1 where there is none.
        shift_end_us: (m, k) their ends.
        people: number of visitors.
        tolerance_s: seconds.
        min_days: 1 or more.
    """
    tolerance = tolerance_s * 1e6
    begins = np.abs(shift_start_us - seen.first_us[:, None]) <= tolerance
    ends = np.abs(shift_end_us - seen.last_us[:, None]) <= tolerance
    return _on_days(seen, (begins & ends & (shift_start_us >= 0)).any(axis=1), people, min_days)


def _on_days(seen: Attendance, holds: NDArray[np.bool_], people: int, min_days: int) -> NDArray[np.bool_]:
    pairs = np.stack([seen.person[holds], seen.place[holds]], axis=1)
    found, days = np.unique(pairs, axis=0, return_counts=True)
    staff = np.zeros(people, dtype=np.bool_)
    staff[found[days >= min_days, 0]] = True
    return staff
