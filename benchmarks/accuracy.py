"""How well visitors are told apart and counted in drawn stores of real faces, never on people that fitted anything.

    python benchmarks/accuracy.py --people ../shared/data/people_dev --splits 20 --stills stills.npz --out accuracy.json

Each split draws one half of the people to fit the probe, the threshold and the count model, and scores stores of the
other half: BCubed F1 of faces, error of the estimated count, and whether the interval holds the truth, for the whole
store and for parts of it as a report's filters ask. People seen more than once are shown apart.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from footfall_assets.calibration.count_fit import CUTS, MAIN_CUT, model_of, samples_of
from footfall_assets.calibration.fit import (
    FitPlan,
    drawn,
    fit_count_model,
    fit_probe,
    fit_threshold,
    probe_of,
)
from footfall_assets.calibration.labelled_people import LabelledStills, load_stills, measured_stills
from footfall_assets.calibration.stores import StoreVisits
from footfall_assets.calibration.trial import SolvedStore, founders, founding_rules, solve_store
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings, load_settings
from footfall_assets.domain.estimate import estimate
from footfall_assets.evaluation.bcubed import bcubed
from footfall_assets.platform import Platform

LEVEL = 0.9


@dataclass(frozen=True)
class Row:
    """One part of one scored store; F1 values only for whole stores."""

    split: int
    visitors: int
    mix: str
    part: str
    threshold: float
    truth: int
    listed: int
    estimated: float
    low: float
    high: float
    f1: float | None = None
    f1_returning: float | None = None


def score_split(stills: LabelledStills, split: int, sizes: Sequence[int], plan: FitPlan) -> list[Row]:
    """Fit on one half of the people, score on the other."""
    shuffled = np.random.default_rng([split, 7]).permutation(len(stills.names))
    fitted, scored = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    quality, linkage = QualitySettings(), LinkageSettings()
    founding = founders(stills, founding_rules(quality, probe_of(fit_probe(stills, fitted))))
    threshold = fit_threshold(stills, fitted, founding, linkage, plan)
    held = linkage.model_copy(update={"window_max_distance": threshold})
    model = model_of(fit_count_model(stills, fitted, founding, held, plan))
    rng = np.random.default_rng([split, 8])
    rows = []
    for size in sizes:
        for mix, visits in drawn(stills, scored, [size] * 3, seed=split * 100 + size):
            solved = solve_store(stills, visits, founding, held, [threshold * each for each in CUTS])
            for sample in samples_of(visits, solved, rng):
                found = estimate(model, sample.tree, LEVEL)
                whole = sample.part == "whole"
                rows.append(
                    Row(
                        split,
                        size,
                        str(mix),
                        sample.part,
                        threshold,
                        sample.truth,
                        sample.tree.listed,
                        found.people,
                        found.low,
                        found.high,
                        *(f1_values(visits, solved) if whole else (None, None)),
                    )
                )
    return rows


def f1_values(visits: StoreVisits, solved: SolvedStore) -> tuple[float, float]:
    """Return BCubed F1 over all faces with a visitor, and over those of people with two visits or more."""
    member = solved.local >= 0
    person = visits.person[visits.visit[member]]
    found = solved.labels[solved.local[member], MAIN_CUT]
    often = np.flatnonzero(np.bincount(visits.person) > 1)
    again = np.isin(person, often)
    return bcubed(person, found).f1 or 0.0, bcubed(person[again], found[again]).f1 or 0.0


def tables(rows: Sequence[Row]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables that docs/accuracy.md shows."""
    frame = pd.DataFrame([asdict(row) for row in rows])
    frame["error"] = (frame.estimated / frame.truth - 1).abs()
    frame["bias"] = frame.estimated / frame.truth - 1
    frame["list_error"] = (frame.listed / frame.truth - 1).abs()
    frame["held"] = (frame.low <= frame.truth) & (frame.truth <= frame.high)
    frame["width"] = (frame.high - frame.low) / frame.estimated
    whole = frame[frame.part == "whole"]
    columns = {
        "stores": ("f1", "size"),
        "f1": ("f1", "mean"),
        "f1_returning": ("f1_returning", "mean"),
        "list_error": ("list_error", "median"),
        "count_error": ("error", "median"),
        "count_bias": ("bias", "mean"),
        "held": ("held", "mean"),
        "width": ("width", "median"),
    }
    yield "whole stores", whole.groupby(["visitors"]).agg(**columns)
    yield "whole stores by visit mix", whole.groupby(["visitors", "mix"]).agg(**columns)
    parts = {name: columns[name] for name in ("list_error", "count_error", "held", "width")}
    yield "parts", frame.groupby(["visitors", "part"]).agg(samples=("truth", "size"), **parts)
    yield "all parts by mix", frame.groupby(["mix"]).agg(samples=("truth", "size"), **parts)
    yield "everything", frame.groupby(lambda _: "all").agg(samples=("truth", "size"), **parts)


def main() -> None:
    """Run the splits and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--stills", type=Path, help="measured stills, reused where the file exists")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--visitors", type=int, nargs="+", default=[150, 300])
    parser.add_argument("--count-stores", type=int, default=180)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started = perf_counter()
    kept = options.stills
    stills = (
        load_stills(kept)
        if kept and kept.is_file()
        else measured_stills(options.people, Platform(load_settings()), seed=1, kept=kept)
    )
    print(f"{len(stills.names)} people, {len(stills)} faces; missed {dict(stills.missed)}")
    rows: list[Row] = []
    with ProcessPoolExecutor(options.workers, mp_context=get_context("fork")) as pool:
        jobs = [
            pool.submit(
                score_split, stills, split, options.visitors, FitPlan(seed=split, count_stores=options.count_stores)
            )
            for split in range(options.splits)
        ]
        for job in jobs:
            rows += job.result()
            print(
                f"split {rows[-1].split}: threshold {rows[-1].threshold}, {perf_counter() - started:.0f} s", flush=True
            )
    for name, table in tables(rows):
        print(f"\n{name}\n{table.round(4).to_string()}")
    if options.out:
        options.out.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
