"""Hard faces among good ones: do blurred, tiny and masked faces found visitors, do good ones get lost?

    python benchmarks/hard_faces.py --people ../shared/data/people_dev --stills stills.npz --splits 20

In each store 30 % of the stills show a hard face in place of a clean one: blurred, about 15 px wide, masked, or
mirrored (which is a good face). Probe, threshold and count model are fitted on one half of the people, without any
hard face in their stores; the other half is scored.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from footfall_assets.calibration.count_fit import CUTS, MAIN_CUT, model_of
from footfall_assets.calibration.fit import FitPlan, drawn, fit_count_model, fit_probe, fit_threshold, probe_of
from footfall_assets.calibration.labelled_people import LabelledStills, StillKind, load_stills, measured_stills
from footfall_assets.calibration.stores import StoreVisits
from footfall_assets.calibration.trial import SolvedStore, founders, founding_rules, solve_store
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings, load_settings
from footfall_assets.domain.estimate import estimate, summarise
from footfall_assets.platform import Platform

HARD_SHARE = 0.3
GOOD = (StillKind.CLEAN, StillKind.MIRRORED)


def faces_of(stills: LabelledStills, visits: StoreVisits, solved: SolvedStore) -> pd.DataFrame:
    """Return a row per face: its kind, whether it may found, mints, joins its owner, or is left out.

    A face mints where its identity holds no good face of the same person: nobody but spoilt faces speaks for it.
    It joins its owner where most faces of its identity are of that person and one of them is clean.
    """
    identity = np.full(len(visits.still), -1, np.int64)
    member = solved.local >= 0
    identity[member] = solved.labels[solved.local[member], MAIN_CUT]
    frame = pd.DataFrame(
        {
            "kind": stills.kind[visits.still],
            "person": visits.person[visits.visit],
            "identity": identity,
            "founds": solved.founded,
        }
    )
    good = frame[frame.kind.isin(GOOD) & (frame.identity >= 0)]
    clean = frame[(frame.kind == StillKind.CLEAN) & (frame.identity >= 0)]
    with_good = set(zip(good.identity, good.person, strict=True))
    with_clean = set(zip(clean.identity, clean.person, strict=True))
    owner = frame[frame.identity >= 0].groupby("identity").person.agg(lambda people: people.mode()[0])
    pairs = list(zip(frame.identity, frame.person, strict=True))
    frame["left_out"] = frame.identity < 0
    frame["mints"] = [number >= 0 and (number, person) not in with_good for number, person in pairs]
    frame["joins"] = [(number, person) in with_clean and owner[number] == person for number, person in pairs]
    return frame


def score_split(stills: LabelledStills, split: int, visitors: int) -> tuple[pd.DataFrame, list[dict[str, float]]]:
    """Fit on one half of the people, score stores of the other."""
    shuffled = np.random.default_rng([split, 7]).permutation(len(stills.names))
    fitted, scored = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    linkage, plan = LinkageSettings(), FitPlan(seed=split)
    founding = founders(stills, founding_rules(QualitySettings(), probe_of(fit_probe(stills, fitted))))
    threshold = fit_threshold(stills, fitted, founding, linkage, plan)
    held = linkage.model_copy(update={"window_max_distance": threshold})
    model = model_of(fit_count_model(stills, fitted, founding, held, plan))
    frames, counts = [], []
    stores = drawn(stills, scored, [visitors] * 3, seed=split * 100 + 3, hard_share=HARD_SHARE)
    for mix, visits in stores:
        solved = solve_store(stills, visits, founding, held, [threshold * each for each in CUTS])
        frames.append(faces_of(stills, visits, solved))
        people = estimate(model, summarise(solved.labels, solved.labels[:, MAIN_CUT]), 0.9).people
        truth = len(np.unique(visits.person[visits.visit[np.isin(stills.kind[visits.still], GOOD)]]))
        counts.append({"mix": str(mix), "truth": truth, "estimated": people, "error": abs(people / truth - 1)})
    return pd.concat(frames), counts


def report(frames: Sequence[pd.DataFrame], counts: Sequence[dict[str, float]]) -> None:
    """Print what became of each kind of face, and how far the count is off."""
    faces = pd.concat(frames)
    faces["kind"] = faces.kind.map(lambda kind: StillKind(kind).name.lower())
    columns = {name: (name, "mean") for name in ("founds", "mints", "joins", "left_out")}
    print(faces.groupby("kind").agg(faces=("person", "size"), **columns).round(4).to_string())
    stores = pd.DataFrame(counts)
    print(f"count error: median {stores.error.median():.4f}, mean {stores.error.mean():.4f}, {len(stores)} stores")
    print(stores.groupby("mix").error.agg(["median", "mean"]).round(4).to_string())


def main() -> None:
    """Run the splits and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--stills", type=Path, help="measured stills, reused where the file exists")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--visitors", type=int, default=150)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    kept = options.stills
    stills = (
        load_stills(kept)
        if kept and kept.is_file()
        else measured_stills(options.people, Platform(load_settings()), seed=1, kept=kept)
    )
    with ProcessPoolExecutor(options.workers, mp_context=get_context("fork")) as pool:
        jobs = [pool.submit(score_split, stills, split, options.visitors) for split in range(options.splits)]
        results = [job.result() for job in jobs]
    report([frame for frame, _ in results], [row for _, rows in results for row in rows])


if __name__ == "__main__":
    main()
