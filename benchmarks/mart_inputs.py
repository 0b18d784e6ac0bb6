"""What the warehouse reads of a month like the January example, drawn at a share of its size; see mart_scale.py.

The full size is 10,000 locations with two cameras each, 31 days, 3.5 million visitors, 12 million local visitors and
49 million sightings; sales, counters, staff plans and opening hours as shops bring them in.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from january import DAYS, FIRST_DAY, FULL_LOCATIONS, FULL_VISITORS

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.imports import COUNTS, OPENING_HOURS, PLANNED_STAFF, REVENUE, SALES, ImportKind
from footfall_assets.contracts.schemas import COVERAGE, CUT_COLUMNS, CUTS, IDENTITIES, SIGHTINGS, VISITOR_NUMBERS
from footfall_assets.simulation.embedded_month import MonthPlan, Visits, location_name, planned_visits
from footfall_assets.simulation.vectors import known_spread
from footfall_assets.storage.arrow import words_column
from footfall_assets.storage.calibration_store import SHIPPED, parse_calibration
from footfall_assets.warehouse.sources import (
    CAMERA_GROUPS,
    CAMERAS,
    LOCATIONS,
    IdentitiesFile,
    ImportedFile,
    SightingsFile,
    WarehouseInputs,
)

WINDOW = f"{FIRST_DAY:%Y-%m}"
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
STILLS = 4  # of each visit
OPENS_S, CLOSES_S = 9 * 3600, 21 * 3600  # local; the last visit begins at 20:00
UNIDENTIFIED_SHARE = 0.02
BOUGHT_SHARE, BACK_SHARE = 0.6, 0.15  # of the visits: seen at the till too; at the door again when they leave
GROUP_STORES = 200  # of the camera group "region-0"
NAMES = ("door", "till")
COUNTED_STORES = 4  # every so many stores have a door counter
STORE_HOURS = range(OPENS_S // 3600, CLOSES_S // 3600)  # local


def local_midnight_us(day: date) -> np.ndarray:
    """Return the local midnight of a day in each of `ZONES`, in microseconds since 1970."""
    moments = (datetime.combine(day, time(), ZoneInfo(zone)) for zone in ZONES)
    return np.array([int(moment.timestamp()) * 1_000_000 for moment in moments])


def month_plan(share: float, seed: int) -> MonthPlan:
    """Return how much there is at a share of the full size."""
    return MonthPlan(
        visitors=round(FULL_VISITORS * share),
        locations=max(4, round(FULL_LOCATIONS * share)),
        days=DAYS,
        first_day=FIRST_DAY,
        spread=known_spread("good"),
        seed=seed,
    )


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Return 64-bit numbers that look random (the finaliser of SplitMix64; Steele et al. 2014)."""
    value = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def ids(kind: int, numbers: np.ndarray) -> pa.Array:
    """Return a UUID for each number; those of another kind are others."""
    return words_column(np.stack([mixed(numbers + (kind << 48)), mixed(numbers + (kind << 40))], axis=1))


def names(count: int) -> tuple[pa.Array, pa.Array]:
    """Return the ids of all locations, and of their cameras, two by two."""
    locations = [location_name(number) for number in range(count)]
    return pa.array(locations), pa.array([f"{place}-{name}" for place in locations for name in NAMES])


def sightings_of(plan: MonthPlan, visits: Visits, day: int, first_visit: int) -> pa.Table:
    """Return the faces of a day's visits, by location and time."""
    draw = np.random.default_rng((plan.seed, 3, day))
    count = len(visits.person)
    how = draw.random(count)
    walk_s = draw.integers(60, 1500, count)  # from the door to the till, and to the door again
    still = np.tile(np.arange(STILLS), count)
    visit = np.repeat(np.arange(count), STILLS)
    bought, back = (how < BOUGHT_SHARE)[visit], (how >= 1 - BACK_SHARE)[visit]
    at_till = bought & (still >= STILLS // 2)
    later = (bought | back) & (still >= STILLS // 2)
    second = visits.start_s[visit] + 5 * still + np.where(later, walk_s[visit], 0)
    midnight = local_midnight_us(plan.first_day + timedelta(days=day))[visits.location[visit] % len(ZONES)]
    moment = midnight + second * 1_000_000
    face = (np.arange(count * STILLS) + first_visit * STILLS).astype(np.int64)
    camera = visits.location[visit] * len(NAMES) + at_till
    unknown = draw.random(len(visit)) < UNIDENTIFIED_SHARE
    order = np.lexsort((moment, visits.location[visit]))
    location_names, camera_names = names(plan.locations)
    local = pa.array(np.arange(count * STILLS), mask=unknown)
    columns = {
        "face_image_id": ids(1, face),
        "image_id": ids(2, face),  # one face a still
        "camera_id": camera_names.take(pa.array(camera)),
        "location_id": location_names.take(pa.array(visits.location[visit])),
        "captured_at": pa.array(moment).cast(SIGHTINGS.field("captured_at").type),
        "local_visitor_id": ids(3, first_visit + visit).take(local),
        "match_score": pa.array(draw.random(len(visit), dtype=np.float32), mask=unknown),
        "unidentified_reason": pa.array(["too_small", None]).take(pa.array(np.where(unknown, 0, 1))),
        **{name: pa.repeat(name, len(visit)) for name in ("detector", "embedder", "version")},
        "zone": pa.array(["entrance", "tills", None]).take(pa.array(np.where(at_till, 1, np.where(still == 0, 0, 2)))),
    }
    rows = pa.Table.from_arrays([columns[name] for name in SIGHTINGS.names], schema=SIGHTINGS)
    return rows.take(pa.array(order))


def identities_of(plan: MonthPlan, visits: Visits) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return identities, cuts of the merge tree and visitor numbers of the month."""
    count = len(visits.person)
    number = np.arange(count)
    day = pa.array(visits.day.astype(np.int32) + (plan.first_day - date(1970, 1, 1)).days).cast(pa.date32())
    local, face = ids(3, number), ids(4, visits.person)
    values = {
        "local_visitor_id": local,
        "face_id": face,
        "location_id": names(plan.locations)[0].take(pa.array(visits.location)),
        "day": day,
        "match_score": pa.array(np.full(count, 0.8, np.float32)),
        "minted_on": day,
        "merged_from": pa.array([[]], IDENTITIES.field("merged_from").type).take(pa.array(np.zeros(count, np.int64))),
        "split_from": pa.nulls(count, pa.uuid()),
        "excluded_reason": pa.nulls(count, pa.string()),
    }
    identities = pa.Table.from_arrays([values[name] for name in IDENTITIES.names], schema=IDENTITIES)
    # Below the identities' cut visitors fall apart, above it they run together: each cut a little more than the last.
    apart, together = (np.random.default_rng((plan.seed, each)).random for each in (5, 6))
    loose, near = apart(count), together(plan.visitors)
    clusters = []
    for place in range(len(CUT_COLUMNS)):
        middle = len(CUT_COLUMNS) // 2
        whole = visits.person - (near < 0.004 * max(0, place - middle))[visits.person]
        split = loose < 0.03 * max(0, middle - place)
        clusters.append(pa.array(np.where(split, plan.visitors + number, np.maximum(whole, 0)).astype(np.int32)))
    cuts = pa.Table.from_arrays([local, *clusters], schema=CUTS)
    people = np.unique(visits.person)
    label = pc.binary_join_element_wise(
        pc.utf8_lpad(pa.array(people * 7_919 % 10_000_019).cast(pa.string()), 7, "0"), "A", ""
    )
    numbers = pa.Table.from_arrays(
        [pa.repeat(WINDOW, len(people)), ids(4, people), pa.array(np.arange(len(people))), label],
        schema=VISITOR_NUMBERS,
    )
    return identities, cuts, numbers


def coverage_of(plan: MonthPlan, day: int, batch_s: int) -> pa.Table:
    """Return the batches of all cameras on a day; one camera in a thousand lost one of them."""
    location_names, camera_names = names(plan.locations)
    batches = (CLOSES_S - OPENS_S) // batch_s
    camera = np.repeat(np.arange(plan.locations * len(NAMES)), batches)
    batch = np.tile(np.arange(batches), plan.locations * len(NAMES))
    kept = (mixed(camera + (day << 32)) % np.uint64(1000) != 0) | (batch != batches // 2)
    camera, batch = camera[kept], batch[kept]
    midnight = local_midnight_us(plan.first_day + timedelta(days=day))[camera // len(NAMES) % len(ZONES)]
    opened = midnight + (OPENS_S + batch * batch_s) * 1_000_000
    count, frames = len(camera), pa.array(np.full(len(camera), batch_s // 5))
    moment = COVERAGE.field("opened_at").type
    columns = {
        "batch_id": ids(5, (camera * DAYS + day) * batches + batch),
        "camera_id": camera_names.take(pa.array(camera)),
        "location_id": location_names.take(pa.array(camera // len(NAMES))),
        "device_id": camera_names.take(pa.array(camera)),
        "sequence": pa.array(day * batches + batch + 1),
        "day": pa.repeat(pa.scalar(plan.first_day + timedelta(days=day), pa.date32()), count),
        "opened_at": pa.array(opened).cast(moment),
        "closed_at": pa.array(opened + batch_s * 1_000_000).cast(moment),
        "interval_s": pa.array(np.full(count, 5.0)),
        "frames_expected": frames,
        "frames_captured": frames,
        "frames_kept": pa.array(np.full(count, batch_s // 10)),
        "images_quarantined": pa.array(np.zeros(count, np.int64)),
    }
    return pa.Table.from_arrays([columns[name] for name in COVERAGE.names], schema=COVERAGE)


def store_hours(plan: MonthPlan, day: int, every: int = 1) -> tuple[int, dict[str, pa.Array]]:
    """Return how many open hours a day has at every so many stores, and the columns that all hourly imports share."""
    place = np.repeat(np.arange(0, plan.locations, every), len(STORE_HOURS))
    hour = np.tile(np.array(STORE_HOURS), len(place) // len(STORE_HOURS))
    midnight = local_midnight_us(plan.first_day + timedelta(days=day))[place % len(ZONES)]
    starts = pa.array(midnight + hour * 3_600_000_000).cast(SALES.field("sold_at").type)
    return len(place), {
        "location_id": names(plan.locations)[0].take(pa.array(place)),
        "business_day": pa.repeat(pa.scalar(plan.first_day + timedelta(days=day), pa.date32()), len(place)),
        "hour_starts_at": starts,
        "local_hour": pa.array(hour.astype(np.int32)),
        "sold_at": starts,
        "counted_at": starts,
    }


def imports_of(plan: MonthPlan, day: int) -> Iterator[tuple[ImportKind, pa.Table]]:
    """Return what the tills sold, what door counters counted and what staff was planned on a day."""
    draw = np.random.default_rng((plan.seed, 7, day))
    count, shared = store_hours(plan, day)
    receipts = draw.integers(0, 6, count)
    columns = shared | {
        "category": pa.repeat("", count),
        "transactions": pa.array(receipts),
        "items": pa.array(receipts * 2),
        "revenue": pa.array((receipts * 1999).astype(np.int32)).cast(pa.decimal128(10, 0)).cast(REVENUE),
    }
    yield ImportKind.SALES, pa.Table.from_arrays([columns[name] for name in SALES.names], schema=SALES)
    count, shared = store_hours(plan, day, COUNTED_STORES)
    columns = shared | {
        "source": pa.repeat("infrared", count),
        "counter": pa.repeat("", count),
        "people_in": pa.array(draw.integers(0, 15, count)),
        "people_out": pa.array(draw.integers(0, 15, count)),
    }
    yield ImportKind.COUNTS, pa.Table.from_arrays([columns[name] for name in COUNTS.names], schema=COUNTS)
    places, at = names(plan.locations)[0], shared["business_day"][0]
    staff = {
        "location_id": places,
        "business_day": pa.repeat(at, plan.locations),
        "starts_minute": pa.repeat(pa.scalar(OPENS_S // 60, pa.int32()), plan.locations),
        "ends_minute": pa.repeat(pa.scalar(CLOSES_S // 60, pa.int32()), plan.locations),
        "staff": pa.repeat(pa.scalar(Decimal(1), PLANNED_STAFF.field("staff").type), plan.locations),
    }
    yield ImportKind.STAFF, pa.Table.from_arrays([staff[name] for name in PLANNED_STAFF.names], schema=PLANNED_STAFF)


def opening_hours(plan: MonthPlan) -> pa.Table:
    """Return the hours of all stores, the same on every weekday."""
    rows = [
        {
            "location_id": location_name(number),
            "weekday": day,
            "opens_minute": OPENS_S // 60,
            "closes_minute": CLOSES_S // 60,
        }
        for number in range(plan.locations)
        for day in range(1, 8)
    ]
    return _table(rows, OPENING_HOURS)


def generate(plan: MonthPlan, folder: Path, batch_s: int) -> int:
    """Write what a build reads, one day after the other, and return the number of sightings."""
    visits = planned_visits(plan)
    folder.mkdir(parents=True, exist_ok=True)
    written = first_visit = 0
    for day in range(plan.days):
        of_day = visits.of_day(day)
        rows = sightings_of(plan, of_day, day, first_visit)
        pq.write_table(rows, folder / f"sightings-{day:02d}.parquet")
        pq.write_table(coverage_of(plan, day, batch_s), folder / f"coverage-{day:02d}.parquet")
        for kind, table in imports_of(plan, day):
            pq.write_table(table, folder / f"{kind}-{day:02d}.parquet")
        first_visit += len(of_day.person)
        written += rows.num_rows
    for name, table in zip(("identities", "cuts", "numbers"), identities_of(plan, visits), strict=True):
        pq.write_table(table, folder / f"{name}.parquet")
    pq.write_table(opening_hours(plan), folder / f"{ImportKind.OPENING_HOURS}-00.parquet")
    return written


def registry_rows(plan: MonthPlan) -> dict[str, pa.Table]:
    """Return locations, cameras and two camera groups: all doors, and all cameras of some stores."""
    since = plan.first_day - timedelta(days=365)
    places = [location_name(number) for number in range(plan.locations)]
    locations = [
        {
            "location_id": place,
            "name": f"Store #{number + 1}",
            "timezone": ZONES[number % len(ZONES)],
            "mode": "unique",
            "legal_basis": "development",
            "partition_group": f"group-{number % 100:02d}",
            "valid_from": since,
        }
        for number, place in enumerate(places)
    ]
    cameras = [
        {
            "camera_id": f"{place}-{name}",
            "location_id": place,
            "name": name.capitalize(),
            "interval_s": 5.0,
            "filter": "face",
            "staff_only": False,
            "valid_from": since,
        }
        for place in places
        for name in NAMES
    ]
    groups = [{"group_id": "doors", "name": "Doors", "camera_id": f"{place}-door"} for place in places]
    groups += [
        {"group_id": "region-0", "name": "Region 0", "camera_id": f"{place}-{name}"}
        for place in places[:GROUP_STORES]
        for name in NAMES
    ]
    return {
        "locations": _table(locations, LOCATIONS),
        "cameras": _table(cameras, CAMERAS),
        "camera_groups": _table(groups, CAMERA_GROUPS),
    }


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def inputs(plan: MonthPlan, folder: Path) -> WarehouseInputs:
    """Return the drawn files as a build reads them."""
    shipped = min(SHIPPED.glob("*.json"))
    calibration = parse_calibration(shipped.read_bytes(), shipped.stem.rsplit("-", 1)[-1], source=shipped.name)
    days = [plan.first_day + timedelta(days=day) for day in range(plan.days)]
    given: dict[str, object] = {
        "environment": "development",
        "inputs_hash": digest_of("mart_scale", str(plan.visitors), str(plan.seed)),
        "sightings": tuple(
            SightingsFile(folder / f"sightings-{number:02d}.parquet", day) for number, day in enumerate(days)
        ),
        "identities": (IdentitiesFile(folder / "identities.parquet", WINDOW),),
        "cuts": (IdentitiesFile(folder / "cuts.parquet", WINDOW),),
        "calibration": calibration,
        "coverage": tuple(sorted(folder.glob("coverage-*.parquet"))),
        "visitor_numbers": (folder / "numbers.parquet",),
        "imports": tuple(
            ImportedFile(path, kind, number)
            for kind in ImportKind
            for number, path in enumerate(sorted(folder.glob(f"{kind}-[0-9]*.parquet")), start=1)
        ),
        "asset_versions": {"sightings": "0" * 12, "identities": "0" * 12},
        **registry_rows(plan),
    }
    known = {each.name for each in fields(WarehouseInputs)}
    return WarehouseInputs(**{name: value for name, value in given.items() if name in known})  # type: ignore[arg-type]
