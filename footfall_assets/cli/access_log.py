"""`footfall access-log`: who saw or took away what, and whether anybody changed that."""

from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="The log of who saw the visitor list, crops of faces, and took away files."
)


@app.command()
def verify() -> None:
    """Verify every line, the chain between them, and the signed end of each day.

    Example: footfall access-log verify
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.access_log import AccessLog

    settings = load_settings()
    log = AccessLog(open_lake(settings), settings.keys_dir)
    lines, heads = log.verify(), log.heads()
    typer.echo(f"{len(lines)} lines, none changed; {len(heads)} signed days")
    if heads:
        # Whoever keeps these two lines elsewhere can tell even from the home's owner whether anything changed later.
        typer.echo(f"last day {heads[-1].day}: line {heads[-1].number}, {heads[-1].digest}")
        typer.echo(f"signed with {heads[-1].public_key}")


@app.command()
def show(
    who: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day, UTC.")] = None,
    form: Annotated[str, typer.Option("--format", help="table or json, one document a line.")] = "table",
) -> None:
    """Print the lines, oldest first; a log that was changed is not printed.

    Example: footfall access-log show --from 2024-01-01
    """
    from footfall_assets.contracts.errors import UserMistake
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.access_log import AccessLog

    if form not in {"table", "json"}:
        raise UserMistake(f"expected --format table or json, got {form[:20]!r}")
    settings = load_settings()
    first = since.replace(tzinfo=UTC) if since else None
    for line in AccessLog(open_lake(settings), settings.keys_dir).verify():
        if (who is not None and line.who != who) or (first is not None and line.at < first):
            continue
        if form == "json":
            typer.echo(line.model_dump_json())
            continue
        told = (line.scope, f"for: {line.purpose}" if line.purpose else None)
        rest = "; ".join(each for each in told if each)
        typer.echo(
            f"{line.number:>6}  {line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}  {line.who} ({line.role})  {line.access}  "
            f"{line.about}  {line.count}{f'  {rest}' if rest else ''}"
        )
