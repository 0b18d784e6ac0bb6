"""The attacker of the protected counts: what can be concluded about hidden ones from everything that is shown?

    python benchmarks/protection.py --places 300

People visit drawn places for a month; their true numbers go through the SQL of the mart `protected_footfall`, and the
attacker gets what it publishes. He knows the rules and everything that holds between true numbers: a day's people are
those of its hours together, so at least as many as in each and at most as many as in all. He compares every unit with
every other (the exact bounds are the end of all differences), solves some places again as mixed integer programs, and
puts together what was published before and after late data. `independent` is the same without lowering: each unit
rounded from its own true number and nothing else.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from footfall_assets.domain.protection import Units, feasible_ranges, shown_ranges

_PROJECT: Final = Path(__file__).parents[1] / "dbt_project"
RULES: Final[Mapping[str, int]] = {"least_visitors": 10, "rounding": 5, "least_feasible": 5}
INDEPENDENT: Final[Mapping[str, int]] = {**RULES, "least_feasible": -(10**9)}  # nothing is ever lowered
_MONDAY: Final = date(2024, 1, 1)
_GRAINS: Final = ("hour", "day", "week", "month")
COLUMNS: Final = (
    "location_id", "grain", "linkage_window", "first_day", "last_day", "week_starts_on", "hour_starts_at",
    "local_hour", "unique_visitors",
)  # fmt: skip


@dataclass(frozen=True)
class Mix:
    """A kind of place: how many come in an hour, and how they come again."""

    name: str
    hours: int  # open a day
    arrivals: float  # people an hour, on average
    stays_on: float  # chance to be seen in the next hour as well
    regulars: float  # chance that an arrival is somebody who has been there before


MIXES: Final = (
    Mix("kiosk, few", 12, 0.7, 0.05, 0.3),
    Mix("boutique", 9, 3.0, 0.3, 0.2),
    Mix("at the threshold", 10, 9.0, 0.0, 0.0),  # nobody twice: days are the sums of their hours
    Mix("supermarket", 13, 40.0, 0.2, 0.4),
    Mix("two long hours", 2, 9.0, 0.0, 0.0),
    Mix("one hour a day", 1, 5.0, 0.0, 0.1),
    Mix("quiet and busy", 6, -1.0, 0.1, 0.1),  # arrivals drawn anew for each hour, 0 to 30
)


def protect(units: pd.DataFrame, rules: Mapping[str, int] = RULES) -> pd.DataFrame:
    """Return `units` (the columns of int_footfall_atoms) in the order of what is published of each.

    Adds `is_fewer` and `shown`, missing where fewer.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("given", units)
        connection.execute("create table int_footfall_atoms as select * from given")
        published = connection.execute(protection_sql(rules)).to_arrow_table().to_pandas()
    keys = ["location_id", "grain", "first_day", "hour_starts_at"]
    published = published.rename(columns={"unique_visitors": "shown"})[[*keys, "is_fewer", "shown"]]
    for frame in (units, published):
        frame["first_day"] = pd.to_datetime(frame["first_day"])
        frame["hour_starts_at"] = pd.to_datetime(frame["hour_starts_at"], utc=True)
    return units.merge(published, on=keys, how="inner", validate="one_to_one")


def protection_sql(rules: Mapping[str, int]) -> str:
    """Return the mart's SQL as dbt renders it under `rules`."""
    environment = Environment(loader=FileSystemLoader(_PROJECT), autoescape=False)  # noqa: S701 - SQL, no page
    environment.globals |= {"ref": lambda name: name, "var": lambda name: rules[name]}
    macros = (_PROJECT / "macros" / "protection.sql").read_text(encoding="utf-8")
    model = (_PROJECT / "models" / "marts" / "protected_footfall.sql").read_text(encoding="utf-8")
    return environment.from_string(macros + model).render()


def tree_of(published: pd.DataFrame, rules: Mapping[str, int] = RULES) -> tuple[Units, NDArray[np.bool_]]:
    """Return what an attacker knows of `published` (of `protect`), and which units are hidden."""
    month = published["first_day"].dt.to_period("M").dt.start_time
    monday = published["first_day"].dt.to_period("W-SUN").dt.start_time
    week = monday.where(monday > month, month)
    own = pd.MultiIndex.from_arrays([published["location_id"], published["grain"], published["first_day"]])
    # Hours share their day's date: none of them is anybody's whole, so the other units are found by these three alone.
    wholes = pd.Series(np.arange(len(published)), index=own)[(published["grain"] != "hour").to_numpy()]
    grain = published["grain"].map({"hour": "day", "day": "week", "week": "month", "month": ""})
    starts = published["first_day"].where(published["grain"] == "hour", week.where(published["grain"] == "day", month))
    parent = wholes.reindex(pd.MultiIndex.from_arrays([published["location_id"], grain, starts])).fillna(-1)
    hidden = published["is_fewer"].to_numpy(dtype=bool)
    shown = published["shown"].fillna(0).to_numpy(dtype=np.int64)
    low, high = shown_ranges(shown, hidden, least=rules["least_visitors"], rounding=rules["rounding"])
    level = published["grain"].map({grain: number for number, grain in enumerate(_GRAINS)})
    return Units(parent.to_numpy(dtype=np.int64), level.to_numpy(dtype=np.int64), low, high), hidden


def drawn_units(mix: Mix, places: int, seed: int, *, days: int = 31) -> pd.DataFrame:
    """Return the true units of `places` drawn places over the first `days` of January 2024."""
    chance = np.random.default_rng(seed)
    visits = [pd.DataFrame(_visits(mix, days, chance)).assign(location_id=f"place-{each}") for each in range(places)]
    return units_of(pd.concat(visits), hours=mix.hours, days=days, places=[f"place-{each}" for each in range(places)])


def _visits(mix: Mix, days: int, chance: np.random.Generator) -> dict[str, list[int]]:
    seen: dict[str, list[int]] = {"day": [], "hour": [], "person": []}
    people = 0
    for day in range(days):
        for hour in range(mix.hours):
            mean = mix.arrivals if mix.arrivals >= 0 else chance.integers(0, 31)
            arrivals = int(chance.poisson(mean))
            again = chance.random(arrivals) < mix.regulars
            for is_regular in again:
                person = int(chance.integers(0, people)) if is_regular and people else people
                people = max(people, person + 1)
                last = hour
                while last + 1 < mix.hours and chance.random() < mix.stays_on:
                    last += 1
                for each in range(hour, last + 1):
                    seen["day"].append(day)
                    seen["hour"].append(each)
                    seen["person"].append(person)
    return seen


def units_of(visits: pd.DataFrame, *, hours: int, days: int, places: list[str]) -> pd.DataFrame:
    """Return the true units of `visits` (location_id, day from 0, hour from 0, person) in places open all the time."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("visits", visits)
        connection.register("places", pd.DataFrame({"location_id": places}))
        found = connection.execute(_TRUE_UNITS, {"hours": hours, "days": days, "first": _MONDAY}).to_arrow_table()
    frame: pd.DataFrame = found.to_pandas()
    return frame[list(COLUMNS)]


_TRUE_UNITS: Final = """
with
    open as (
        select
            location_id,
            $first::date + day::integer as first_day,
            ($first::date + day::integer)::timestamptz + to_hours(8 + hour) as hour_starts_at,
            8 + hour as local_hour
        from places, range($days) as days(day), range($hours) as hours(hour)
    ),
    seen as (
        select location_id, $first::date + day::integer as first_day, 8 + hour as local_hour, person from visits
    ),
    all_units as (
        select 'hour' as grain, location_id, first_day, first_day as last_day, hour_starts_at, local_hour from open
        union all
        select distinct 'day', location_id, first_day, first_day, null, null from open
        union all
        select distinct
            'week',
            location_id,
            greatest(date_trunc('week', first_day), date_trunc('month', first_day))::date,
            least(date_trunc('week', first_day)::date + 6, last_day(first_day)),
            null,
            null
        from open
        union all
        select distinct 'month', location_id, date_trunc('month', first_day)::date, last_day(first_day), null, null
        from open
    )
select
    grain,
    location_id,
    strftime(first_day, '%Y-%m') as linkage_window,
    first_day,
    last_day,
    case when grain != 'month' then date_trunc('week', first_day)::date end as week_starts_on,
    hour_starts_at,
    local_hour,
    (
        select count(distinct person)
        from seen
        where
            seen.location_id = all_units.location_id
            and seen.first_day between all_units.first_day and all_units.last_day
            and (all_units.local_hour is null or seen.local_hour = all_units.local_hour)
    ) as unique_visitors
from all_units
order by all
"""


@dataclass(frozen=True)
class Attack:
    """What came of it, over all hidden units."""

    hidden: int
    fixed: int  # one value left
    under_five: int
    narrowest: int | None
    contradicted: int  # a true number outside what the attacker concluded: he was led astray


def attacked(published: pd.DataFrame, rules: Mapping[str, int] = RULES) -> Attack:
    """Return what an attacker concludes from one publication."""
    units, hidden = tree_of(published, rules)
    low, high = feasible_ranges(units)
    return _attack(low[hidden], high[hidden], published["unique_visitors"].to_numpy()[hidden])


def _attack(low: NDArray[np.int64], high: NDArray[np.int64], true: NDArray[np.int64]) -> Attack:
    width = high - low + 1
    return Attack(
        hidden=len(width),
        fixed=int((width <= 1).sum()),
        under_five=int((width < 5).sum()),
        narrowest=int(width.min()) if len(width) else None,
        contradicted=int(((true < low) | (true > high)).sum()),
    )


def attacked_twice(before: pd.DataFrame, after: pd.DataFrame) -> Attack:
    """Return what follows from two publications where late data came in between, for units that did not change.

    The attacker is told which those are, and that nobody was taken back.
    """
    ranges = []
    for published in (before, after):
        units, hidden = tree_of(published)
        ranges.append((*feasible_ranges(units), hidden))
    (low, high, hidden), (later_low, later_high, later_hidden) = ranges
    same = (before["unique_visitors"].to_numpy() == after["unique_visitors"].to_numpy()) & hidden & later_hidden
    return _attack(
        np.maximum(low, later_low)[same],
        np.minimum(high, later_high)[same],
        before["unique_visitors"].to_numpy()[same],
    )


def solved_ranges(units: Units, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the least and the most of each wanted unit as integer programs, (n, 2): a second opinion, and slow."""
    rows, bounds = [], []
    for unit in range(len(units.parent)):
        parts = np.flatnonzero(units.parent == unit)
        if len(parts):
            together = np.zeros(len(units.parent))
            together[unit], together[parts] = -1, 1
            rows.append(together)
            bounds.append((0, np.inf))
        for part in parts:
            each = np.zeros(len(units.parent))
            each[unit], each[part] = 1, -1
            rows.append(each)
            bounds.append((0, np.inf))
    lower, upper = np.array(bounds).T
    constraint = LinearConstraint(np.array(rows), lower, upper)
    found = []
    for unit in wanted:
        aim = np.zeros(len(units.parent))
        aim[unit] = 1
        box = Bounds(units.low, units.high)
        ends = [milp(sign * aim, constraints=constraint, bounds=box, integrality=np.ones(len(aim))) for sign in (1, -1)]
        found.append([round(ends[0].fun), round(-ends[1].fun)])
    return np.array(found)


def late(mix: Mix, places: int, seed: int, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the true units before and after a `share` of all visits came late."""
    chance = np.random.default_rng(seed)
    names = [f"place-{each}" for each in range(places)]
    visits = pd.concat([pd.DataFrame(_visits(mix, 31, chance)).assign(location_id=name) for name in names])
    early = visits[chance.random(len(visits)) >= share]
    return (
        units_of(early, hours=mix.hours, days=31, places=names),
        units_of(visits, hours=mix.hours, days=31, places=names),
    )


def utility(published: pd.DataFrame) -> pd.DataFrame:
    """Return by grain the share that is hidden, the share that is lowered, and the error of what is shown in people."""
    shown = published["shown"].astype("Float64")
    error = (shown - published["unique_visitors"]).abs()
    frame = published.assign(error=error, lowered=(shown < published["unique_visitors"] - 2).fillna(value=False))
    found = frame.groupby("grain").agg(
        hidden=("is_fewer", "mean"), lowered=("lowered", "mean"), median=("error", "median"), most=("error", "max")
    )
    return found.reindex(list(_GRAINS))


def _check_by_solver(published: pd.DataFrame, most: int) -> tuple[int, int]:
    """Return how many hidden units were solved again, and in how many the bounds differ."""
    place = published[published["location_id"] == "place-0"]
    first_week = place[(place["grain"] != "month") & (place["first_day"] < pd.Timestamp(_MONDAY + timedelta(days=7)))]
    units, hidden = tree_of(first_week.reset_index(drop=True))
    wanted = np.flatnonzero(hidden)[:most]
    if not len(wanted):
        return 0, 0
    low, high = feasible_ranges(units)
    solved = solved_ranges(units, wanted)
    return len(wanted), int((solved != np.column_stack([low[wanted], high[wanted]])).any(axis=1).sum())


def _differing(first: pd.DataFrame, second: pd.DataFrame) -> int:
    keys = ["location_id", "grain", "first_day", "hour_starts_at"]
    both = first.merge(second, on=keys, how="outer", suffixes=("", "_again"), validate="one_to_one")
    same = (both["is_fewer"] == both["is_fewer_again"]) & (both["shown"].fillna(0) == both["shown_again"].fillna(0))
    return int((~same).sum())


def main() -> None:
    """Print the attack on each kind of place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=100, help="of each kind")
    parser.add_argument("--solved", type=int, default=40, help="hidden units of each kind that are solved again")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = datetime.now(UTC)
    for mix in MIXES:
        true = drawn_units(mix, options.places, options.seed)
        published = protect(true)
        print(f"{mix.name}: {attacked(published)}")
        print(f"    independent: {attacked(protect(true, INDEPENDENT), INDEPENDENT)}")
        again = protect(true.sample(frac=1, random_state=options.seed))
        print(f"    published again: {_differing(published, again)} differ")
        solved, differ = _check_by_solver(published, options.solved)
        print(f"    solved again: {solved}, other bounds: {differ}")
        before, after = (protect(units) for units in late(mix, max(1, options.places // 5), options.seed, 0.02))
        print(f"    before and after late data: {attacked_twice(before, after)}")
        print(utility(published).round(3).to_string())
    print(f"{(datetime.now(UTC) - started).total_seconds():.0f} s")


if __name__ == "__main__":
    main()
