"""Drawing an audit's sample: which pairs of local visitors are asked about."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from footfall_assets.audit.period import AuditedPeriod, good_faces, read_period, today_of
from footfall_assets.contracts.audit import POPULATION, AuditSample, Purpose, Question, Side, Stratum, sample_id
from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.domain.audit_questions import Identities, Questions, concatenated, gaps, links
from footfall_assets.domain.audit_sampling import Draw, Strata, draw, stratify
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.identity.resolve import impossible_pairs
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.audit_crops import shown_from_faces
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.crop_reserve import CropReserve, open_reserve

_FEWEST_PAIRS: Final = 20
_MOST_PAIRS: Final = 5_000  # weeks of work


def draw_sample(
    platform: Platform, first_day: date, last_day: date, *, pairs: int, seed: int, now: datetime
) -> AuditSample:
    """Draw a sample of a period, store it and return it; the same call gives the same sample.

    Args:
        platform: the home.
        first_day: first business day.
        last_day: last business day, in the same linkage window.
        pairs: how many to ask about, repeats included; confirmations come on top where they are needed.
        seed: of the draw.
        now: the clock.

    Raises:
        UserMistake: a period or number that cannot be, or past days without the reserve.
        NoData: nobody was seen.
    """
    if first_day > last_day or linkage_window(first_day) != linkage_window(last_day):
        raise UserMistake(
            f"expected --from and --to in one linkage window (calendar month), got {first_day} and {last_day}"
        )
    if not _FEWEST_PAIRS <= pairs <= _MOST_PAIRS:
        raise UserMistake(f"expected {_FEWEST_PAIRS} to {_MOST_PAIRS} pairs, got {pairs}")
    period = read_period(platform, first_day, last_day)
    reserve = _reserve_for(platform, first_day, last_day, now)
    threshold = platform.settings.linkage.window_max_distance
    identities = Identities(period.vectors, period.members)
    questions = concatenated([links(period.vectors, period.members), gaps(identities, _Impossible(period))])
    if len(questions) == 0:
        raise NoData(f"nothing to ask about {first_day} to {last_day}: {len(period.members)} visitors, seen once each")
    ids = period.templates["local_visitor_id"].to_pylist()
    locations = np.array(period.templates["location_id"].to_pylist())
    same_location = locations[questions.pair[:, 0]] == locations[questions.pair[:, 1]]
    chance = np.random.default_rng(seed)
    available = _available(period, questions, reserve)
    strata = stratify(questions, same_location, available, threshold=threshold, count=round(pairs / 1.05))
    drawn = draw(strata, chance)
    asked = _Asked(platform, period, identities, questions, ids, chance).questions(drawn, strata)
    population = _population(questions, strata, drawn)
    return _store(
        platform,
        AuditSample(
            sample_id=sample_id(
                last_day, str(first_day), str(seed), period.content_hash, sha256_hex(population), str(asked)
            ),
            first_day=first_day,
            last_day=last_day,
            seed=seed,
            from_reserve=reserve is not None,
            versions={name: platform.versions.as_dict()[name] for name in ("faces", "local_visitors", "identities")},
            identities_hash=period.content_hash,
            local_visitors=len(ids),
            identities=len(period.members),
            window_max_distance=threshold,
            population=sha256_hex(population),
            strata=tuple(
                Stratum(name=name, size=int(size), drawn=int(number), beyond=bool(beyond))
                for name, size, number, beyond in zip(
                    strata.name, strata.size, strata.drawn, strata.beyond, strict=True
                )
            ),
            questions=tuple(asked),
        ),
        population,
    )


def _store(platform: Platform, sample: AuditSample, population: bytes) -> AuditSample:
    AuditStore(platform.lake).add(sample, population)
    return sample


def _reserve_for(platform: Platform, first_day: date, last_day: date, now: datetime) -> CropReserve | None:
    """Return the reserve where the crops must come from it, None where those of the day itself may be shown."""
    today = today_of(platform, now)
    if first_day == last_day and shown_from_faces(last_day, today):
        return None
    if not platform.settings.audit.crop_reserve:
        raise UserMistake(
            f"an audit of {first_day} to {last_day} needs crops of past days, and the reserve is off; audit the newest "
            f"day alone (--from {today} --to {today}), or switch the reserve on: FOOTFALL_AUDIT__CROP_RESERVE=true"
        )
    reserve = open_reserve(platform.settings, platform.lake, today)
    if not reserve.keeps(first_day):
        raise UserMistake(f"the reserve no longer keeps crops of {first_day} on {today}; choose a later --from")
    return reserve


class _Impossible:
    """Whether two identities are two people for sure: two of theirs shared a still or were at two places at once."""

    def __init__(self, period: AuditedPeriod) -> None:
        self._period = period
        self._ids = period.templates["local_visitor_id"].to_pylist()

    def __call__(self, one: int, other: int) -> bool:
        left, right = self._period.members[one], self._period.members[other]
        rows = np.sort(np.concatenate([left, right]))
        pairs = rows[impossible_pairs(self._period.templates.take(rows), [self._ids[row] for row in rows])]
        return bool((np.isin(pairs, left).sum(axis=1) == 1).any())


def _available(period: AuditedPeriod, questions: Questions, reserve: CropReserve | None) -> NDArray[np.bool_]:
    """Return which questions can be asked; without a reserve all, else those whose both sides are in it."""
    if reserve is None:
        return np.ones(len(questions), dtype=np.bool_)
    days, ids = period.templates["day"].to_pylist(), period.templates["local_visitor_id"].to_pylist()
    held = np.array([reserve.holds(day, each) for day, each in zip(days, ids, strict=True)], dtype=np.bool_)
    return np.asarray(held[questions.pair].all(axis=1), dtype=np.bool_)


def _population(questions: Questions, strata: Strata, drawn: Draw) -> bytes:
    numbers: list[int | None] = [None] * len(questions)
    for number, row in enumerate(drawn.asked.tolist(), start=1):
        numbers[row] = number
    table = pa.Table.from_arrays(
        [
            pa.array(questions.linked),
            pa.array(questions.distance),
            pa.array(questions.height),
            pa.array(questions.nearer),
            pa.array(questions.farther),
            pa.array(strata.of, pa.int64()),
            pa.array(numbers, pa.int64()),
        ],
        schema=POPULATION,
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


class _Asked:
    """Turns drawn rows into questions with ids and faces."""

    def __init__(
        self,
        platform: Platform,
        period: AuditedPeriod,
        identities: Identities,
        questions: Questions,
        ids: Sequence[UUID],
        chance: np.random.Generator,
    ) -> None:
        self._platform, self._period, self._identities = platform, period, identities
        self._all, self._ids, self._chance = questions, ids, chance
        self._identity = np.empty(len(ids), dtype=np.int64)
        for number, rows in enumerate(period.members):
            self._identity[rows] = number
        self._days = period.templates["day"].to_pylist()
        self._locations = period.templates["location_id"].to_pylist()
        self._faces: dict[Place, dict[UUID, tuple[UUID, ...]]] = {}

    def questions(self, drawn: Draw, strata: Strata) -> list[Question]:
        """Return the questions drawn, then the repeated ones, then the confirmations."""
        asked: list[Question] = []
        for row in drawn.asked.tolist():
            stratum = int(strata.of[row])
            probability = float(strata.drawn[stratum] / strata.size[stratum])
            asked.append(self._question(len(asked) + 1, row, stratum=stratum, probability=probability))
        number_of = {row: number for number, row in enumerate(drawn.asked.tolist(), start=1)}
        for row in drawn.repeated.tolist():
            first = asked[number_of[row] - 1]
            again = {"number": len(asked) + 1, "purpose": Purpose.REPEAT, "refers_to": first.number}
            turned = {"left": first.right, "right": first.left, "stratum": None, "probability": None}
            asked.append(first.model_copy(update={**again, **turned}))
        for row in drawn.asked.tolist():
            if not self._all.linked[row] and not strata.beyond[strata.of[row]]:
                self._add_confirmations(asked, row, number_of[row])
        return asked

    def _question(self, number: int, row: int, *, stratum: int, probability: float) -> Question:
        left, right = self._sides(self._all.pair[row])
        return Question(
            number=number,
            purpose=Purpose.COUNT,
            left=left,
            right=right,
            linked=bool(self._all.linked[row]),
            stratum=stratum,
            probability=probability,
            distance=float(self._all.distance[row]),
            height=float(self._all.height[row]),
        )

    def _add_confirmations(self, asked: list[Question], row: int, number: int) -> None:
        one, other = (int(each) for each in self._identity[self._all.pair[row]])
        for third in self._identities.between(one, other):
            pair = self._identities.closest_pair(one, third)
            left, right = self._sides(pair)
            vectors = self._period.vectors[pair]
            height = float(self._identities.distances(np.array([one]))[0, third])
            asked.append(
                Question(
                    number=len(asked) + 1,
                    purpose=Purpose.CONFIRM,
                    left=left,
                    right=right,
                    linked=False,
                    distance=float(1.0 - vectors[0] @ vectors[1]),
                    height=height,
                    refers_to=number,
                )
            )

    def _sides(self, pair: NDArray[np.int64]) -> tuple[Side, Side]:
        """Return the two sides, left and right by lot: the order must say nothing."""
        rows = pair[::-1] if self._chance.integers(2) else pair
        left, right = (self._side(int(row)) for row in rows)
        return left, right

    def _side(self, row: int) -> Side:
        place = Place(self._days[row], self._locations[row])
        if place not in self._faces:
            self._faces[place] = good_faces(self._platform, place)
        each = self._ids[row]
        return Side(local_visitor_id=each, location_id=place.location_id, day=place.day, faces=self._faces[place][each])
