"""`footfall up` and `footfall docs`: the Dagster UI, the report explorer and the dbt docs."""

from typing import Annotated

import typer


def up(
    dagster: Annotated[bool, typer.Option(help="Start the Dagster UI and its daemon.")] = True,
    app: Annotated[bool, typer.Option(help="Start the report explorer.")] = True,
    docs_site: Annotated[bool, typer.Option("--docs/--no-docs", help="Serve the dbt docs.")] = True,
) -> None:
    """Start the three interfaces and stop them together with Ctrl-C.

    Example: footfall up
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.operations.interfaces import chosen_interfaces, serve

    settings = load_settings()
    interfaces = chosen_interfaces(settings, dagster=dagster, app=app, docs=docs_site)
    for interface in interfaces:
        typer.echo(f"{interface.name:<18} http://localhost:{interface.port}", err=True)
    raise typer.Exit(serve(settings, interfaces))


def docs() -> None:
    """Write the dbt docs as one static page and print where it is.

    Example: footfall docs
    """
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.warehouse.build import BUILD_FILE
    from footfall_assets.warehouse.project import default_project_dir, docs_site

    settings = load_settings()
    page = docs_site(default_project_dir(), settings.dbt_target, build_path=settings.warehouse_dir / BUILD_FILE)
    typer.echo(str(page))
