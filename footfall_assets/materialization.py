"""What every asset reports to Dagster: rows, hashes, seconds, what was left out, and whether the schema holds."""

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeVar

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from footfall_assets.contracts.ids import digest_of
from footfall_assets.platform import Outcome, Platform
from footfall_assets.storage.partitions import PartitionPlace

SCHEMA_CHECK = "schema"
LEFT_OUT = "left_out/"  # prefix of the metadata that counts what was dropped, by reason
Item = TypeVar("Item")


def schema_check(asset: str) -> dg.AssetCheckSpec:
    """Return the blocking check that every stored part has the contract's columns and the recorded rows."""
    return dg.AssetCheckSpec(SCHEMA_CHECK, asset=asset, blocking=True, description="Columns, types and row counts")


def refresh_all(
    context: dg.AssetExecutionContext, items: Iterable[Item], refresh: Callable[[Item], Outcome]
) -> tuple[Outcome, float]:
    """Bring each item's partition up to date and return the sum of it, with the seconds it took."""
    started = monotonic()
    total, hashes = Outcome(), []
    for item in items:
        outcome = refresh(item)
        hashes.append(outcome.content_hash)
        total.rows += outcome.rows
        total.version = outcome.version
        total.parts_computed += outcome.parts_computed
        total.parts_reused += outcome.parts_reused
        total.left_out += outcome.left_out
        context.log.info("%s: %d rows, %d parts computed", item, outcome.rows, outcome.parts_computed)
    total.content_hash = hashes[0] if len(hashes) == 1 else digest_of(*hashes)
    return total, monotonic() - started


def result(
    outcome: Outcome, seconds: float, checks: Iterable[dg.AssetCheckResult] = (), **more: str | float
) -> dg.MaterializeResult:
    """Return what Dagster shows of a materialisation."""
    metadata: dict[str, str | int | float] = {
        "dagster/row_count": outcome.rows,
        "seconds": round(seconds, 3),
        "content_hash": outcome.content_hash,
        "version": outcome.version,
        "parts_computed": outcome.parts_computed,
        "parts_reused": outcome.parts_reused,
        **{f"{LEFT_OUT}{reason}": count for reason, count in sorted(outcome.left_out.items()) if count},
        **more,
    }
    return dg.MaterializeResult(
        metadata=metadata, data_version=dg.DataVersion(outcome.content_hash), check_results=list(checks)
    )


def check_schema(
    platform: Platform, asset: str, places: Iterable[PartitionPlace], tables: dict[str, pa.Schema]
) -> dg.AssetCheckResult:
    """Return whether every part of these partitions reads back with its contract's columns and its recorded rows."""
    problems: Counter[str] = Counter()
    parts = 0
    for place in places:
        manifest = platform.partitions.manifest(place)
        for part in manifest.parts if manifest else ():
            parts += 1
            footer = pq.ParquetFile(platform.lake.local_path(part.key))
            if not footer.schema_arrow.equals(tables[part.table]):
                problems[f"{part.key}: columns {footer.schema_arrow.names}, expected {tables[part.table].names}"] += 1
            if footer.metadata.num_rows != part.rows:
                problems[f"{part.key}: {footer.metadata.num_rows} rows, expected {part.rows}"] += 1
    return dg.AssetCheckResult(
        check_name=SCHEMA_CHECK,
        asset_key=asset,
        passed=not problems,
        metadata={"parts": parts, "problems": list(problems)[:20]},
    )
