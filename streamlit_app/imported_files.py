"""The files of other systems that were imported, as a table for people."""

from typing import Final

import pandas as pd

from footfall_assets.contracts.imports import ImportKind, ImportLedger
from footfall_assets.storage.import_store import ImportStore
from footfall_assets.storage.lake import LakeStore

HOW_TO_IMPORT: Final = "How to: docs/imports.md."
_COLUMNS = ["Imported", "Kind", "File", "Rows", "Set aside", "Reasons"]


def imported_files(lake: LakeStore, *, most: int) -> pd.DataFrame:
    """Return one row a file, the newest first, at most `most`: when (UTC), kind, name, rows taken and set aside."""
    store = ImportStore(lake)
    rows = [row for kind in ImportKind for row in _rows(store.ledger(kind))]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.sort_values(["Imported", "Kind"], ascending=[False, True], ignore_index=True).head(most)


def _rows(ledger: ImportLedger) -> list[tuple[object, ...]]:
    return [
        (
            each.imported_at,
            ledger.kind.value,
            each.file_name,
            each.rows,
            sum(each.set_aside.values()),
            ", ".join(f"{reason.value} {count}" for reason, count in each.set_aside.items()),
        )
        for each in ledger.records
    ]
