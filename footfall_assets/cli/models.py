"""`footfall models`: fetch, list and check the models."""

from typing import Annotated

import typer

from footfall_assets.contracts.errors import UserMistake

app = typer.Typer(no_args_is_help=True, help="Fetch, list and check the models.")


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Models to fetch; default those needed.")] = None,
    optional: Annotated[bool, typer.Option("--all", help="Also the optional models, where they can be had.")] = False,
) -> None:
    """Fetch models, verify and convert them, and keep them in the cache.

    Example: footfall models pull
    """
    from footfall_assets.contracts.settings import load_settings
    from models.manifest import load_manifest
    from models.pull import pull_all

    settings = load_settings()
    manifest = load_manifest()
    wanted = [spec for spec in manifest.models if optional or not spec.optional]
    if names:
        known = {spec.name: spec for spec in manifest.models}
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise UserMistake(f"unknown model {', '.join(unknown)}; known: {', '.join(known)}")
        wanted = [known[name] for name in names]
    results = pull_all(
        wanted,
        cache=settings.model_cache,
        mirror=settings.model_mirror,
        progress=lambda spec, stage: typer.echo(f"{spec.name}: {stage}", err=True),
    )
    for result in results:
        typer.echo(
            f"{result.spec.name}: {result.path}" if result.path else f"{result.spec.name}: left out, {result.error}"
        )


@app.command("list")
def list_models() -> None:
    """List the models and whether the cache holds them.

    Example: footfall models list
    """
    from footfall_assets.contracts.settings import load_settings
    from models.cache import cached_path
    from models.manifest import load_manifest

    cache = load_settings().model_cache
    for spec in load_manifest().models:
        state = "cached" if cached_path(spec, cache).exists() else "not fetched"
        need = "optional" if spec.optional else "needed"
        typer.echo(f"{spec.name:<16} {spec.kind:<16} {spec.licence:<12} {need:<9} {state}")


@app.command()
def verify() -> None:
    """Check that every cached model has the hash in the manifest.

    Example: footfall models verify
    """
    from footfall_assets.contracts.settings import load_settings
    from models.cache import cached_path
    from models.cache import verify as verify_model
    from models.manifest import load_manifest

    cache = load_settings().model_cache
    for spec in load_manifest().models:
        if cached_path(spec, cache).exists() or not spec.optional:
            verify_model(spec, cache)
            typer.echo(f"{spec.name}: ok")
