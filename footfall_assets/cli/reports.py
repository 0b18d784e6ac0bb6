"""`footfall report` and `footfall evaluate`: what was found, and how well."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from footfall_assets.contracts.errors import UserMistake


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class ScoreForm(StrEnum):
    """How an evaluation is written."""

    TABLE = "table"
    JSON = "json"


_Out = Annotated[Path | None, typer.Option("--out", help="File to write; default standard output.")]


def report(
    first_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business day.")],
    last_day: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day.")],
    location: Annotated[list[str] | None, typer.Option(help="Location to include; repeat for more.")] = None,
    camera_group: Annotated[str | None, typer.Option(help="Camera group to include.")] = None,
    min_appearances: Annotated[int, typer.Option(help="List visitors with at least so many appearances.")] = 1,
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
    out: _Out = None,
) -> None:
    """Print the unique visitor report of a period.

    Example: footfall report --from 2024-01-01 --to 2024-01-31 --camera-group entrances --format csv --out january.csv
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.reporting.formats import ReportFormat, header, render
    from footfall_assets.reporting.provenance import provenance_of
    from footfall_assets.reporting.publication import current_publication, open_visitors
    from footfall_assets.reporting.request import ReportRequest
    from footfall_assets.reporting.visitor_report import visitor_report
    from footfall_assets.storage import open_lake

    settings = load_settings()
    now = datetime.now(UTC)
    request = ReportRequest(
        first_day=first_day.date(),
        last_day=last_day.date(),
        location_ids=tuple(location or ()),
        camera_group=camera_group,
        min_appearances=min_appearances,
    )
    request.period.check_not_future(now)
    if form is Form.PARQUET and out is None:
        raise UserMistake("expected --out FILE beside --format parquet")
    lake = open_lake(settings)
    publication = current_publication(lake)
    with open_visitors(lake, publication) as visitors:
        found = visitor_report(visitors, request, visit_gap_s=settings.counting.visit_gap_s)
    _write(render(found, provenance_of(publication, now=now), form=ReportFormat(form)), out)
    if form is Form.CSV:  # which holds the list and nothing but the list
        typer.echo("\n".join(f"{name}: {value}" for name, value in header(found)), err=True)


def evaluate(
    truth: Annotated[Path, typer.Option(help="truth.parquet of footfall simulate.")],
    form: Annotated[ScoreForm, typer.Option("--format", help="How to write it.")] = ScoreForm.TABLE,
    out: _Out = None,
) -> None:
    """Score what was published against a known truth.

    Example: footfall evaluate --truth .footfall/truth.parquet --format json
    """
    import pandas as pd

    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.evaluation.collect import collect_output
    from footfall_assets.evaluation.formats import to_json, to_table
    from footfall_assets.evaluation.score import score
    from footfall_assets.platform import Platform
    from footfall_assets.reporting.publication import current_publication, open_visitors
    from footfall_assets.vision.refresh import all_faces

    if not truth.is_file():
        raise UserMistake(f"expected a file of known truth at {truth}, found none; footfall simulate writes one")
    settings = load_settings()
    platform = Platform(settings)
    publication = current_publication(platform.lake)
    try:
        known = pd.read_parquet(truth)
    except (OSError, ValueError) as error:
        raise UserMistake(f"expected a Parquet file of known truth at {truth}: {error}") from error
    with open_visitors(platform.lake, publication) as visitors:
        found = collect_output(all_faces(platform), visitors, visit_gap_s=settings.counting.visit_gap_s)
    scored = score(known, found)
    text = to_json(scored) if form is ScoreForm.JSON else to_table(scored)
    _write((text.rstrip("\n") + "\n").encode(), out)


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        typer.echo(data.decode(), nl=False)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UserMistake(f"cannot write {out}: {error.strerror}") from error
    typer.echo(f"wrote {out}", err=True)
