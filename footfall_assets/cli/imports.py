"""`footfall import`: door counts, sales, staff plans and opening hours from CSV files."""

from pathlib import Path
from typing import Annotated

import typer

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.imports import ImportKind

_SHOWN_ROWS = 10


def import_file(
    kind: Annotated[ImportKind, typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8, columns as in docs/imports.md.")],
) -> None:
    """Take in a CSV file of another system; times are local to each location. `footfall run` then reports on it.

    Rows that cannot be used are set aside with their reason and do not stop the others. The same file again changes
    nothing; a later file replaces rows of the same key.

    Example: footfall import counts doors.csv
    """
    from datetime import UTC, datetime

    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.imports.import_file import import_csv, parse_csv, read_csv
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.registry_store import read_registry

    settings = load_settings()
    lake = open_lake(settings)
    now = datetime.now(UTC)
    data = read_csv(file, most_bytes=settings.imports.file_bytes)
    parsed = parse_csv(kind, file.name, data, registry=read_registry(lake), now=now)
    record, is_new = import_csv(lake, kind, parsed, now=now, lock_folder=settings.home / "locks")
    for row in parsed.set_aside[:_SHOWN_ROWS]:
        typer.echo(f"line {row.line}: {row.reason}: {row.message}", err=True)
    if len(parsed.set_aside) > _SHOWN_ROWS:
        typer.echo(f"... and {len(parsed.set_aside) - _SHOWN_ROWS} more", err=True)
    reasons = ", ".join(f"{reason} {count}" for reason, count in parsed.set_aside_counts.items())
    aside = f"{len(parsed.set_aside)} set aside" + (f" ({reasons})" if reasons else "")
    if not is_new:
        typer.echo(f"{kind}: nothing changed, {file.name} is import {record.sequence} already: {record.rows} rows")
        return
    typer.echo(f"{kind}: import {record.sequence}, {record.rows} rows taken, {aside}")
    if not record.rows:
        raise UserMistake(f"no row of {file.name} could be used; see the reasons above and docs/imports.md")
    typer.echo("next: footfall run", err=True)
