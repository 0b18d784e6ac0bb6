"""What differs between two publications: the causes, the counts, and which visitor became which.

Visitors are matched by the sightings they share: each pair that shares any is a link. The visitors of one side that
have links are as many as there are links, less those beyond the first of each visitor. So the counts add up exactly:
after = before + new - gone + links beyond the first before (splits) - links beyond the first after (merges).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.publication import Publication
from footfall_assets.reporting.difference_causes import Cause, causes_of
from footfall_assets.reporting.matched_sightings import Side, matched_sightings, stream_into
from footfall_assets.reporting.publication import LONG_READ_FOR_S, fetch_rows, open_aggregates, open_visitors
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.partitions import PartitionStore

LIMIT: Final = 20  # changes listed of each kind
_PARTS_LISTED: Final = 8  # visitors named that one was split into or merged from
COUNTS: Final = ("unique_visitors", "visits", "appearances", "sightings", "unidentified_sightings")

# `shared` and `totals` have a row a day: summed up once, as everything below reads them.
_SUMMED_SQL: Final = """
create temp table links as
select linkage_window, before_id, after_id, sum(sightings)::bigint as sightings from shared group by all;

create temp table visitors as
with
    ends as (
        select 'before' as side, linkage_window, before_id as visitor_id, sightings from links
        union all
        select 'after', linkage_window, after_id, sightings from links
    ),
    linked as (
        select side, linkage_window, visitor_id, count(*) as links, max(sightings) as largest
        from ends group by all
    ),
    summed as (
        select side, linkage_window, visitor_id, sum(sightings)::bigint as sightings from totals group by all
    )
select summed.*, coalesce(links, 0) as links, coalesce(largest, 0) as largest
from summed left join linked using (side, linkage_window, visitor_id);
"""
_WINDOWS_SQL: Final = """
with
    pairs as (
        select
            links.linkage_window,
            count(*) filter (where b.sightings = links.sightings and a.sightings = links.sightings) as unchanged,
            count(*) as matched
        from links
        inner join visitors as b
            on b.side = 'before' and b.linkage_window = links.linkage_window and b.visitor_id = before_id
        inner join visitors as a
            on a.side = 'after' and a.linkage_window = links.linkage_window and a.visitor_id = after_id
        where b.links = 1 and a.links = 1
        group by links.linkage_window
    )
select
    linkage_window,
    count(*) filter (where side = 'before'),
    count(*) filter (where side = 'after'),
    coalesce(any_value(pairs.unchanged), 0),
    coalesce(any_value(pairs.matched - pairs.unchanged), 0),
    count(*) filter (where side = 'after' and links = 0),
    count(*) filter (where side = 'before' and links = 0),
    count(*) filter (where side = 'before' and links > 1),
    coalesce(sum(links - 1) filter (where side = 'before' and links > 1), 0)::bigint,
    count(*) filter (where side = 'after' and links > 1),
    coalesce(sum(links - 1) filter (where side = 'after' and links > 1), 0)::bigint
from visitors left join pairs using (linkage_window)
group by linkage_window
order by linkage_window
"""
# What moved is what is not with the largest part: a visitor who lost one face of a hundred stands far down.
_CHANGES_SQL: Final = """
select linkage_window, visitor_id, sightings
from visitors
where side = $side and if($linked, links > 1, links = 0)
order by sightings - largest desc, linkage_window, visitor_id
limit $limit
"""
_PARTS_SQL: Final = """
select if($side = 'before', after_id, before_id) as other_id, sightings
from links
where linkage_window = $linkage_window and if($side = 'before', before_id, after_id) = $visitor_id
order by sightings desc, other_id
limit $limit
"""
_FLOWS_SQL: Final = """
select state, reason, sum(sightings)::bigint from flows group by state, reason order by state, reason
"""
_DAILY_SQL: Final = """
select business_day, location_id, unique_visitors, visits, appearances, sightings, unidentified_sightings
from footfall_daily
where
    ($first_day::date is null or business_day >= $first_day)
    and ($last_day::date is null or business_day <= $last_day)
    and ($places::varchar[] is null or location_id in (select unnest($places::varchar[])))
"""
_DAYS_BEFORE_SQL: Final = "create temp table days_before as select * from incoming"
_DAYS_AFTER_SQL: Final = "create temp table days_after as select * from incoming"
_DAYS_SQL: Final = """
with
    sides as (
        select
            coalesce(b.business_day, a.business_day) as business_day,
            coalesce(b.location_id, a.location_id) as location_id,
            [b.unique_visitors, b.visits, b.appearances, b.sightings, b.unidentified_sightings] as before,
            [a.unique_visitors, a.visits, a.appearances, a.sightings, a.unidentified_sightings] as after
        from days_before as b
        full join days_after as a on a.business_day = b.business_day and a.location_id = b.location_id
    )
select business_day, location_id, before, after, count(*) over () as days_changed
from sides
where before is distinct from after
order by
    abs(coalesce(after[1], 0) - coalesce(before[1], 0)) desc,
    abs(coalesce(after[4], 0) - coalesce(before[4], 0)) desc,
    business_day,
    location_id
limit $limit
"""


@dataclass(frozen=True)
class VisitorChange:
    """What became of one window's visitors: `after = before + new - gone + more_by_split - fewer_by_merge`.

    `unchanged` have the same sightings, `adjusted` are the same visitor with some others; `split` visitors of before
    are several after, `merged` visitors of after were several before, and one may be part of both.
    """

    linkage_window: str
    before: int
    after: int
    unchanged: int
    adjusted: int
    new: int
    gone: int
    split: int
    more_by_split: int
    merged: int
    fewer_by_merge: int

    def __post_init__(self) -> None:
        explained = self.before + self.new - self.gone + self.more_by_split - self.fewer_by_merge
        if explained != self.after:
            raise ValueError(
                f"window {self.linkage_window}: expected changes that lead to {self.after}, got {explained}"
            )


@dataclass(frozen=True)
class Change:
    """One visitor of `side` that is not what it was, and the visitors of the other side that share its sightings.

    `kind` is `split`, `merged`, `new` or `gone`; `others` are the largest of them, with the sightings they share.
    """

    kind: str
    linkage_window: str
    visitor_id: str
    sightings: int
    others: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DayChange:
    """The counts (`COUNTS`) of a location's day where any differs; None where a count is unknown or has no row."""

    business_day: date
    location_id: str
    before: tuple[int | None, ...]
    after: tuple[int | None, ...]


@dataclass(frozen=True)
class SightingFlow:
    """How many sightings went which way; `reason` says why they count for no visitor on one side."""

    state: str
    reason: str | None
    sightings: int


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two publications; lists of changes are cut at the limit asked for."""

    before: Publication
    after: Publication
    causes: tuple[Cause, ...]
    windows: tuple[VisitorChange, ...]
    changes: tuple[Change, ...]
    days: tuple[DayChange, ...]
    days_changed: int
    flows: tuple[SightingFlow, ...]

    @property
    def is_same(self) -> bool:
        """Whether neither a cause nor a row differs."""
        return self.before.publication_id == self.after.publication_id and not self.causes


def compare(
    lake: LakeStore,
    before: Publication,
    after: Publication,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
    limit: int = LIMIT,
    location_ids: Sequence[str] | None = None,
    for_s: float = LONG_READ_FOR_S,
) -> Comparison:
    """Return what differs between two publications, over all their business days or those asked for.

    One day's sightings are held at a time; the rest stays in the database files.

    Args:
        lake: where both lie.
        before: what is compared.
        after: what it is compared with.
        first_day: business day to begin with.
        last_day: business day to end with.
        limit: most changes to list of each kind.
        location_ids: those that may be spoken of: no sighting, day or cause of another is in the answer, nor what
            people wrote about a correction. None for all.
        for_s: seconds that the reading may take.

    Raises:
        UserMistake: the period is turned round, the limit is below 1, or it takes longer than `for_s`.
        CorruptObject: a published file is not what was written.
    """
    if first_day and last_day and first_day > last_day:
        raise UserMistake(f"expected a period that starts before it ends, got {first_day} to {last_day}; swap the two")
    if limit < 1:
        raise UserMistake(f"expected a limit of at least 1, got {limit}")
    places = None if location_ids is None else list(location_ids)
    period = {"first_day": first_day, "last_day": last_day, "places": places}
    with ExitStack() as stack:
        sides = [Side(each, stack.enter_context(open_visitors(lake, each, for_s=for_s))) for each in (before, after)]
        scratch = stack.enter_context(
            matched_sightings(
                sides[0],
                sides[1],
                PartitionStore(lake),
                first_day=first_day,
                last_day=last_day,
                location_ids=location_ids,
            )
        )
        scratch.execute(_SUMMED_SQL)
        for sql, publication in ((_DAYS_BEFORE_SQL, before), (_DAYS_AFTER_SQL, after)):
            aggregates = stack.enter_context(open_aggregates(lake, publication, for_s=for_s))
            stream_into(scratch, sql, aggregates.execute(_DAILY_SQL, period).to_arrow_table())
        days = fetch_rows(scratch, _DAYS_SQL, {"limit": limit})
        return Comparison(
            before=before,
            after=after,
            causes=causes_of(
                lake, (before, after), (sides[0].connection, sides[1].connection), location_ids=location_ids
            ),
            windows=tuple(VisitorChange(*row) for row in fetch_rows(scratch, _WINDOWS_SQL, {})),
            changes=tuple(_changes(scratch, limit)),
            days=tuple(DayChange(day, place, tuple(old), tuple(new)) for day, place, old, new, _ in days),
            days_changed=days[0][4] if days else 0,
            flows=tuple(SightingFlow(*row) for row in fetch_rows(scratch, _FLOWS_SQL, {})),
        )


def _changes(scratch: duckdb.DuckDBPyConnection, limit: int) -> list[Change]:
    kinds = (("split", "before", True), ("merged", "after", True), ("new", "after", False), ("gone", "before", False))
    return [
        Change(kind, window, visitor, sightings, _others(scratch, side, window, visitor) if linked else ())
        for kind, side, linked in kinds
        for window, visitor, sightings in fetch_rows(
            scratch, _CHANGES_SQL, {"side": side, "linked": linked, "limit": limit}
        )
    ]


def _others(
    scratch: duckdb.DuckDBPyConnection, side: str, linkage_window: str, visitor_id: str
) -> tuple[tuple[str, int], ...]:
    wanted = {
        "side": side,
        "linkage_window": linkage_window,
        "visitor_id": visitor_id,
        "limit": _PARTS_LISTED,
    }
    return tuple((other, sightings) for other, sightings in fetch_rows(scratch, _PARTS_SQL, wanted))
