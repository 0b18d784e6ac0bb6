"""The unique visitor report: who came in a period and at some cameras, how often and where.

The list is `visitor_list`'s; here is the report around it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Final

import duckdb

from footfall_assets.contracts.calibration import DEFAULT_LEVEL
from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.count_range import FacesSeen, Total
from footfall_assets.domain.unseen import NO_COUNTER
from footfall_assets.reporting.count import (
    CountBasis,
    basis_of,
    read_calibration,
    read_strangers,
    tree_summaries,
    window_totals,
)
from footfall_assets.reporting.count_text import NOT_ADDED
from footfall_assets.reporting.provisional_days import (
    ProvisionalDays,
    read_provisional_days,
    with_provisional_reasons,
)
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.request import Period, ReportRequest
from footfall_assets.reporting.selected_rows import SELECTED, SelectedRows, in_file, rows_of, selected_rows
from footfall_assets.reporting.selection import Directory, Selection, read_directory, select_cameras
from footfall_assets.reporting.unseen import totals_incl_unseen
from footfall_assets.reporting.visitor_list import all_visitors, listed_by_window
from footfall_assets.reporting.visitor_stays import VisitorRow

VISIT_GAP_S: Final = 3 * 3600  # seconds away that still belong to one visit (decision G4)
_SPANS_IN_MESSAGES: Final = 5  # runs of days a message lists before it only counts the rest

# One row a window and location, visitors or none: what was seen at all.
_SEEN_SQL: Final = {
    to_the_minute: f"""
select
    linkage_window,
    location_id,
    count(*) as sightings,
    count(*) filter (where visitor_id is null) as unidentified_sightings,
    count(*) filter (where unidentified_reason = 'count_only') as only_counted_sightings
from {rows} as selected
where not is_excluded
group by linkage_window, location_id
order by linkage_window, location_id
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in rows_of("fct_sightings", "captured_at").items()
}
# The same of whole days from what is summed up already: a thousandth of the rows.
_SEEN_DAILY_SQL: Final = f"""
select
    linkage_window,
    location_id,
    sum(sightings)::bigint,
    sum(unidentified_sightings)::bigint,
    sum(only_counted_sightings)::bigint
from sightings_daily
where {SELECTED}
group by linkage_window, location_id
order by linkage_window, location_id
"""  # noqa: S608 - a constant; what people ask for is bound

# Who left all counts; a customer in front of a staff-only camera is none of them.
_EXCLUDED_SQL: Final = {
    to_the_minute: f"""
select linkage_window, count(distinct face_id) as excluded_visitors
from {rows} as selected
where excluded_reason != 'staff_only_camera'
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in rows_of("fct_sightings", "captured_at").items()
}

_DAYS_SQL: Final = """
select distinct business_day
from fct_sightings
where
    not is_excluded
    and ($cameras::varchar[] is null or camera_id in (select unnest($cameras::varchar[])))
order by business_day
"""


_NOT_ASKED: Final = Total(None, None, DEFAULT_LEVEL, NO_COUNTER)


@dataclass(frozen=True)
class WindowTotal:
    """The people of one linkage window; totals of several windows are never added.

    Attributes:
        linkage_window: such as `2024-01`.
        total: how many people there were, estimated; or why nobody can say.
        identified_visitors: visitors of the selection, whatever the least number of appearances.
        listed_visitors: rows of the list.
        excluded_visitors: staff, who are in no count.
        total_incl_unseen: how many people came, those included whose face never showed; or why nobody can say.
    """

    linkage_window: str
    total: Total
    identified_visitors: int
    listed_visitors: int
    excluded_visitors: int = 0
    total_incl_unseen: Total = _NOT_ASKED


@dataclass(frozen=True)
class VisitorReport:
    """A report; `windows` is what was counted, `visitors` what is listed, or nothing where only the head was asked.

    `starts_at` and `ends_at` are those of the period that was asked for; `provisional_days` lie in it.
    """

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
    starts_at: time | None = None
    ends_at: time | None = None
    provisional_days: tuple[ProvisionalDays, ...] = ()

    @property
    def period(self) -> Period:
        """The time that was asked for."""
        return Period(self.first_day, self.last_day, self.starts_at, self.ends_at)

    @property
    def total(self) -> Total:
        """The people of the period and cameras; without a number where it crosses windows, which cannot be added."""
        each = self.windows[0].total
        return Total(None, None, each.level, NOT_ADDED) if self.crosses_windows else each

    @property
    def total_incl_unseen(self) -> Total:
        """The people of the period and cameras, seen or not; as `total` where it crosses windows."""
        each = self.windows[0].total_incl_unseen
        return Total(None, None, each.level, NOT_ADDED) if self.crosses_windows else each

    @property
    def listed_visitors(self) -> int:
        """The number of rows of the list."""
        return sum(window.listed_visitors for window in self.windows)

    @property
    def crosses_windows(self) -> bool:
        """Whether the data of the period come from more than one linkage window."""
        return len(self.windows) > 1


def visitor_report(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    *,
    visit_gap_s: int = VISIT_GAP_S,
    allowed: Iterable[str] | None = None,
) -> VisitorReport:
    """Return the report of `request` from the visitor-level file of a publication, with all rows of its list.

    The total does not depend on `request.min_appearances`, which only shortens the list. `allowed` are the locations
    that may be asked for; None for all.

    Raises:
        CorruptObject: the calibration in the publication is not what was written.
        UserMistake: an unknown location, camera or camera group.
        NoData: the selected cameras saw no face in the period; the message names the days on which they did.
    """
    places = None if allowed is None else tuple(allowed)
    head = visitor_head(connection, request, visit_gap_s=visit_gap_s, allowed=places)
    pieces = all_visitors(connection, request, visit_gap_s=visit_gap_s, allowed=places)
    return replace(head, visitors=tuple(row for piece in pieces for row in piece))


def visitor_head(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    *,
    visit_gap_s: int = VISIT_GAP_S,
    allowed: Iterable[str] | None = None,
) -> VisitorReport:
    """Return the report without the rows of its list, which may be millions; otherwise as `visitor_report`."""
    directory = read_directory(connection, allowed=allowed)
    selection = select_cameras(directory, request)
    rows = selected_rows(directory, selection, request.period)
    seen = _seen(connection, rows)
    if not seen:
        raise _no_sightings(connection, request, selection)
    calibration = read_calibration(connection)
    provisional = read_provisional_days(connection, request.first_day, request.last_day)
    trees = tree_summaries(connection, rows.parameters, to_the_minute=rows.to_the_minute)
    totals = with_provisional_reasons(
        window_totals(calibration, trees, _faces_by_window(seen), read_strangers(connection)), provisional
    )
    return VisitorReport(
        first_day=request.first_day,
        last_day=request.last_day,
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        camera_group=_camera_group(selection, {each.location_id for each in seen}),
        min_appearances=request.min_appearances,
        windows=_windows(
            totals,
            totals_incl_unseen(connection, directory, rows, totals),
            {window: tree.listed for window, tree in trees.items()},
            listed_by_window(connection, rows, min_appearances=request.min_appearances),
            dict(fetch_rows(connection, *in_file(connection, _EXCLUDED_SQL[rows.to_the_minute], rows.parameters))),
        ),
        visitors=(),
        sightings=sum(each.sightings for each in seen),
        unidentified_sightings=sum(each.unidentified for each in seen),
        visit_gap_s=visit_gap_s,
        notes=_notes(directory, selection),
        count_basis=basis_of(calibration),
        provisional_days=tuple(each for each in provisional if each.is_in_period),
    )


@dataclass(frozen=True)
class _Seen:
    """What one location saw in one window."""

    linkage_window: str
    location_id: str
    sightings: int
    unidentified: int
    only_counted: int


def _seen(connection: duckdb.DuckDBPyConnection, rows: SelectedRows) -> list[_Seen]:
    """Return what was seen; publications of before have every sighting and no sums."""
    is_summed = not rows.to_the_minute and has_table(connection, "sightings_daily")
    sql = _SEEN_DAILY_SQL if is_summed else _SEEN_SQL[rows.to_the_minute]
    return [_Seen(*row) for row in fetch_rows(connection, *in_file(connection, sql, rows.parameters))]


def _faces_by_window(seen: Iterable[_Seen]) -> dict[str, FacesSeen]:
    found: dict[str, FacesSeen] = {}
    for each in seen:
        recognising = each.sightings - each.only_counted
        faces = FacesSeen(recognising, each.unidentified - each.only_counted, each.only_counted)
        found[each.linkage_window] = found.get(each.linkage_window, FacesSeen(0, 0)) + faces
    return found


def _windows(
    totals: Mapping[str, Total],
    incl_unseen: Mapping[str, Total],
    identified: Mapping[str, int],
    listed: Mapping[str, int],
    excluded: Mapping[str, int],
) -> tuple[WindowTotal, ...]:
    return tuple(
        WindowTotal(
            linkage_window=window,
            total=total,
            identified_visitors=identified.get(window, 0),
            listed_visitors=listed.get(window, 0),
            excluded_visitors=excluded.get(window, 0),
            total_incl_unseen=incl_unseen[window],
        )
        for window, total in totals.items()
    )


def _camera_group(selection: Selection, seen: set[str]) -> str:
    places = len(seen.union(selection.camera_place_ids))
    stores = f"{places:,} Store Location{'' if places == 1 else 's'}"
    if selection.group_name is None or selection.camera_ids is None:
        return f"Selected Cameras across {stores}"
    cameras = len(selection.camera_ids)
    return f"{selection.group_name} ({cameras:,} camera{'' if cameras == 1 else 's'}) across {stores}"


def _notes(directory: Directory, selection: Selection) -> tuple[str, ...]:
    counted = [
        each.label
        for each in directory.locations.values()
        if each.mode == "count_only" and each.location_id in selection.camera_place_ids
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
