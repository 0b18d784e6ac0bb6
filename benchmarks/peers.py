"""The linkage against other ways to cluster faces, on the same vectors, each at its own best setting.

    python benchmarks/peers.py --people ../shared/data/people_dev --splits 10 --stills stills.npz

Every method is fitted as ours is: on one half of the people, by mean BCubed F1 over drawn stores. It is scored on
stores of the other half. A method sees the vectors of all faces that may found an identity, one point a still, and
their order in time. `ours` sees them too: once as bare vectors (average linkage), once with its evidence (tracklets,
templates, two faces in one still are two people) and with the estimated count. A point that a method leaves out as
noise is a visitor of its own: a list has no room for "unknown". Differences are paired by store; the interval is a
bootstrap over stores.
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform
from sklearn.cluster import DBSCAN, HDBSCAN

from footfall_assets.calibration.count_fit import CUTS, MAIN_CUT, model_of
from footfall_assets.calibration.fit import FitPlan, drawn, fit_count_model, fit_probe, fit_threshold, probe_of
from footfall_assets.calibration.labelled_people import LabelledStills, load_stills, measured_stills
from footfall_assets.calibration.stores import StoreVisits
from footfall_assets.calibration.trial import founders, founding_rules, solve_store
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings, load_settings
from footfall_assets.domain.estimate import estimate, summarise
from footfall_assets.evaluation.bcubed import bcubed
from footfall_assets.platform import Platform

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Setting = tuple[float, ...]
THRESHOLDS = tuple(np.round(np.arange(0.03, 0.0951, 0.005), 4).tolist())  # cosine distances
TIGHT_THRESHOLDS = tuple(np.round(np.arange(0.01, 0.0651, 0.005), 4).tolist())
FIT_STORES = 4
SEED = 0


@dataclass(frozen=True)
class Peer:
    """A way to cluster points from their (n, n) cosine distances, and the settings it is tried with."""

    name: str
    cluster: Callable[[Matrix, Setting], Labels]
    settings: tuple[Setting, ...]


def hierarchical(method: str) -> Callable[[Matrix, Setting], Labels]:
    """Return agglomeration by a linkage (scipy), cut at a threshold."""

    def cluster(distance: Matrix, setting: Setting) -> Labels:
        tree = linkage(squareform(distance, checks=False), method)
        return np.asarray(fcluster(tree, setting[0], "distance"), dtype=np.int64)

    return cluster


def chinese_whispers(distance: Matrix, setting: Setting) -> Labels:
    """Biemann 2006, as dlib runs it: unweighted edges under a threshold, 100 rounds in random order."""
    rng = np.random.default_rng(SEED)
    near = [np.flatnonzero((row <= setting[0]) & (np.arange(len(row)) != at)) for at, row in enumerate(distance)]
    label = np.arange(len(distance))
    for _ in range(100):
        before = label.copy()
        for node in rng.permutation(len(distance)):
            if len(near[node]):
                values, counts = np.unique(label[near[node]], return_counts=True)
                label[node] = values[counts.argmax()]
        if (label == before).all():
            break
    return label


def lonely_noise(label: NDArray[np.int64]) -> Labels:
    """Return labels in which every point of noise (-1) is alone."""
    found = label.astype(np.int64).copy()
    noise = np.flatnonzero(found < 0)
    found[noise] = found.max(initial=-1) + 1 + np.arange(len(noise))
    return found


def dbscan(distance: Matrix, setting: Setting) -> Labels:
    """Ester et al. 1996 (scikit-learn)."""
    return lonely_noise(DBSCAN(eps=setting[0], min_samples=int(setting[1]), metric="precomputed").fit(distance).labels_)


def hdbscan(distance: Matrix, setting: Setting) -> Labels:
    """Campello et al. 2013 (scikit-learn), smallest cluster 2; clusters by excess of mass (0) or leaves (1)."""
    found = HDBSCAN(
        min_cluster_size=2,
        min_samples=int(setting[1]),
        metric="precomputed",
        cluster_selection_method=("eom", "leaf")[int(setting[0])],
        copy=True,
    ).fit(distance)
    return lonely_noise(found.labels_)


def joined(count: int, left: Labels, right: Labels) -> Labels:
    """Return the connected components of edges."""
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def mutual_neighbours(distance: Matrix, setting: Setting) -> Labels:
    """Components of pairs that are among each other's k nearest and within a threshold."""
    count, k = len(distance), int(setting[1])
    rank = distance.argsort(axis=1, kind="stable")[:, 1 : k + 1]
    among = np.zeros((count, count), dtype=bool)
    np.put_along_axis(among, rank, values=True, axis=1)
    left, right = np.nonzero(among & among.T & (distance <= setting[0]))
    return joined(count, left, right)


def rank_order(distance: Matrix, setting: Setting) -> Labels:
    """Approximate rank-order (Otto, Wang and Jain 2018): shared top-k neighbours, components under a threshold."""
    count, k = len(distance), min(int(setting[1]), len(distance) - 1)
    order = distance.argsort(axis=1, kind="stable")[:, : k + 1]
    place = np.full((count, count), k, dtype=np.int64)
    np.put_along_axis(place, order, np.arange(k + 1)[None, :], axis=1)
    seen = np.zeros((count, count), dtype=bool)
    np.put_along_axis(seen, order, values=True, axis=1)
    left, right = np.nonzero(np.triu(seen | seen.T, 1))
    one = np.array([(~seen[b][order[a][: min(place[a, b], k) + 1]]).sum() for a, b in zip(left, right, strict=True)])
    two = np.array([(~seen[a][order[b][: min(place[b, a], k) + 1]]).sum() for a, b in zip(left, right, strict=True)])
    apart = (one + two) / np.maximum(np.minimum(place[left, right], place[right, left]), 1)
    keep = apart <= setting[0]
    return joined(count, left[keep], right[keep])


def finch(distance: Matrix, setting: Setting) -> Labels:
    """FINCH (Sarfraz et al. 2019): first neighbours, level by level; the level is the setting."""
    label = np.arange(len(distance))
    current = distance.copy()
    for _ in range(int(setting[0])):
        np.fill_diagonal(current, np.inf)
        first = current.argmin(axis=1)
        step = joined(len(current), np.arange(len(current)), first)
        label = step[label]
        groups = int(step.max()) + 1
        if groups == 1:
            break
        member = np.zeros((len(distance), groups))
        member[np.arange(len(distance)), label] = 1
        size = member.sum(axis=0)
        current = (member.T @ distance @ member) / np.outer(size, size)
    return label


def incremental(distance: Matrix, setting: Setting) -> Labels:
    """The rule of photo managers: in order of arrival, take the nearest neighbour's person, else found one.

    A face founds a person only where `setting[1]` faces lie near it; one that does not waits for a second pass.
    """
    label = np.full(len(distance), -1, dtype=np.int64)
    people = 0
    for _ in range(2):
        for node in np.flatnonzero(label < 0):
            near = np.flatnonzero(distance[node] <= setting[0])
            known = near[(label[near] >= 0) & (near != node)]
            if len(known):
                label[node] = label[known[distance[node, known].argmin()]]
            elif len(near) >= setting[1]:
                label[node] = people
                people += 1
    return lonely_noise(label)


def grid(*axes: Sequence[float]) -> tuple[Setting, ...]:
    """Return every combination of settings."""
    return tuple(tuple(map(float, each)) for each in np.array(np.meshgrid(*axes)).reshape(len(axes), -1).T)


PEERS = (
    Peer("average linkage", hierarchical("average"), grid(THRESHOLDS)),
    Peer("complete linkage", hierarchical("complete"), grid(np.round(np.arange(0.06, 0.1601, 0.01), 3).tolist())),
    Peer("Chinese whispers", chinese_whispers, grid(TIGHT_THRESHOLDS)),
    Peer("DBSCAN", dbscan, grid(TIGHT_THRESHOLDS, (1, 2, 3))),
    Peer("HDBSCAN", hdbscan, grid((0, 1), (1, 2, 3))),
    Peer("mutual k-NN", mutual_neighbours, grid(TIGHT_THRESHOLDS, (3, 5, 8))),
    Peer("approximate rank-order", rank_order, grid((0.5, 1.0, 1.5, 2.0, 3.0), (5, 10, 20))),
    Peer("FINCH", finch, grid((1, 2, 3))),
    Peer("incremental DBSCAN rule", incremental, grid(TIGHT_THRESHOLDS, (1, 2, 3))),
)


@dataclass(frozen=True)
class Score:
    """One method on one store."""

    split: int
    store: int
    mix: str
    method: str
    setting: Setting
    f1: float
    count_error: float


@dataclass(frozen=True)
class Points:
    """What a method sees of a store, and the truth it does not."""

    distance: Matrix
    person: Labels
    truth: int


def points_of(stills: LabelledStills, visits: StoreVisits, founding: NDArray[np.bool_]) -> Points:
    """Return the faces of a store that may found an identity, in the order of time."""
    rows = np.flatnonzero(founding[visits.still])
    rows = rows[np.argsort(visits.time_us[rows], kind="stable")]
    vectors = stills.vector[visits.still[rows]].astype(np.float64)
    distance = np.clip(1.0 - vectors @ vectors.T, 0.0, None)
    np.fill_diagonal(distance, 0.0)
    person = visits.person[visits.visit[rows]]
    return Points((distance + distance.T) / 2, person, len(np.unique(person)))


def f1_of(points: Points, label: Labels) -> float:
    """Return BCubed F1."""
    return bcubed(points.person, label).f1 or 0.0


def best_setting(peer: Peer, stores: Sequence[Points]) -> Setting:
    """Return the setting with the best mean F1."""
    means = [
        np.mean([f1_of(store, peer.cluster(store.distance, setting)) for store in stores]) for setting in peer.settings
    ]
    return peer.settings[int(np.argmax(means))]


def score_split(
    stills: LabelledStills, split: int, visitors: int, stores: int, only: Sequence[str] = ()
) -> list[Score]:
    """Fit every method (or `only` some peers, by name) on one half of the people and score it on the other."""
    peers = [peer for peer in PEERS if not only or peer.name in only]
    shuffled = np.random.default_rng([split, 7]).permutation(len(stills.names))
    fitted, scored = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    linkage_settings = LinkageSettings()
    founding = founders(stills, founding_rules(QualitySettings(), probe_of(fit_probe(stills, fitted))))
    fit_on = [
        points_of(stills, visits, founding)
        for _, visits in drawn(stills, fitted, [visitors] * FIT_STORES, seed=split * 100 + 1)
    ]
    chosen = {peer.name: best_setting(peer, fit_on) for peer in peers}
    plan = FitPlan(seed=split)
    threshold = fit_threshold(stills, fitted, founding, linkage_settings, plan)
    held = linkage_settings.model_copy(update={"window_max_distance": threshold})
    model = model_of(fit_count_model(stills, fitted, founding, held, plan))
    rows = []
    for number, (mix, visits) in enumerate(drawn(stills, scored, [visitors] * stores, seed=split * 100 + 2)):
        points = points_of(stills, visits, founding)
        for peer in peers:
            label = peer.cluster(points.distance, chosen[peer.name])
            off = abs(len(np.unique(label)) / points.truth - 1)
            rows.append(Score(split, number, str(mix), peer.name, chosen[peer.name], f1_of(points, label), off))
        solved = solve_store(stills, visits, founding, held, [threshold * each for each in CUTS])
        face = solved.founded & (solved.local >= 0)
        found = solved.labels[solved.local[face], MAIN_CUT]
        f1 = bcubed(visits.person[visits.visit[face]], found).f1 or 0.0
        people = estimate(model, summarise(solved.labels, solved.labels[:, MAIN_CUT]), 0.9).people
        rows.append(Score(split, number, str(mix), "ours", (threshold,), f1, abs(people / points.truth - 1)))
    return rows


def compare(rows: Sequence[Score]) -> pd.DataFrame:
    """Return each method's means and how far ours is ahead of it, with a paired 95 % interval."""
    frame = pd.DataFrame([asdict(row) for row in rows])
    wide = frame.pivot_table(index=["split", "store"], columns="method", values=["f1", "count_error"])
    rng = np.random.default_rng(SEED)
    picks = rng.integers(0, len(wide), (2000, len(wide)))
    table = []
    for method in frame.method.unique():
        ahead = (wide["f1"]["ours"] - wide["f1"][method]).to_numpy()
        closer = (wide["count_error"][method] - wide["count_error"]["ours"]).to_numpy()
        low, high = np.quantile(ahead[picks].mean(axis=1), [0.025, 0.975])
        less, more = np.quantile(closer[picks].mean(axis=1), [0.025, 0.975])
        table.append(
            {
                "method": method,
                "f1": wide["f1"][method].mean(),
                "ours ahead by": f"{ahead.mean():+.4f} [{low:+.4f}, {high:+.4f}]",
                "median count error": wide["count_error"][method].median(),
                "mean count error": wide["count_error"][method].mean(),
                "ours closer by": f"{closer.mean():+.4f} [{less:+.4f}, {more:+.4f}]",
                "setting": str(frame[frame.method == method].setting.mode()[0]),
            }
        )
    return pd.DataFrame(table).set_index("method").sort_values("f1", ascending=False)


def main() -> None:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--stills", type=Path, help="measured stills, reused where the file exists")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--visitors", type=int, default=150)
    parser.add_argument("--stores", type=int, default=6, help="scored in each split")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="peers to compare with, by name; default all")
    options = parser.parse_args()
    kept = options.stills
    stills = (
        load_stills(kept)
        if kept and kept.is_file()
        else measured_stills(options.people, Platform(load_settings()), seed=1, kept=kept)
    )
    started = perf_counter()
    rows: list[Score] = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("fork")) as pool:
        jobs = [
            pool.submit(score_split, stills, split, options.visitors, options.stores, options.only or ())
            for split in range(options.splits)
        ]
        for job in jobs:
            rows += job.result()
            print(f"split {rows[-1].split}: {perf_counter() - started:.0f} s", flush=True)
    with pd.option_context("display.width", 200, "display.max_columns", 20):
        print(compare(rows).round(4).to_string())


if __name__ == "__main__":
    main()
