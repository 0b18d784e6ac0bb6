"""Dwell from stills every n seconds: bias of the midpoint, and how often the bounds hold the truth.

Stays of known length (lognormal, median 2 minutes) before one camera that takes a still every n seconds, each showing
the face with probability p, are counted by the warehouse's own SQL: appearances, visibility, stays. Bias is over stays
that were seen and not cut in two; "held" over all that were seen, where one that was cut counts as not held.

    python benchmarks/dwell.py
    python benchmarks/dwell.py --stays 20000 --intervals 5 --chances 0.6
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import yaml  # type: ignore[import-untyped]
from jinja2 import Environment

from footfall_assets.warehouse.project import default_project_dir

_MEDIAN_STAY_S: Final = 120.0
_SPREAD: Final = 1.0  # standard deviation of the logarithm: nine of ten stays last 23 s to 10 minutes
_START: Final = datetime(2024, 1, 2, 8, tzinfo=UTC)
_BETWEEN_S: Final = 0.37  # stays begin so far apart, so that every phase of the camera's clock occurs
_MODELS: Final = ("int_appearances", "int_camera_visibility", "int_zone_stays")
_RESULT_SQL: Final = """
with seen as (
    select
        truths.dwell_s,
        count(*) as stays,
        min(dwell_lower_s) as lower_s,
        min(dwell_midpoint_s) as midpoint_s,
        min(dwell_upper_s) as upper_s
    from truths inner join int_zone_stays using (face_id)
    group by truths.face_id, truths.dwell_s
)
select
    count(*) / (select count(*) from truths) as seen,
    avg((stays > 1)::int) as cut,
    (select max(coalesce(visibility, 1)) from int_camera_visibility) as visibility,
    avg(midpoint_s - dwell_s) filter (where stays = 1) as bias_s,
    avg(lower_s - dwell_s) filter (where stays = 1) as lower_bias_s,
    avg(dwell_s) filter (where stays = 1) as mean_s,
    avg((stays = 1 and dwell_s between lower_s and upper_s)::int) as held
from seen
"""


def simulated_sightings(
    chance: np.random.Generator, *, stays: int, interval_s: float, visibility: float
) -> tuple[pa.Table, pa.Table]:
    """Return the sightings of stays by the camera's still, and the true length of each stay."""
    lengths = np.exp(chance.normal(np.log(_MEDIAN_STAY_S), _SPREAD, stays))
    starts = np.arange(stays) * _BETWEEN_S
    first = np.ceil(starts / interval_s)
    stills = np.maximum(np.floor((starts + lengths) / interval_s) - first + 1, 0).astype(np.int64)
    who = np.repeat(np.arange(stays), stills)
    number = np.arange(len(who)) - np.repeat(np.cumsum(stills) - stills, stills)
    moments = (first[who] + number) * interval_s
    shown = chance.uniform(size=len(who)) < visibility
    seconds = (moments[shown] * 1e6).astype(np.int64) + int(_START.timestamp() * 1e6)
    count = int(shown.sum())
    sightings = pa.table(
        {
            "face_id": pa.array(who[shown]),
            "captured_at": pa.array(seconds, pa.timestamp("us", tz="UTC")),
            "visitor_id": pa.array(["00001A"] * count),
            "linkage_window": pa.array(["2024-01"] * count),
            "camera_id": pa.array(["door"] * count),
            "location_id": pa.array(["store"] * count),
            "business_day": pa.array([_START.date()] * count),
            "is_excluded": pa.array([False] * count),
        }
    )
    return sightings, pa.table({"face_id": np.arange(stays), "dwell_s": lengths})


def counted(sightings: pa.Table, truths: pa.Table, interval_s: float) -> dict[str, float]:
    """Return what the warehouse's SQL makes of the sightings, against the truth."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("int_sightings_identified", sightings)
        connection.register("truths", truths)
        days = "date '0001-01-01' as effective_from, date '9999-12-31' as effective_to"
        connection.execute(
            f"create table int_camera_versions as select 'door' as camera_id, 'store' as location_id, "
            f"$interval::double as interval_s, {days}",
            {"interval": interval_s},
        )
        connection.execute(
            f"create table int_camera_zones as select 'door' as camera_id, 'store' as location_id, {days}, "
            "'hall' as zone, false as is_drawn, true as is_named"
        )
        for model in _MODELS:
            connection.execute(f"create table {model} as {_rendered(model)}")
            if model == "int_appearances":
                connection.execute(
                    "create table int_drawn_zone_runs as select *, '' as zone from int_appearances limit 0"
                )
        (row,) = connection.execute(_RESULT_SQL).to_arrow_table().to_pylist()
        return dict(row)


def _rendered(model: str) -> str:
    """Return a model's SQL as dbt would compile it, with the project's own variables and macros."""
    project = default_project_dir()
    variables = yaml.safe_load((project / "dbt_project.yml").read_text())["vars"]
    macros = "".join(path.read_text() for path in sorted((project / "macros").glob("*.sql")))
    known: dict[str, Callable[..., Any]] = {
        "ref": lambda name: name,
        "var": lambda name: variables[name],
        "config": lambda **_: "",
    }
    environment = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - SQL of our own, no markup
    environment.globals.update(known)
    text = (project / "models" / "intermediate" / f"{model}.sql").read_text()
    return environment.from_string(_without_tests(macros) + text).render()


def _without_tests(macros: str) -> str:
    """Return the macros without generic tests, whose tag only dbt knows."""
    return macros if "{% test" not in macros else macros[: macros.index("{% test")]


def main() -> None:
    """Print one row an interval and chance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stays", type=int, default=5_000)
    parser.add_argument("--intervals", type=float, nargs="+", default=[1, 2, 5, 10, 30])
    parser.add_argument("--chances", type=float, nargs="+", default=[0.2, 0.4, 0.6, 0.8, 1.0])
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print("| interval | p | p estimated | seen | cut in two | midpoint off by | lower bound off by | bounds held |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for interval_s in given.intervals:
        for visibility in given.chances:
            chance = np.random.default_rng([given.seed, int(interval_s * 10), int(visibility * 100)])
            sightings, truths = simulated_sightings(
                chance, stays=given.stays, interval_s=interval_s, visibility=visibility
            )
            found = counted(sightings, truths, interval_s)
            share = found["bias_s"] / found["mean_s"]
            print(
                f"| {interval_s:g} s | {visibility:.1f} | {found['visibility']:.2f} | {found['seen']:.0%} "
                f"| {found['cut']:.0%} | {found['bias_s']:+.1f} s ({share:+.1%}) | {found['lower_bias_s']:+.1f} s "
                f"| {found['held']:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
