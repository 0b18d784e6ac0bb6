"""`footfall compare`: what differs between two publications, and why."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from footfall_assets.contracts.errors import UserMistake


class ComparisonForm(StrEnum):
    """How a comparison is written."""

    TABLE = "table"
    JSON = "json"


def compare(
    before: Annotated[str | None, typer.Argument(help="Publication to compare: first digits of its id.")] = None,
    after: Annotated[str, typer.Argument(help="The one to compare it with.")] = "current",
    first_day: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last_day: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    limit: Annotated[int, typer.Option(help="Most changes to list of each kind.")] = 20,
    form: Annotated[ComparisonForm, typer.Option("--format", help="How to write it.")] = ComparisonForm.TABLE,
    out: Annotated[Path | None, typer.Option(help="File to write; default standard output.")] = None,
) -> None:
    """Say what differs between two publications and why; without any, list those that are kept.

    Example: footfall compare 3f9c1a 8b02d4 --format json --out difference.json
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.reporting.comparison import compare as compare_publications
    from footfall_assets.reporting.comparison_formats import (
        comparison_to_json,
        comparison_to_table,
        publications_to_table,
    )
    from footfall_assets.reporting.kept_publications import CURRENT, find_publication, kept_publications
    from footfall_assets.storage import open_lake

    lake = open_lake(load_settings())
    if before is None:
        current = find_publication(lake, CURRENT)
        typer.echo(publications_to_table(kept_publications(lake), current.publication_id), nl=False)
        return
    found = compare_publications(
        lake,
        find_publication(lake, before),
        find_publication(lake, after),
        first_day=first_day.date() if first_day else None,
        last_day=last_day.date() if last_day else None,
        limit=limit,
    )
    text = comparison_to_json(found) if form is ComparisonForm.JSON else comparison_to_table(found)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserMistake(f"cannot write {out}: {error.strerror}") from error
    typer.echo(f"wrote {out}", err=True)
