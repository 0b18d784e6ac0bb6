"""`footfall run`: materialise what is due, through Dagster."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from footfall_assets.contracts.errors import RegistryError, UserMistake


def run(
    first_day: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First business day to backfill.")
    ] = None,
    last_day: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day to backfill.")
    ] = None,
    location: Annotated[list[str] | None, typer.Option(help="Location to backfill; repeat for more.")] = None,
) -> None:
    """Bring everything up to date; with --from and --to, go through those days and locations again first.

    Example: footfall run --from 2024-01-01 --to 2024-01-03 --location store-101
    """
    from footfall_assets.cli.progress import progress_bar
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.definitions import build_definitions
    from footfall_assets.operations.dagster_home import open_instance
    from footfall_assets.operations.run import Runner
    from footfall_assets.operations.run_status import write_run_status
    from footfall_assets.operations.scope import places_in
    from footfall_assets.platform import Platform

    if (first_day is None) != (last_day is None):
        raise UserMistake("expected --from and --to together, or neither")
    settings = load_settings()
    platform = Platform(settings)
    if platform.registry.first_day is None:
        raise RegistryError("nothing is registered yet; run footfall simulate or footfall ingest first")
    with open_instance(settings) as instance, progress_bar() as bar:
        tasks = {}

        def show(stage: str, number: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(f"{stage}: runs", total=total)
            bar.update(tasks[stage], completed=number, total=total)

        runner = Runner(build_definitions(settings), instance, platform, show)
        try:
            if first_day and last_day:
                places = places_in(platform.registry, _date(first_day), _date(last_day), tuple(location or ()))
                summary = runner.run_places(places)
            elif location:
                raise UserMistake("expected --from and --to beside --location")
            else:
                summary = runner.run_due()
        finally:
            write_run_status(instance, platform.lake, now=datetime.now(UTC))
    typer.echo(
        ", ".join(f"{stage}: {count} runs" for stage, count in summary.runs.items()) or "everything is up to date"
    )
    for reason, count in sorted(summary.left_out.items()):
        typer.echo(f"left out: {count} {reason}")


def _date(moment: datetime) -> date:
    return moment.date()
