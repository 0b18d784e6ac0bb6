"""The gallery of a provisional day: the identities of a sealed day as mean vectors, and who of them is near.

Average linkage joins a local visitor to the identity with the smallest mean distance to its members, which is
1 - v·M for the mean M of their unit vectors, not scaled to length one (`domain/agglomeration.py`). Below a measured
size every identity is compared. Above it a usearch graph (hierarchical navigable small world; Malkov and Yashunin 2016)
proposes candidates, and every one of them is scored again.

The graph is asked for the largest v·M. All it compares is whole numbers of 8 bits, whose products every processor adds
up to the same sums; it is built on one thread in the order of the identities' names. So it gives the same candidates
wherever it is built. It is a cache, never the memory: loaded only where its hashes match, else built again.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import usearch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from usearch.index import Index

from footfall_assets.contracts.ids import Sha256, sha256_hex
from footfall_assets.domain.agglomeration import GRID_STEPS, Doubles, Grid, Labels, Pairs, on_grid
from footfall_assets.domain.id_words import Words, numbered, rows_of
from footfall_assets.storage.arrow import matrix, uuid_words

_FORMAT: Final = 1  # of the files; raise it where their meaning changes
_METRIC: Final = "ip"
_DTYPE: Final = "i8"
_LARGEST: Final = 127  # of a coordinate in the graph
# Of 953 visits with somebody of 31,904 within dlib's threshold, 99.7 % find the nearest among 16 with these, all with
# twice the breadths, which cost twice the time to build and to search.
_CONNECTIVITY: Final = 32
_EXPANSION_ADD: Final = 128
_EXPANSION_SEARCH: Final = 128
_SEARCH_THREADS: Final = 2
_COARSE_STEPS: Final = 2047  # products of vectors no longer than one stay below 2^24: float32 adds them up exactly
_COARSE_SLACK: Final = 1.3e-3  # six standard deviations of what coarse steps move a cosine by
_BLOCK_PRODUCTS: Final = 10_000_000  # of local visitors and identities at a time: 40 MB
_BLOCK_PAIRS: Final = 65_536  # whose vectors are held at a time
_KEPT_GALLERIES: Final = 2  # two windows may be open at once; older ones are deleted
_SIDECAR: Final = "gallery.json"
_INDEX_FILE: Final = "index.usearch"
_ARRAYS: Final = ("face", "mean", "size")


@dataclass(frozen=True)
class SealedGallery:
    """The k identities of a sealed day, sorted by name.

    Attributes:
        face: (k, 2) their names.
        mean: (k, d) the mean of their members' unit vectors, on the grid.
        size: (k,) members.
    """

    face: Words
    mean: Grid
    size: Labels

    @classmethod
    def of(cls, identities: pa.Table, templates: Iterable[pa.Table], dim: int) -> "SealedGallery":
        """Return the gallery of a map, from the templates of its local visitors in any order and number of tables."""
        face, number = numbered(uuid_words(identities["face_id"]))
        local = uuid_words(identities["local_visitor_id"])
        total, size = np.zeros((len(face), dim), np.int64), np.zeros(len(face), np.int64)
        for table in templates:
            row = rows_of(uuid_words(table["local_visitor_id"]), local)
            known = np.flatnonzero(row >= 0)
            if len(known):
                owner = number[row[known]]
                order = np.argsort(owner, kind="stable")
                several = np.flatnonzero(np.diff(owner[order], prepend=-1))
                grid = on_grid(matrix(table["vector"]))[known[order]]
                total[owner[order][several]] += np.add.reduceat(grid, several, axis=0, dtype=np.int64)
                size += np.bincount(owner, minlength=len(face))
        mean = np.asarray(np.rint(total / np.maximum(size, 1)[:, None]), dtype=np.int16)
        return cls(face, mean, size)


class GallerySidecar(BaseModel):
    """What a stored gallery is, beside its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    key: str
    usearch: str  # version: another may walk a graph otherwise
    metric: str
    dtype: str
    dims: int
    identities: int
    indexed: bool
    files: dict[str, Sha256]


class GalleryIndex:
    """A sealed gallery that can be searched."""

    def __init__(self, gallery: SealedGallery, index: Index | None) -> None:
        self.gallery = gallery
        self._index = index

    @classmethod
    def build(cls, gallery: SealedGallery, exact_below: int) -> "GalleryIndex":
        """Return the gallery with a graph where it has `exact_below` identities or more, without one below."""
        if len(gallery.face) < max(exact_below, 1):
            return cls(gallery, None)
        rows = _indexed(gallery.mean)
        index = _graph(rows.shape[1])
        index.add(np.arange(len(rows)), rows, threads=1)
        return cls(gallery, index)

    @property
    def indexed(self) -> bool:
        """Whether a graph proposes the candidates; else every identity is compared."""
        return self._index is not None

    def candidates(self, grid: Grid, max_distance: float, keep: int) -> Pairs:
        """Return (m, 2) rows of `grid` and of the gallery within a mean cosine distance, sorted.

        Args:
            grid: (n, d) unit vectors on the grid.
            max_distance: mean cosine distance to an identity's members.
            keep: identities looked at for each row, the nearest; all that are as near as the last of them.
        """
        if not len(grid) or not len(self.gallery.face):
            return np.empty((0, 2), np.int64)
        if self._index is None:
            found = self._compared(grid, max_distance, keep)
        else:
            found = _proposed(self._index, grid, min(keep, len(self.gallery.face)))
        near = self.distances(grid, found) <= max_distance
        row, identity = found[near].T
        return found[near][np.lexsort((identity, row))]

    def distances(self, grid: Grid, pairs: Pairs) -> Doubles:
        """Return the (m,) mean cosine distances of pairs of rows of `grid` and of the gallery."""
        product = np.empty(len(pairs), np.float64)
        for start in range(0, len(pairs), _BLOCK_PAIRS):
            row, identity = pairs[start : start + _BLOCK_PAIRS].T
            one, other = grid[row].astype(np.float64), self.gallery.mean[identity].astype(np.float64)
            product[start : start + len(row)] = np.einsum("ij,ij->i", one, other)
        return np.asarray(1.0 - product / GRID_STEPS**2, np.float64)

    def _compared(self, grid: Grid, max_distance: float, keep: int) -> Pairs:
        least = (1.0 - max_distance - _COARSE_SLACK) * _COARSE_STEPS**2
        means = _coarse(self.gallery.mean)
        rows, found = max(1, _BLOCK_PRODUCTS // len(means)), [np.empty((0, 2), np.int64)]
        for start in range(0, len(grid), rows):
            product = _coarse(grid[start : start + rows]) @ means.T
            if keep < len(means):
                least_kept = np.partition(product, -keep, axis=1)[:, -keep, None]
                pairs = np.argwhere(product >= np.maximum(least_kept, least))
            else:
                pairs = np.argwhere(product >= least)
            found.append(pairs + np.array([start, 0]))
        return np.concatenate(found)

    def save(self, folder: Path, key: str) -> None:
        """Write the gallery and its graph into an empty folder, the sidecar last."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self.gallery, name))
        if self._index is not None:
            self._index.save(str(folder / _INDEX_FILE))
        files = {path.name: sha256_hex(path.read_bytes()) for path in sorted(folder.iterdir())}
        sidecar = _expected(key, self.gallery.mean.shape, indexed=self.indexed, files=files)
        (folder / _SIDECAR).write_text(sidecar.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, key: str, exact_below: int) -> "GalleryIndex | None":
        """Return the gallery stored under `key`, None where it is not there, damaged, or not what would be built."""
        try:
            sidecar = GallerySidecar.model_validate_json((folder / _SIDECAR).read_bytes())
            shape = (sidecar.identities, sidecar.dims)
            indexed = sidecar.identities >= max(exact_below, 1)
            names = {f"{name}.npy" for name in _ARRAYS} | ({_INDEX_FILE} if indexed else set())
            if sidecar != _expected(key, shape, indexed=indexed, files=sidecar.files) or set(sidecar.files) != names:
                return None
            if any(sha256_hex((folder / name).read_bytes()) != digest for name, digest in sidecar.files.items()):
                return None
            face, mean, size = (np.load(folder / f"{name}.npy") for name in _ARRAYS)
            index = None
            if indexed:
                index = _graph(sidecar.dims + 1)
                index.load(str(folder / _INDEX_FILE))
            if mean.shape != shape or (index is not None and len(index) != sidecar.identities):
                return None
        except (OSError, ValueError, ValidationError, RuntimeError):
            return None
        return cls(SealedGallery(face, mean, size), index)


def opened_gallery(root: Path, key: str, exact_below: int, build: Callable[[], SealedGallery]) -> GalleryIndex:
    """Return the gallery stored under `key`, or the one that `build` gives, and store that.

    A disk that is full or read-only costs the cache, never the day. Callers hold a lock: one writer at a time.

    Args:
        root: the folder of all galleries; only its owner may read it.
        key: hash of everything the sealed day was computed from.
        exact_below: identities below which there is no graph.
        build: reads the sealed day.
    """
    stored = GalleryIndex.load(root / key, key, exact_below)
    if stored:
        return stored
    built = GalleryIndex.build(build(), exact_below)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            built.save(fresh, key)
            shutil.rmtree(root / key, ignore_errors=True)
            fresh.replace(root / key)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        _forget(root, key)
    except (OSError, RuntimeError):
        return built
    return built


def _forget(root: Path, newest: str) -> None:
    """Delete all galleries but the newest few."""
    others = sorted((path for path in root.iterdir() if path.name != newest), key=lambda path: -path.stat().st_mtime)
    for path in others[_KEPT_GALLERIES - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _expected(key: str, shape: tuple[int, ...], *, indexed: bool, files: dict[str, str]) -> GallerySidecar:
    return GallerySidecar(
        format=_FORMAT,
        key=key,
        usearch=usearch.__version__,
        metric=_METRIC,
        dtype=_DTYPE,
        dims=shape[1],
        identities=shape[0],
        indexed=indexed,
        files=files,
    )


def _graph(dims: int) -> Index:
    return Index(
        ndim=dims,
        metric=_METRIC,
        dtype=_DTYPE,
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )


def _proposed(index: Index, grid: Grid, keep: int) -> Pairs:
    matches = index.search(_asked(grid), keep, threads=_SEARCH_THREADS)
    keys = np.asarray(matches.keys, dtype=np.int64).reshape(len(grid), -1)
    counts = np.broadcast_to(np.asarray(getattr(matches, "counts", keys.shape[1])), len(grid))
    row, place = np.nonzero(np.arange(keys.shape[1]) < counts[:, None])
    return np.stack([row, keys[row, place]], axis=1)


def _indexed(mean: Grid) -> NDArray[np.int8]:
    """Return what the graph holds of mean vectors (k, d): (k, d + 1), all of one length but for rounding.

    Taking away what all have in common changes v·M by the same for every M. A coordinate more, in which what is asked
    has 0, brings all to one length, so that the largest product is the nearest neighbour (Bachrach et al. 2014,
    "Speeding up the Xbox recommender system using a Euclidean transformation for inner-product spaces").
    """
    common = np.rint(mean.sum(axis=0, dtype=np.int64) / len(mean))
    own = mean - common
    squared = np.einsum("ij,ij->i", own, own)
    further = np.sqrt(squared.max() - squared)
    largest = max(float(np.abs(own).max()), float(further.max()), 1.0)
    return np.asarray(np.rint(np.column_stack([own, further]) * (_LARGEST / largest)), dtype=np.int8)


def _asked(grid: Grid) -> NDArray[np.int8]:
    """Return unit vectors (n, d) as the graph is asked for them: (n, d + 1)."""
    largest = np.maximum(np.abs(grid.astype(np.int32)).max(axis=1), 1)[:, None]
    scaled = np.rint(grid.astype(np.float64) * _LARGEST / largest)
    return np.asarray(np.column_stack([scaled, np.zeros(len(grid))]), dtype=np.int8)


def _coarse(grid: Grid) -> NDArray[np.float32]:
    return np.asarray(np.rint(grid * np.float32(_COARSE_STEPS / GRID_STEPS)), dtype=np.float32)
