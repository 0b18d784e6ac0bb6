"""Entry of `footfall`: puts the commands together and turns mistakes into one clear line and exit code 2."""

import sys
from typing import Final

import typer

from edge_capture.errors import EdgeError
from footfall_assets.cli import (
    access_log,
    attributes,
    audit,
    calibrate,
    compare,
    fleet,
    identities,
    imports,
    ingest,
    interfaces,
    models,
    reports,
    runs,
    simulate,
    users,
)
from footfall_assets.contracts.errors import FootfallError, UserMistake
from models.errors import ModelError

EXIT_MISTAKE: Final = 2  # the caller can mend it
EXIT_FAILURE: Final = 1

app = typer.Typer(
    name="footfall",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Visitor analytics for retail: stills in, pseudonymous visitor reports out.",
)
app.add_typer(models.app, name="models")
app.add_typer(fleet.app, name="fleet")
app.add_typer(attributes.app, name="attributes")
app.add_typer(audit.app, name="audit")
app.add_typer(identities.app, name="identities")
app.add_typer(users.app, name="users")
app.add_typer(access_log.app, name="access-log")
app.command("simulate")(simulate.simulate)
app.command("ingest")(ingest.ingest)
app.command("import")(imports.import_file)
app.command("run")(runs.run)
app.command("report")(reports.report)
app.command("compare")(compare.compare)
app.command("evaluate")(reports.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("up")(interfaces.up)
app.command("docs")(interfaces.docs)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except (UserMistake, ModelError, EdgeError) as mistake:
        _complain(mistake)
        sys.exit(EXIT_MISTAKE)
    except FootfallError as failure:
        _complain(failure)
        sys.exit(EXIT_FAILURE)


def _complain(error: Exception) -> None:
    typer.secho(f"footfall: {error}", err=True, fg=typer.colors.RED)
