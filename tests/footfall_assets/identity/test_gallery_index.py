"""The gallery of a provisional day: near as average linkage has it, and a cache that damage cannot harm."""

import json
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.schemas import IDENTITIES, local_visitor_templates
from footfall_assets.domain.agglomeration import GRID_STEPS, merge_tree, on_grid
from footfall_assets.domain.linkage import apart_by_pairs
from footfall_assets.identity.gallery_index import GalleryIndex, SealedGallery, opened_gallery

DIM = 16
NO_PAIRS = np.empty((0, 2), np.int64)


def unit_rows(chance, count, dim=DIM):
    vectors = chance.normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def people(seed=1, *, identities=60, looks=3):
    """Return vectors of local visitors, two to a direction, and the identity of each."""
    chance = np.random.default_rng(seed)
    vectors = (
        np.repeat(unit_rows(chance, identities), looks, axis=0) + chance.normal(size=(identities * looks, DIM)) / 9
    )
    owner = np.repeat(np.arange(identities), looks)
    keep = chance.random(len(owner)) < 0.8
    keep[::looks] = True
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)[keep], owner[keep]


def tables(vectors, owner):
    """Return the rows of `identities` and of the templates, in another order."""
    ids = [UUID(int=1000 + row) for row in range(len(vectors))]
    common = {"location_id": "store-101", "day": 19_723}
    identities = [
        {"local_visitor_id": each.bytes, "face_id": UUID(int=int(who)).bytes, **common}
        | {"match_score": 1.0, "minted_on": 19_723, "merged_from": []}
        for each, who in zip(ids, owner, strict=True)
    ]
    schema = local_visitor_templates(DIM)
    rows = [
        {"local_visitor_id": each.bytes, "vector": vector.tolist(), "faces": 1, "quality": 0.9, **common}
        | {"stay_starts": [], "stay_ends": [], "conflicts": []}
        for each, vector in zip(ids, vectors, strict=True)
    ]
    days = {"day": pa.date32(), "minted_on": pa.date32()}
    made = pa.Table.from_pylist(
        identities, schema=pa.schema([field.with_type(days.get(field.name, field.type)) for field in IDENTITIES])
    )
    return made, pa.Table.from_pylist(rows[::-1], schema=schema)


@pytest.fixture
def gallery():
    identities, templates = tables(*people())
    return SealedGallery.of(identities, [templates.slice(0, 50), templates.slice(50)], DIM)


def test_the_gallery_holds_mean_vectors(gallery) -> None:
    vectors, owner = people()
    assert gallery.face.tolist() == [[0, who] for who in range(60)]
    assert gallery.size.tolist() == np.bincount(owner).tolist()
    means = np.stack([vectors[owner == who].mean(axis=0) for who in range(60)])
    assert np.abs(gallery.mean / GRID_STEPS - means).max() < 1e-4


def test_the_order_and_the_number_of_tables_do_not_matter(gallery) -> None:
    identities, templates = tables(*people())
    again = SealedGallery.of(identities, [templates.slice(90), templates.slice(0, 90)], DIM)
    assert (again.mean == gallery.mean).all()
    assert (again.size == gallery.size).all()


@given(seed=st.integers(0, 10**6), members=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_the_distance_is_that_of_average_linkage(seed, members) -> None:
    """The height at which the merge tree joins a local visitor to a cluster of others."""
    chance = np.random.default_rng(seed)
    common = unit_rows(chance, 1)
    vectors = common + chance.normal(size=(members + 1, DIM)) * 0.05
    aside = unit_rows(chance, 1)[0]
    aside -= (aside @ common[0]) * common[0]
    vectors[-1] += aside / np.linalg.norm(aside) * 0.7  # further from all others than they are from each other
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    pairs = np.array(np.triu_indices(members + 1, 1)).T
    tree = merge_tree(vectors, np.ones(members + 1, np.float32), pairs, apart_by_pairs(members + 1, NO_PAIRS), 2.0)
    identities, templates = tables(vectors[:-1], np.zeros(members, np.int64))
    index = GalleryIndex.build(SealedGallery.of(identities, [templates], DIM), exact_below=10)
    found = index.distances(on_grid(vectors[-1:]), np.array([[0, 0]]))
    assert found[0] == pytest.approx(float(tree.height.max()), abs=5e-5)  # a mean in whole steps


def nearest(gallery, grid, max_distance, keep):
    """Return what `candidates` has to, by comparing all with all."""
    distance = 1 - grid.astype(float) @ gallery.mean.astype(float).T / GRID_STEPS**2
    rank = distance.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return np.argwhere((distance <= max_distance) & (rank < keep))


@pytest.mark.parametrize("exact_below", [0, 1000], ids=["index", "all compared"])
@pytest.mark.parametrize("keep", [1, 5, 200])
def test_candidates_are_the_nearest_within_the_distance(gallery, exact_below, keep) -> None:
    vectors, _ = people(seed=2)
    grid = on_grid(vectors[:50])
    index = GalleryIndex.build(gallery, exact_below)
    assert index.indexed == (exact_below == 0)
    found = index.candidates(grid, 0.9, keep)
    if keep > 1:  # the graph holds steps of 1 / 127: the nearest may be the second that it finds
        assert {*map(tuple, found.tolist())} >= {*map(tuple, nearest(gallery, grid, 0.9, 1).tolist())}
    if not index.indexed or keep == 200:
        assert found.tolist() == nearest(gallery, grid, 0.9, keep).tolist()
    assert (index.distances(grid, found) <= 0.9).all()


def test_nobody_to_compare(gallery) -> None:
    empty = SealedGallery.of(IDENTITIES.empty_table(), [], DIM)
    assert not len(GalleryIndex.build(empty, 0).candidates(on_grid(people()[0]), 1.0, 5))
    assert not len(GalleryIndex.build(gallery, 0).candidates(np.empty((0, DIM), np.int16), 1.0, 5))


class Disk:
    """A folder of galleries, and how often one had to be made."""

    def __init__(self, root, gallery) -> None:
        self.root, self.gallery, self.made = root / "galleries", gallery, 0

    def open(self, key="a" * 64, exact_below=10):
        return opened_gallery(self.root, key, exact_below, self._make)

    def _make(self):
        self.made += 1
        return self.gallery


@pytest.fixture
def disk(tmp_path, gallery):
    return Disk(tmp_path, gallery)


def answers(index):
    return index.candidates(on_grid(people(seed=3)[0]), 0.9, 7).tolist()


def test_a_stored_gallery_gives_the_same_answers_and_is_not_made_again(disk) -> None:
    made, loaded = disk.open(), disk.open()
    assert disk.made == 1
    assert loaded.indexed
    assert answers(loaded) == answers(made)
    assert disk.root.stat().st_mode & 0o077 == 0


FILES = ("face.npy", "mean.npy", "size.npy", "index.usearch", "gallery.json")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", ["flipped", "truncated", "emptied", "removed", "replaced"])
def test_a_damaged_gallery_is_made_again(disk, file, damage) -> None:
    expected = answers(disk.open())
    path = disk.root / ("a" * 64) / file
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 0x10
    kept = {"truncated": len(data) // 2, "emptied": 0}.get(damage, len(data))
    path.write_bytes(b"\x93NUMPY{}" if damage == "replaced" else bytes(data[:kept]))
    if damage == "removed":
        path.unlink()
    assert answers(disk.open()) == expected
    assert disk.made == 2
    assert answers(disk.open()) == expected
    assert disk.made == 2


@pytest.mark.parametrize(
    "change", [{"usearch": "0.1"}, {"format": 0}, {"metric": "cos"}, {"dims": 3}, {"identities": 5}, {"key": "b" * 64}]
)
def test_a_gallery_that_is_another_is_made_again(disk, change) -> None:
    disk.open()
    path = disk.root / ("a" * 64) / "gallery.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    disk.open()
    assert disk.made == 2


def test_another_sealed_day_has_another_gallery_and_old_ones_go(disk) -> None:
    for key in ("1", "2", "3"):
        disk.open(key)
    assert disk.made == 3
    assert len(list(disk.root.iterdir())) == 2
    disk.open("3")
    assert disk.made == 3


def test_another_limit_asks_for_another_gallery(disk) -> None:
    assert disk.open(exact_below=10).indexed
    assert not disk.open(exact_below=1000).indexed
    assert disk.made == 2


def test_a_disk_that_takes_nothing_costs_the_cache_only(disk, gallery) -> None:
    disk.root.write_text("in the way")
    assert answers(disk.open()) == answers(GalleryIndex.build(gallery, 10))
    assert disk.made == 1
