"""`footfall models`: fetch, list, check and describe the models."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from footfall_assets.contracts.errors import UserMistake

app = typer.Typer(no_args_is_help=True, help="Fetch, list, check and describe the models.")


class Colour(StrEnum):
    """The order of an image's channels."""

    RGB = "rgb"
    BGR = "bgr"


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
    manifest = load_manifest(extra=settings.model_manifest)
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

    settings = load_settings()
    for spec in load_manifest(extra=settings.model_manifest).models:
        state = "cached" if cached_path(spec, settings.model_cache).exists() else "not fetched"
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

    settings = load_settings()
    for spec in load_manifest(extra=settings.model_manifest).models:
        if cached_path(spec, settings.model_cache).exists() or not spec.optional:
            verify_model(spec, settings.model_cache)
            typer.echo(f"{spec.name}: ok")


@app.command()
def describe(
    path: Annotated[Path, typer.Argument(help="An ONNX file: one face in, one vector out.")],
    name: Annotated[str, typer.Option(help="How the settings will call it.")],
    alignment: Annotated[str, typer.Option(help="Pose of its crops; scaled to its side.")] = "arcface_112",
    colour: Annotated[Colour, typer.Option(help="Order of its channels.")] = Colour.RGB,
    mean: Annotated[float, typer.Option(help="Pixel value (0 to 255) that it takes for 0.")] = 127.5,
    std: Annotated[float, typer.Option(help="Pixel values that it takes for 1.")] = 127.5,
    licence: Annotated[str, typer.Option(help="What its publisher allows.")] = "unknown",
    side: Annotated[int | None, typer.Option(help="Side in pixels where the file leaves it free.")] = None,
    output: Annotated[str, typer.Option(help="The vector, where there are several outputs.")] = "",
) -> None:
    """Print the manifest entry of an embedder of your own, having tried it; FOOTFALL_MODEL_MANIFEST names the file.

    Example: footfall models describe w600k_r50.onnx --name w600k_r50 --licence non-commercial >> models.toml
    """
    from models.probe import Conventions, describe_embedder

    conventions = Conventions(
        name, alignment=alignment, colour=colour.value, mean=mean, std=std, licence=licence, side_px=side, output=output
    )
    typer.echo(describe_embedder(path, conventions))
