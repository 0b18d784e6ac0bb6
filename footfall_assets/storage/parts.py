"""Partitions made of one part per input: only what is missing is computed, what is no longer an input is left out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from footfall_assets.contracts.ids import digest_of
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace, PartitionStore


@dataclass(frozen=True)
class Refreshed:
    """A partition brought up to date: its manifest, and how many parts that took."""

    manifest: PartitionManifest
    computed: int
    reused: int


def refresh_parts(
    store: PartitionStore,
    place: PartitionPlace,
    tables: Collection[str],
    inputs: Collection[str],
    compute: Callable[[str], Mapping[str, pa.Table]],
) -> Refreshed:
    """Bring a partition up to date with its inputs and commit it.

    Args:
        store: where partitions lie.
        place: which partition.
        tables: the tables that every part has.
        inputs: names of the inputs; each names an immutable thing, so an existing part of that name is still right.
        compute: the tables of one input's part.
    """
    before = store.manifest(place)
    parts, computed = [], 0
    names = sorted(set(inputs))
    for name in names:
        known = [before.part(table, name) if before else None for table in tables]
        if all(known):
            parts += [part for part in known if part]
            continue
        rows = compute(name)
        parts += [store.write_part(place, table, name, rows[table]) for table in tables]
        computed += 1
    manifest = store.commit(place, digest_of(*names), parts)
    return Refreshed(manifest, computed, len(names) - computed)
