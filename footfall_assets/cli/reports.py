"""`footfall report` and `footfall evaluate`: what was found, and how well."""

from datetime import UTC, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from footfall_assets.contracts.errors import UserMistake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from footfall_assets.reporting.provenance import Provenance
    from footfall_assets.reporting.request import ReportRequest
    from footfall_assets.reporting.visitor_report import VisitorReport


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    HTML = "html"


class ScoreForm(StrEnum):
    """How an evaluation is written."""

    TABLE = "table"
    JSON = "json"


_Out = Annotated[Path | None, typer.Option("--out", help="File to write; default standard output.")]


_MOMENTS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


def report(
    first: Annotated[datetime, typer.Option("--from", formats=_MOMENTS, help="First day, or local minute of it.")],
    last: Annotated[
        datetime, typer.Option("--to", formats=_MOMENTS, help="Last day, or the local minute at which the period ends.")
    ],
    location: Annotated[list[str] | None, typer.Option(help="Location to include; repeat for more.")] = None,
    camera_group: Annotated[str | None, typer.Option(help="Camera group to include.")] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Camera to include; repeat for more.")] = None,
    min_appearances: Annotated[int, typer.Option(help="List visitors with at least so many appearances.")] = 1,
    publication_id: Annotated[
        str,
        typer.Option("--publication", help="First digits of a kept publication's id (footfall compare lists them)."),
    ] = "current",
    form: Annotated[Form, typer.Option("--format", help="How to write it.")] = Form.TABLE,
    out: _Out = None,
) -> None:
    """Print the unique visitor report of a period.

    Times are those of each location. A day without a time is meant as a whole; midnight is written as the day itself.

    Example: footfall report --from 2024-01-01 --to 2024-01-31 --camera-group entrances --format csv --out january.csv
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.reporting.export import ReportFormat, render
    from footfall_assets.reporting.formats import header
    from footfall_assets.reporting.kept_publications import CURRENT, counted_with, find_publication
    from footfall_assets.reporting.provenance import provenance_of
    from footfall_assets.reporting.publication import LONG_READ_FOR_S, open_visitors
    from footfall_assets.reporting.request import ReportRequest
    from footfall_assets.reporting.visitor_report import visitor_head, visitor_report
    from footfall_assets.storage import open_lake

    settings = load_settings()
    now = datetime.now(UTC)
    request = ReportRequest(
        first_day=first.date(),
        last_day=last.date(),
        location_ids=tuple(location or ()),
        camera_group=camera_group,
        camera_ids=tuple(camera or ()),
        min_appearances=min_appearances,
        starts_at=_inside_day(first),
        ends_at=_inside_day(last),
    )
    request.period.check_not_future(now)
    if form is Form.PARQUET and out is None:
        raise UserMistake("expected --out FILE beside --format parquet")
    lake = open_lake(settings)
    publication = find_publication(lake, publication_id)
    provenance = provenance_of(publication, now=now, current=find_publication(lake, CURRENT))
    with open_visitors(lake, publication, for_s=LONG_READ_FOR_S) as visitors:
        gap_s = counted_with(visitors)
        if form in (Form.CSV, Form.PARQUET) and out is not None:
            head = visitor_head(visitors, request, visit_gap_s=gap_s)
            _write_list(visitors, request, head, provenance, form, out)
        else:
            found = visitor_report(visitors, request, visit_gap_s=gap_s)
            head = found
            _write(render(found, provenance, form=ReportFormat(form)), out)
    if form is Form.CSV:  # which holds the list and nothing but the list
        typer.echo("\n".join(f"{name}: {value}" for name, value in header(head)), err=True)


def _inside_day(moment: datetime) -> time | None:
    return None if moment.time() == time() else moment.time()


def _write_list(
    connection: "DuckDBPyConnection",
    request: "ReportRequest",
    head: "VisitorReport",
    provenance: "Provenance",
    form: Form,
    out: Path,
) -> None:
    """Write a list of any length piece by piece."""
    from footfall_assets.reporting.export import write_csv, write_parquet
    from footfall_assets.reporting.visitor_list import all_visitors

    pieces = all_visitors(connection, request, visit_gap_s=head.visit_gap_s)
    try:
        with out.open("wb") as file:
            if form is Form.CSV:
                write_csv(file, head, pieces)
            else:
                write_parquet(file, head, provenance, pieces)
    except OSError as error:
        raise UserMistake(f"cannot write {out}: {error.strerror}") from error
    typer.echo(f"wrote {out}", err=True)


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
    from footfall_assets.reporting.publication import LONG_READ_FOR_S, current_publication, open_visitors
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
    with open_visitors(platform.lake, publication, for_s=LONG_READ_FOR_S) as visitors:
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
