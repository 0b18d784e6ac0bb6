"""`footfall audit`: draw pairs, label them blind, score the count, refit the threshold."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Check who is who against labelled pairs, and the count with them.")

_Sample = Annotated[str, typer.Argument(help="Such as audit-2024-01-31-0123456789ab; footfall audit list shows them.")]


class ScoreForm(StrEnum):
    """How a score is written."""

    TABLE = "table"
    JSON = "json"


@app.command()
def sample(
    first_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business day.")],
    last_day: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day.")],
    pairs: Annotated[int, typer.Option(help="How many pairs to ask about.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
) -> None:
    """Draw the pairs that matter most for the count, and store what is asked.

    Example: footfall audit sample --from 2024-01-31 --to 2024-01-31 --pairs 200
    """
    from footfall_assets.audit.sample import draw_sample
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform

    platform = Platform(load_settings())
    drawn = draw_sample(platform, first_day.date(), last_day.date(), pairs=pairs, seed=seed, now=datetime.now(UTC))
    typer.echo(drawn.sample_id)
    asked = sum(stratum.drawn for stratum in drawn.strata)
    typer.echo(
        f"{asked} pairs of {drawn.local_visitors} local visitors, {drawn.identities} visitors; next: "
        f"footfall audit label {drawn.sample_id}",
        err=True,
    )


@app.command("list")
def list_samples() -> None:
    """List the samples and how far each is labelled.

    Example: footfall audit list
    """
    from footfall_assets.contracts.audit import asked, newest_answers
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.audit_store import AuditStore

    store = AuditStore(open_lake(load_settings()))
    for name in store.sample_ids():
        drawn, labels = store.sample(name), store.labels(name)
        progress = []
        for labeller in sorted({label.labeller for label in labels}):
            answers = newest_answers(labels, labeller)
            needed = {question.number for question in asked(drawn, answers)}
            progress.append(f"{labeller} {len(needed & answers.keys())} of {len(needed)}")
        typer.echo(f"{name}  {drawn.first_day} to {drawn.last_day}  {', '.join(progress) or 'not labelled yet'}")


@app.command()
def label(
    sample_id: _Sample,
    answers: Annotated[Path | None, typer.Option(help="CSV with the columns question, answer.")] = None,
    labeller: Annotated[str, typer.Option(help="Who answers, as an id.")] = "file",
) -> None:
    """Say where to label a sample; with --answers, take the answers from a file.

    Example: footfall audit label audit-2024-01-31-0123456789ab --answers answers.csv --labeller ann
    """
    from footfall_assets.audit.answers_file import read_answers_file, without_repeated
    from footfall_assets.contracts.access import Access
    from footfall_assets.contracts.ids import parse_slug
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.access_log import AccessLog
    from footfall_assets.storage.audit_store import AuditStore

    settings = load_settings()
    lake = open_lake(settings)
    store = AuditStore(lake)
    drawn = store.sample(sample_id)
    if answers is None:
        typer.echo(f"http://localhost:{settings.app_port}/audit?sample={drawn.sample_id}")
        typer.echo("start the app with: FOOTFALL_AUDIT__ROLE=auditor footfall up --no-dagster --no-docs", err=True)
        return
    now = datetime.now(UTC)
    rows = read_answers_file(answers, drawn, labeller=parse_slug(labeller), now=now)
    new = without_repeated(rows, store.labels(drawn.sample_id), labeller)
    locks = settings.home / "locks"
    for row in new:
        store.append(row, locks)
    if new:
        AccessLog(lake, settings.keys_dir).append(
            who=labeller,
            role="operator",
            access=Access.LABEL,
            about=drawn.sample_id,
            count=len(new),
            at=now,
            lock_folder=locks,
        )
    typer.echo(f"{len(new)} answers added, {len(rows) - len(new)} were there already")


@app.command("score")
def score_sample(
    sample_id: _Sample,
    form: Annotated[ScoreForm, typer.Option("--format", help="How to write it.")] = ScoreForm.TABLE,
    refit: Annotated[bool, typer.Option("--refit", help="Also write the labelled pairs and the threshold.")] = False,
) -> None:
    """Print how good the links are, and how many people there are.

    Example: footfall audit score audit-2024-01-31-0123456789ab --format json
    """
    from footfall_assets.audit.formats import suggestion_text, to_json, to_table
    from footfall_assets.audit.labels import labelled_pairs
    from footfall_assets.audit.score import score
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.audit_store import AuditStore

    store = AuditStore(open_lake(load_settings()))
    found = score(store, sample_id)
    typer.echo(to_json(found) if form is ScoreForm.JSON else to_table(found))
    if refit:
        pairs = labelled_pairs(store.lake, sample_id)
        key = store.write_pairs(sample_id, pairs)
        typer.echo(f"wrote {pairs.num_rows} labelled pairs to {key} in the lake", err=True)
        typer.echo(suggestion_text(found.suggestion), err=True)


@app.command()
def purge() -> None:
    """Destroy the keys and crops of the reserve that are over.

    Example: footfall audit purge
    """
    from footfall_assets.audit.period import today_of
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform
    from footfall_assets.storage.crop_reserve import open_reserve

    platform = Platform(load_settings())
    reserve = open_reserve(platform.settings, platform.lake, today_of(platform, datetime.now(UTC)))
    over = reserve.purge(everything=not platform.settings.audit.crop_reserve)
    typer.echo(f"{len(over)} days destroyed{': ' if over else ''}{', '.join(day.isoformat() for day in over)}")


@app.command()
def verify() -> None:
    """Verify the chain of the access log: who saw or labelled crops.

    Example: footfall audit verify
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.access_log import AccessLog

    settings = load_settings()
    lines = AccessLog(open_lake(settings), settings.keys_dir).verify()
    typer.echo(f"{len(lines)} lines, none changed")
