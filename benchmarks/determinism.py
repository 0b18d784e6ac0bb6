"""One month, brought into the lake in many ways: whatever the order, the workers and the runs, one content hash.

    python benchmarks/determinism.py
    python benchmarks/determinism.py --locations 4 --days 5 --visitors 400 --reruns 5

The content hash covers every part of `local_visitors`, `identities` and `sightings` of every day. After a late day the
partition of sightings into people has to be that of the data in time; here names are too.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.schemas import IDENTITIES
from footfall_assets.contracts.settings import LinkageSettings, load_settings
from footfall_assets.identity.places import refresh_places
from footfall_assets.identity.refresh import refresh_identities, refresh_sightings
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.embedded_month import MonthPlan, Visits, planned_visits, register, write_month
from footfall_assets.simulation.vectors import known_spread
from footfall_assets.storage.arrow import uuid_words

# Hash tables above 64 rows, so that candidates are proposed and not all compared.
LINKAGE = LinkageSettings(
    local_max_distance=0.47,
    window_max_distance=0.47,
    join_max_distance=0.4,
    tracklet_max_distance=0.5,
    exact_neighbours_below=64,
)


class Month:
    """A home of its own for one way of bringing the month in."""

    def __init__(self, folder: Path, plan: MonthPlan, visits: Visits) -> None:
        self.platform = Platform(load_settings(home=folder, linkage=LINKAGE))
        self.plan, self.visits = plan, visits
        self.days = [plan.first_day + timedelta(days=day) for day in range(plan.days)]
        register(self.platform, plan)

    def write(self, *, shuffled: int | None = None, days: Iterable[int] | None = None) -> "Month":
        """Write the faces and vectors of some days, or of all."""
        for day in days if days is not None else range(self.plan.days):
            write_month(self.platform, self.plan, self.visits, shuffled=shuffled, days=range(day, day + 1))
        return self

    def run(self, *, workers: int = 0, days: Iterable[date] | None = None, places_reversed: bool = False) -> "Month":
        """Bring everything up to date."""
        found = self.platform.partitions.places("faces", self.platform.versions.faces)
        places = [Place(each.day, each.location_id or "") for each in found]
        list(refresh_places(self.platform, places[::-1] if places_reversed else places, workers=workers))
        for day in days if days is not None else self.days:
            refresh_identities(self.platform, day)
            refresh_sightings(self.platform, day)
        return self

    def content_hash(self) -> str:
        """Return the hash over every partition."""
        hashes = []
        for asset in ("local_visitors", "identities", "sightings"):
            for place in self.platform.partitions.places(asset, self.platform.versions.as_dict()[asset]):
                manifest = self.platform.partitions.manifest(place)
                hashes.append(f"{place.prefix}={manifest.content_hash if manifest else ''}")
        return digest_of(*hashes)

    def people(self) -> tuple[int, str]:
        """Return how many identities the last day has, and a hash of the grouping without its names."""
        manifest = self.platform.partitions.manifest(self.platform.day_of("identities", self.days[-1]))
        rows = self.platform.partitions.read_table(manifest, "identities", IDENTITIES)
        face, local = uuid_words(rows["face_id"]), uuid_words(rows["local_visitor_id"])
        _, first, group = np.unique(face, axis=0, return_index=True, return_inverse=True)
        founder = local[first[group.ravel()]]
        return len(first), digest_of(np.concatenate([local, founder], axis=1).tobytes().hex())


def main() -> None:
    """Run every way and print its hash."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--locations", type=int, default=3)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--visitors", type=int, default=150)
    parser.add_argument("--reruns", type=int, default=5)
    given = parser.parse_args()
    plan = MonthPlan(given.visitors, given.locations, given.days, known_spread("good"))
    visits, last = planned_visits(plan), given.days - 1
    late = given.days // 2
    ways: dict[str, Callable[[Month], Month]] = {
        "in order, one process": lambda month: month.write().run(),
        **{
            f"batches shuffled, seed {seed}": lambda month, seed=seed: month.write(shuffled=seed).run()
            for seed in range(3)
        },
        "1 worker": lambda month: month.write().run(workers=1),
        "4 workers": lambda month: month.write().run(workers=4),
        "4 workers, places reversed, batches shuffled": lambda month: month.write(shuffled=9).run(
            workers=4, places_reversed=True
        ),
        "days solved backwards": lambda month: month.write().run(days=month.days[::-1]),
        "day by day as they come": lambda month: [
            month.write(days=[day]).run(days=month.days[: day + 1]) for day in range(plan.days)
        ][-1],
        f"{given.reruns} reruns": lambda month: [month.write(), *(month.run() for _ in range(given.reruns))][-1],
        f"day {late} late": lambda month: (
            month.write(days=[day for day in range(plan.days) if day != late]).run().write(days=[late]).run()
        ),
        "the last day first": lambda month: (
            month.write(days=[last]).run(days=month.days[-1:]).write(days=range(last)).run()
        ),
    }
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; {len(visits.person)} visits of {given.visitors}")
    print("| way | content hash | people | grouping |\n| --- | --- | --- | --- |")
    seen, groupings = set(), set()
    for name, bring_in in ways.items():
        with tempfile.TemporaryDirectory(prefix="determinism-") as folder:
            month = bring_in(Month(Path(folder), plan, visits))
            people, grouping = month.people()
            content = month.content_hash()
        seen.add(content)
        groupings.add(grouping)
        print(f"| {name} | {content[:16]} | {people} | {grouping[:16]} |", flush=True)
    print(f"{len(seen)} distinct content hashes and {len(groupings)} distinct groupings over {len(ways)} ways")
    sys.exit(0 if len(seen) == len(groupings) == 1 else 1)


if __name__ == "__main__":
    main()
