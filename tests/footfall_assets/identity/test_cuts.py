"""The clusters of local visitors at each cut: one merge tree with the identities, corrections included."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.calibration import Calibration, CountWeights, Evaluation
from footfall_assets.contracts.schemas import CUT_COLUMNS, CUTS, local_visitor_templates
from footfall_assets.identity.corrections import Corrections
from footfall_assets.identity.resolve import NO_NAMES, solve
from footfall_assets.identity.window import WindowVisitors
from footfall_assets.storage.arrow import uuid_words
from footfall_assets.storage.calibration_store import store_calibration
from models.manifest import ModelKind

DAY = date(2024, 1, 5)
DIM = 8
THRESHOLD = 0.1
AT = tuple(round(THRESHOLD * share, 6) for share in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0))


def templates(seed=1, *, people=6, looks=4, spread=0.18, conflicts=()):
    """Looks at a few people, far enough from each other that every cut gives another number of clusters."""
    chance = np.random.default_rng(seed)
    faces = chance.normal(size=(people, DIM))
    vectors = np.repeat(faces / np.linalg.norm(faces, axis=1, keepdims=True), looks, axis=0)
    vectors = vectors + chance.normal(size=vectors.shape) * spread
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    start = datetime(2024, 1, 5, 9, tzinfo=UTC)
    rows = [
        {
            "local_visitor_id": UUID(int=int(chance.integers(1, 2**60))).bytes,
            "location_id": "store-101",
            "day": DAY,
            "vector": vector.astype(np.float32).tolist(),
            "faces": 3,
            "quality": 0.9,
            "stay_starts": [start + timedelta(minutes=number)],
            "stay_ends": [start + timedelta(minutes=number, seconds=20)],
            "conflicts": [],
        }
        for number, vector in enumerate(vectors)
    ]
    for one, other in conflicts:
        rows[one]["conflicts"].append(rows[other]["local_visitor_id"])
        rows[other]["conflicts"].append(rows[one]["local_visitor_id"])
    return rows


@pytest.fixture
def solved(linkage):
    def run(rows, cuts=AT, corrections=None):
        table = pa.Table.from_pylist(rows, schema=local_visitor_templates(DIM))
        visitors = WindowVisitors.of([table], linkage)
        extra = {} if corrections is None else {"corrections": corrections}
        return visitors, solve(visitors, NO_NAMES, DAY, linkage, cuts=cuts, **extra)

    return run


def groups(ids, labels):
    """Return the sets of ids that share a label."""
    found = defaultdict(set)
    for each, label in zip(ids, labels, strict=True):
        found[label].add(each)
    return set(map(frozenset, found.values()))


def of_cuts(table):
    ids = table["local_visitor_id"].to_pylist()
    return [groups(ids, table[column].to_pylist()) for column in CUT_COLUMNS]


def identities(visitors, solution):
    table = solution.table(visitors)
    return groups(table["local_visitor_id"].to_pylist(), table["face_id"].to_pylist())


def test_each_cut_is_what_linking_at_it_gives(solved, linkage) -> None:
    """And no two of these cuts are the same, so that a mixed-up column shows."""
    rows = templates()
    visitors, solution = solved(rows)
    found = of_cuts(solution.cuts(visitors))
    sizes = [len(each) for each in found]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 5
    for cut, each in zip(AT, found, strict=True):
        table = pa.Table.from_pylist(rows, schema=local_visitor_templates(DIM))
        alone = linkage.model_copy(update={"window_max_distance": cut})
        only = WindowVisitors.of([table], alone)
        assert each == identities(only, solve(only, NO_NAMES, DAY, alone))


def test_the_cut_at_the_threshold_is_the_identities(solved) -> None:
    visitors, solution = solved(templates())
    assert of_cuts(solution.cuts(visitors))[AT.index(THRESHOLD)] == identities(visitors, solution)


def test_looking_further_changes_no_identity(solved) -> None:
    for seed in range(5):
        rows = templates(seed, conflicts=[(0, 1), (4, 9)])
        plain, cut = solved(rows, ()), solved(rows)
        assert plain[1].table(plain[0]).equals(cut[1].table(cut[0]))


def test_a_threshold_between_the_cuts_is_solved_as_well(solved) -> None:
    rows = templates()
    others = (*(cut for cut in AT if cut != THRESHOLD), 0.8)
    visitors, solution = solved(rows, others)
    plain = solved(rows, ())
    assert identities(visitors, solution) == identities(*plain)
    assert solution.cuts(visitors).num_columns == 12


def test_without_cuts_the_table_is_empty(solved) -> None:
    visitors, solution = solved(templates(), ())
    assert solution.cuts(visitors).equals(CUTS.empty_table())


def test_the_order_of_the_templates_changes_nothing(solved) -> None:
    rows = templates()
    tables = [solution.cuts(visitors) for visitors, solution in (solved(rows), solved(rows[::-1]))]
    assert tables[0].equals(tables[1])
    ids = tables[0]["local_visitor_id"].to_pylist()
    assert ids == sorted(ids)


def together(pairs, apart, rows):
    ids = [UUID(bytes=row["local_visitor_id"]) for row in rows]
    return Corrections(
        together=tuple((ids[one], ids[other]) for one, other in pairs),
        apart=tuple((ids[one], ids[other]) for one, other in apart),
    )


def test_a_merged_pair_shares_every_cluster_and_a_split_pair_none(solved) -> None:
    """Rows 0 and 20 are two people's, 8 and 9 one person's."""
    rows = templates()
    ids = [UUID(bytes=row["local_visitor_id"]) for row in rows]
    before, after = solved(rows), solved(rows, corrections=together([(0, 20)], [(8, 9)], rows))

    def shares(run, one, other):
        return [any({ids[one], ids[other]} <= each for each in cut) for cut in of_cuts(run[1].cuts(run[0]))]

    assert not shares(before, 0, 20)[0]
    assert all(shares(after, 0, 20))
    assert any(shares(before, 8, 9))
    assert not any(shares(after, 8, 9))


def test_the_ids_are_those_of_the_visitors(solved) -> None:
    visitors, solution = solved(templates())
    stored = uuid_words(solution.cuts(visitors)["local_visitor_id"])
    assert {tuple(each) for each in stored.tolist()} == {tuple(each) for each in visitors.local.tolist()}


@pytest.fixture
def calibrated():
    """Return a calibration of a platform's embedder with these cuts."""

    def make(platform, cuts):
        count = CountWeights(
            centre=(), scale=(), weight=(), intercept=0, spread=(0, 0, 0), low={}, high={}, listed=(1, 2),
            feature_ranges=(),
        )  # fmt: skip
        evaluation = Evaluation(people=1, stores=1, median_error=0, coverage={}, median_width=0, false_match_rate=1e-4)
        spec = platform.model_manifest.get(platform.settings.embedding.embedder, ModelKind.FACE_EMBEDDER)
        return Calibration(
            embedder=spec.identity,
            origin="by hand",
            made_on=DAY,
            window_max_distance=platform.settings.linkage.window_max_distance,
            cuts=cuts,
            probe=None,
            count=count,
            evaluation=evaluation,
        )

    return make


def stored(home):
    return {
        place.day: frozenset(part.table for part in home.platform.partitions.manifest(place).parts)
        for place in home.platform.partitions.places("identities", home.platform.versions.identities)
    }


def test_a_calibrated_home_keeps_the_cuts_of_each_day(new_corrected_home, calibrated) -> None:
    """In a version of their own; what they were without stays."""
    home = new_corrected_home()
    day = date(2024, 1, 10)
    for person in range(3):
        home.at(day, "store-101").pass_by(person, 600 * person, camera="store-101-door")
    home.run()
    before = home.platform.versions
    assert not any("cuts" in tables for tables in stored(home).values())
    assert home.run() == ([], [])

    store_calibration(home.platform.lake, calibrated(home.platform, AT))
    home.run()
    assert home.platform.versions.identities != before.identities
    assert home.platform.versions.local_visitors == before.local_visitors
    assert [{"identities", "cuts"} <= tables for tables in stored(home).values()] == [True]
    [place] = home.platform.partitions.places("identities", home.platform.versions.identities)
    cuts = home.platform.partitions.read_table(home.platform.partitions.manifest(place), "cuts", CUTS)
    assert cuts.num_rows == 3
    assert home.run() == ([], [])
