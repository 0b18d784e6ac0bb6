"""A month of visits as faces and embeddings in a lake, without stills: what identity resolution is measured on.

Who a face belongs to is written into the last eight bytes of its id, where only a scorer looks: ids sort by the first.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.registry import DEVELOPMENT_BASIS, Camera, Location, LocationMode, Registry
from footfall_assets.contracts.schemas import FACES, face_embeddings
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.vectors import EmbeddingSpread, Floats, Numbers, blocks_of_people, faces_of_visits
from footfall_assets.storage.arrow import list_column, words_column
from footfall_assets.storage.registry_store import change_registry

_OPENS_S: Final = 9 * 3600  # seconds after midnight
_OPEN_S: Final = 11 * 3600
_STILL_S: Final = 5
_SINGLE_SHARE: Final = 0.35  # of the visitors, who come once
_LONGER_STAYS: Final = 0.26  # chance that a regular's visits end after each: 3.5 local visitors a visitor on average
_MOST_DAYS: Final = 25
_AWAY_SHARE: Final = 0.15  # of the visits, at another location than the visitor's own
_COMPANY_SHARE: Final = 0.05  # of the visits, that begin together with another
_WRITERS: Final = 4
_SHUFFLED_PARTS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
_GOOD_FACE: Final = {"score": 0.95, "size_px": 60.0, "sharpness": 0.8, "yaw": 0.1, "pitch": 0.0, "roll_deg": 0.0}


@dataclass(frozen=True)
class MonthPlan:
    """How much there is.

    Attributes:
        visitors: people who come at least once.
        locations: with one camera each.
        days: from `first_day` on.
        stills: faces of each visit.
        first_day: of the month.
        spread: how vectors lie.
        seed: another seed, another month.
    """

    visitors: int
    locations: int
    days: int
    spread: EmbeddingSpread
    first_day: date = date(2024, 1, 1)
    stills: int = 4
    seed: int = 1


@dataclass(frozen=True)
class Visits:
    """Who came when and where: (v,) person, day from 0, location from 0; by day, location and hour."""

    person: Numbers
    day: Numbers
    location: Numbers
    start_s: Numbers

    def of_day(self, day: int) -> "Visits":
        """Return the visits of one day."""
        chosen = slice(*np.searchsorted(self.day, [day, day + 1]).tolist())
        return Visits(self.person[chosen], self.day[chosen], self.location[chosen], self.start_s[chosen])


def planned_visits(plan: MonthPlan) -> Visits:
    """Return all visits of the month; nobody is at two locations on one day."""
    generator = np.random.default_rng((plan.seed, 1))
    single = generator.random(plan.visitors) < _SINGLE_SHARE
    regular = np.minimum(1 + generator.geometric(_LONGER_STAYS, plan.visitors), min(_MOST_DAYS, plan.days))
    count = np.where(single, 1, regular)
    person = np.repeat(np.arange(plan.visitors), count)
    day = np.concatenate(
        [
            _distinct_days(generator, block, plan.days)
            for block in np.array_split(count, max(1, plan.visitors // 50_000))
        ]
    )
    home = generator.integers(0, plan.locations, plan.visitors)
    away = generator.random(len(person)) < _AWAY_SHARE
    location = np.where(away, generator.integers(0, plan.locations, len(person)), home[person])
    start = _OPENS_S + generator.integers(0, _OPEN_S // _STILL_S, len(person)) * _STILL_S
    order = np.lexsort((start, location, day))
    person, day, location, start = person[order], day[order], location[order], start[order]
    together = np.flatnonzero(generator.random(len(person)) < _COMPANY_SHARE)
    together = together[together > 0]
    together = together[(day[together] == day[together - 1]) & (location[together] == location[together - 1])]
    start[together] = start[together - 1]
    order = np.lexsort((start, location, day))
    return Visits(person[order], day[order], location[order], start[order])


def _distinct_days(generator: np.random.Generator, count: Numbers, days: int) -> Numbers:
    """Return so many different days for each person, one person after the other."""
    shuffled = generator.random((len(count), days)).argsort(axis=1)
    return shuffled[np.arange(days) < count[:, None]]


def location_name(number: int) -> str:
    """Return the id of a location."""
    return f"store-{number:05d}"


def register(platform: Platform, plan: MonthPlan) -> Registry:
    """Put the locations and their cameras into the registry."""
    names = [location_name(number) for number in range(plan.locations)]
    locations = tuple(
        Location(
            location_id=name,
            name=name,
            mode=LocationMode.UNIQUE,
            legal_basis=DEVELOPMENT_BASIS,
            partition_group=f"group-{number % 100:02d}",
            valid_from=plan.first_day,
        )
        for number, name in enumerate(names)
    )
    cameras = tuple(
        Camera(camera_id=f"{name}-door", location_id=name, name="Door", interval_s=_STILL_S, valid_from=plan.first_day)
        for name in names
    )
    whole = Registry(first_day=plan.first_day, locations=locations, cameras=cameras)
    return change_registry(platform.lake, platform.settings.home, lambda before: before if before.locations else whole)


def write_month(
    platform: Platform, plan: MonthPlan, visits: Visits, *, shuffled: int | None = None, days: range | None = None
) -> int:
    """Write `faces` and `face_embeddings` of every location and day, and return the number of faces.

    Args:
        platform: the home whose lake is written.
        plan: what there is.
        visits: of `planned_visits`.
        shuffled: a seed by which the rows of each place are dealt out to three parts, in another order.
        days: the days to write, from 0; all by default.
    """
    person = blocks_of_people(plan.spread, 0, plan.visitors, plan.seed).astype(np.float16)
    written = 0
    with ThreadPoolExecutor(_WRITERS) as writers:
        for day in days or range(plan.days):
            of_day = visits.of_day(day)
            looks = person[of_day.person].astype(np.float32)
            stills = np.full(len(looks), plan.stills)
            vectors = faces_of_visits(plan.spread, looks, stills, (plan.seed, day)).vector
            written += len(vectors)
            parts = _parts(platform, plan, of_day, day, vectors)
            list(writers.map(lambda part: _write(platform, *part, shuffled=shuffled), parts))
    return written


def _parts(
    platform: Platform, plan: MonthPlan, visits: Visits, day: int, vectors: Floats
) -> Iterator[tuple[Place, pa.Table, pa.Table]]:
    """Yield each location of a day with its faces and vectors."""
    faces, embeddings = _tables(platform, plan, visits, day, vectors)
    bounds = np.searchsorted(visits.location, np.arange(plan.locations + 1)) * plan.stills
    business_day = plan.first_day + timedelta(days=day)
    for number in np.flatnonzero(np.diff(bounds)).tolist():
        start, length = int(bounds[number]), int(bounds[number + 1] - bounds[number])
        place = Place(business_day, location_name(number))
        yield place, faces.slice(start, length), embeddings.slice(start, length)


def _tables(
    platform: Platform, plan: MonthPlan, visits: Visits, day: int, vectors: Floats
) -> tuple[pa.Table, pa.Table]:
    still = np.tile(np.arange(plan.stills), len(visits.person))
    visit = np.repeat(np.arange(len(visits.person)), plan.stills)
    second = visits.start_s[visit] + still * _STILL_S
    midnight = datetime.combine(plan.first_day + timedelta(days=day), time(), ZoneInfo("UTC"))
    moment = (midnight - _EPOCH) // timedelta(microseconds=1) + second * 1_000_000
    draw = np.random.default_rng((plan.seed, 2, day)).integers(0, 2**63, len(visit), dtype=np.uint64)
    face = np.stack([draw, visits.person[visit].astype(np.uint64)], axis=1)
    image = np.stack([_mixed(moment), visits.location[visit].astype(np.uint64)], axis=1)
    left = (visit % 8).astype(np.float32) * 70
    box = np.stack([left, np.zeros_like(left), left + 60, np.full_like(left, 60)], axis=1)
    names = pa.array([location_name(number) for number in range(plan.locations)])
    cameras = pa.array([f"{location_name(number)}-door" for number in range(plan.locations)])
    location = pa.array(visits.location[visit])
    count, quality = len(visit), pa.array(np.full(len(visit), 0.9, np.float32))
    constant = {name: pa.array(np.full(count, value, np.float32)) for name, value in _GOOD_FACE.items()}
    columns = {
        "face_image_id": words_column(face),
        "image_id": words_column(image),
        "camera_id": cameras.take(location),
        "location_id": names.take(location),
        "captured_at": pa.array(moment).cast(FACES.field("captured_at").type),
        "box": list_column(box, 4),
        "landmarks": list_column(np.zeros((count, 10), np.float32), 10),
        **constant,
        "quality": quality,
        "crop": pa.nulls(count, pa.binary()),
    }
    faces = pa.Table.from_arrays([columns[name] for name in FACES.names], schema=FACES)
    model = pa.array([platform.settings.embedding.embedder] * count)
    schema = face_embeddings(plan.spread.dim)
    embeddings = pa.Table.from_arrays(
        [columns["face_image_id"], model, list_column(vectors, plan.spread.dim), quality], schema=schema
    )
    return faces, embeddings


def _mixed(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return numbers that look random, equal for equal values (the finaliser of SplitMix64; Steele et al. 2014)."""
    mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def _write(platform: Platform, place: Place, faces: pa.Table, embeddings: pa.Table, *, shuffled: int | None) -> None:
    batches = [np.arange(faces.num_rows)]
    if shuffled is not None:
        batches = np.array_split(np.random.default_rng(shuffled).permutation(faces.num_rows), _SHUFFLED_PARTS)
    for asset, rows in (("faces", faces), ("face_embeddings", embeddings)):
        target = platform.place_of(asset, place)
        parts = [
            platform.partitions.write_part(target, asset, f"batch-{number}", rows.take(pa.array(batch)))
            for number, batch in enumerate(batches)
        ]
        platform.partitions.commit(target, "0" * 64, parts)
