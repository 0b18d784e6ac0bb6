"""The unique visitor report: who came in a period and at some cameras, how often and where.

Visits are recomputed over the selected cameras: a stay seen only by the others does not count, and a pause that only
they would have filled ends a visit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import duckdb

from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.count_range import FacesSeen, Total
from footfall_assets.reporting.count import (
    SELECTED,
    CountBasis,
    basis_of,
    read_calibration,
    tree_summaries,
    window_totals,
)
from footfall_assets.reporting.count_text import NOT_ADDED
from footfall_assets.reporting.publication import fetch_rows
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.selection import Directory, Selection, read_directory, select_cameras

VISIT_GAP_S: Final = 3 * 3600  # seconds away that still belong to one visit (decision G4)
_SPANS_IN_MESSAGES: Final = 5  # runs of days a message lists before it only counts the rest

# One row a window and location, visitors or none: what was seen at all.
_SEEN_SQL: Final = f"""
select
    linkage_window,
    location_id,
    count(*) as sightings,
    count(*) filter (where visitor_id is null) as unidentified_sightings,
    count(*) filter (where unidentified_reason = 'count_only') as only_counted_sightings
from fct_sightings
where not is_excluded and {SELECTED}
group by linkage_window, location_id
order by linkage_window, location_id
"""  # noqa: S608 - a constant; what people ask for is bound

# Appearances of one visitor may overlap (two cameras), so a pause counts from the latest end so far, not from the last
# row. Local midnight ends a visit: the business day is part of the partition.
_VISITORS_SQL: Final = f"""
with
    selected as (
        select linkage_window, visitor_id, location_id, business_day, started_at, ended_at
        from fct_appearances
        where visitor_id is not null and {SELECTED}
    ),
    arrivals as (
        select
            linkage_window,
            visitor_id,
            location_id,
            coalesce(
                started_at > max(ended_at) over (
                    partition by linkage_window, visitor_id, location_id, business_day
                    order by started_at, ended_at
                    rows between unbounded preceding and 1 preceding
                ) + to_seconds($visit_gap_s),
                true
            ) as is_arrival
        from selected
    ),
    stays as (
        select
            linkage_window,
            visitor_id,
            location_id,
            count(*) as appearances,
            count(*) filter (where is_arrival) as visits
        from arrivals
        group by linkage_window, visitor_id, location_id
    ),
    visitors as (
        select
            linkage_window,
            visitor_id,
            sum(appearances)::bigint as total_appearances,
            sum(visits)::bigint as visits,
            list(struct_pack(location_id := location_id, appearances := appearances)) as frequencies
        from stays
        group by linkage_window, visitor_id
    )
"""  # noqa: S608 - a constant; what people ask for is bound

_LISTED_SQL: Final = f"""
{_VISITORS_SQL}
select linkage_window, visitor_id, total_appearances, visits, frequencies
from visitors
where total_appearances >= $min_appearances
order by total_appearances desc, visitor_id, linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound

# Who left all counts; a customer in front of a staff-only camera is none of them.
_EXCLUDED_SQL: Final = f"""
select linkage_window, count(distinct face_id) as excluded_visitors
from fct_sightings
where excluded_reason != 'staff_only_camera' and {SELECTED}
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound

_DAYS_SQL: Final = """
select distinct business_day
from fct_sightings
where
    not is_excluded
    and ($cameras::varchar[] is null or camera_id in (select unnest($cameras::varchar[])))
order by business_day
"""


@dataclass(frozen=True)
class WindowTotal:
    """The people of one linkage window; totals of several windows are never added.

    Attributes:
        linkage_window: such as `2024-01`.
        total: how many people there were, estimated; or why nobody can say.
        identified_visitors: visitors of the selection, whatever the least number of appearances.
        listed_visitors: rows of the list.
        excluded_visitors: staff, who are in no count.
    """

    linkage_window: str
    total: Total
    identified_visitors: int
    listed_visitors: int
    excluded_visitors: int = 0


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """One visitor of one linkage window; `frequencies`: appearances by location, most first, sum to the total."""

    linkage_window: str
    visitor_id: str
    total_appearances: int
    visits: int
    frequencies: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        by_location = sum(count for _, count in self.frequencies)
        if by_location != self.total_appearances:
            raise ValueError(
                f"visitor {self.visitor_id}: expected frequencies with sum {self.total_appearances}, got {by_location}"
            )


@dataclass(frozen=True)
class VisitorReport:
    """A finished report; `visitors` is what is listed, `windows` what was counted."""

    first_day: date
    last_day: date
    camera_group: str
    min_appearances: int
    windows: tuple[WindowTotal, ...]
    visitors: tuple[VisitorRow, ...]
    sightings: int
    unidentified_sightings: int
    visit_gap_s: int = VISIT_GAP_S
    notes: tuple[str, ...] = ()
    count_basis: CountBasis | None = None

    @property
    def total(self) -> Total:
        """The people of the period and cameras; without a number where it crosses windows, which cannot be added."""
        each = self.windows[0].total
        return Total(None, None, each.level, NOT_ADDED) if self.crosses_windows else each

    @property
    def listed_visitors(self) -> int:
        """The number of rows."""
        return len(self.visitors)

    @property
    def crosses_windows(self) -> bool:
        """Whether the data of the period come from more than one linkage window."""
        return len(self.windows) > 1


def visitor_report(
    connection: duckdb.DuckDBPyConnection, request: ReportRequest, *, visit_gap_s: int = VISIT_GAP_S
) -> VisitorReport:
    """Return the report of `request` from the visitor-level file of a publication.

    The total does not depend on `request.min_appearances`, which only shortens the list.

    Raises:
        CorruptObject: the calibration in the publication is not what was written.
        UserMistake: an unknown location, camera or camera group.
        NoData: the selected cameras saw no face in the period; the message names the days on which they did.
    """
    directory = read_directory(connection)
    selection = select_cameras(directory, request)
    period: dict[str, object] = {
        "first_day": request.first_day,
        "last_day": request.last_day,
        "cameras": selection.parameter,
    }
    seen = [_Seen(*row) for row in fetch_rows(connection, _SEEN_SQL, period)]
    if not seen:
        raise _no_sightings(connection, request, selection)
    calibration, trees = read_calibration(connection), tree_summaries(connection, period)
    limits: dict[str, object] = {"min_appearances": request.min_appearances, "visit_gap_s": visit_gap_s}
    visitors = tuple(
        VisitorRow(window, visitor, total, visits, _by_frequency(frequencies, directory))
        for window, visitor, total, visits, frequencies in fetch_rows(connection, _LISTED_SQL, period | limits)
    )
    return VisitorReport(
        first_day=request.first_day,
        last_day=request.last_day,
        camera_group=_camera_group(selection, {each.location_id for each in seen}),
        min_appearances=request.min_appearances,
        windows=_windows(
            window_totals(calibration, trees, _faces_by_window(seen)),
            {window: tree.listed for window, tree in trees.items()},
            visitors,
            dict(fetch_rows(connection, _EXCLUDED_SQL, period)),
        ),
        visitors=visitors,
        sightings=sum(each.sightings for each in seen),
        unidentified_sightings=sum(each.unidentified for each in seen),
        visit_gap_s=visit_gap_s,
        notes=_notes(directory, selection),
        count_basis=basis_of(calibration),
    )


@dataclass(frozen=True)
class _Seen:
    """What one location saw in one window."""

    linkage_window: str
    location_id: str
    sightings: int
    unidentified: int
    only_counted: int


def _faces_by_window(seen: Iterable[_Seen]) -> dict[str, FacesSeen]:
    found: dict[str, FacesSeen] = {}
    for each in seen:
        recognising = each.sightings - each.only_counted
        faces = FacesSeen(recognising, each.unidentified - each.only_counted, each.only_counted)
        found[each.linkage_window] = found.get(each.linkage_window, FacesSeen(0, 0)) + faces
    return found


def _windows(
    totals: Mapping[str, Total],
    identified: Mapping[str, int],
    visitors: Iterable[VisitorRow],
    excluded: Mapping[str, int],
) -> tuple[WindowTotal, ...]:
    listed = Counter(row.linkage_window for row in visitors)
    return tuple(
        WindowTotal(window, total, identified.get(window, 0), listed[window], excluded.get(window, 0))
        for window, total in totals.items()
    )


def _by_frequency(frequencies: Iterable[Mapping[str, Any]], directory: Directory) -> tuple[tuple[str, int], ...]:
    # Sorted here: sorting the lists in the query took three times as long as all the rest of it.
    labelled = ((directory.label(each["location_id"]), each["appearances"]) for each in frequencies)
    return tuple(sorted(labelled, key=lambda each: (-each[1], each[0])))


def _camera_group(selection: Selection, seen: set[str]) -> str:
    places = len(seen.union(selection.location_ids))
    stores = f"{places:,} Store Location{'' if places == 1 else 's'}"
    if selection.group_name is None or selection.camera_ids is None:
        return f"Selected Cameras across {stores}"
    cameras = len(selection.camera_ids)
    return f"{selection.group_name} ({cameras:,} camera{'' if cameras == 1 else 's'}) across {stores}"


def _notes(directory: Directory, selection: Selection) -> tuple[str, ...]:
    counted = [
        each.label
        for each in directory.locations.values()
        if each.mode == "count_only" and each.location_id in selection.location_ids
    ]
    if not counted:
        return ()
    return (f"No visitors are identified at {', '.join(sorted(counted))}: mode count_only, faces are counted only.",)


def _no_sightings(connection: duckdb.DuckDBPyConnection, request: ReportRequest, selection: Selection) -> NoData:
    days = [day for (day,) in fetch_rows(connection, _DAYS_SQL, {"cameras": selection.parameter})]
    if not days:
        return NoData(
            f"the selected cameras saw no face from {request.period.label}, nor on any other day; "
            "select other cameras, or process what they sent: footfall run"
        )
    return NoData(
        f"the selected cameras saw no face from {request.period.label}; days with data: {spans(days)}; "
        "ask for a period that holds some of them"
    )


def spans(days: list[date]) -> str:
    """Return sorted `days` as runs, `2024-01-01 to 2024-01-03, 2024-01-07`; the first five, then how many more."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    shown = [f"{first}" if first == last else f"{first} to {last}" for first, last in runs[:_SPANS_IN_MESSAGES]]
    more = len(runs) - len(shown)
    return ", ".join(shown) + (f" and {more} more runs of days" if more else "")
