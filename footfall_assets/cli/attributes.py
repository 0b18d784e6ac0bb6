"""`footfall attributes`: how the guesses of age, gender and expression err at a location."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Measure how guesses of age, gender and expression err, and list it.")


@app.command()
def calibrate(
    people: Annotated[Path, typer.Argument(help="Folder of photographs with labels.csv; see docs/demographics.md.")],
    location: Annotated[list[str], typer.Option(help="Location whose people they stand for; repeat for more.")],
    origin: Annotated[str, typer.Option(help="Where the labels come from, as the page will say it.")],
    seed: Annotated[int, typer.Option(help="Of the simulated stores.")] = 0,
) -> None:
    """Measure the confusions on labelled people, score the correction in simulated stores, and put it to use.

    Example: footfall attributes calibrate ./labelled --location store-101 --origin "staff and friends, May 2026"
    """
    from footfall_assets.calibration.attribute_confusion import confusions_of
    from footfall_assets.calibration.labelled_faces import guess_labelled, read_labels
    from footfall_assets.contracts.attributes import AttributeCalibration, Trait, TraitConfusion
    from footfall_assets.contracts.errors import RegistryError, UserMistake
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform
    from footfall_assets.storage.attribute_calibration_store import store_attribute_calibration

    platform = Platform(load_settings())
    unknown = sorted(set(location) - set(platform.registry.location_ids()))
    if unknown:
        known = ", ".join(platform.registry.location_ids()) or "none"
        raise RegistryError(f"unknown location {', '.join(unknown)}; known: {known}")
    faces = guess_labelled(read_labels(people), platform)
    told = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(faces.left_out.items()) if count)
    typer.echo(f"{len(faces.photos)} photographs with a good face" + (f"; left out: {told}" if told else ""), err=True)
    measured = confusions_of({trait: faces.classes(trait) for trait in Trait}, seed=seed)
    kept = {trait: each for trait, each in measured.items() if isinstance(each, TraitConfusion)}
    for trait, each in measured.items():
        typer.echo(f"{trait}: {_told(each)}")
    if not kept:
        raise UserMistake("no trait has labelled people of every class; add photographs to labels.csv")
    calibration = AttributeCalibration(
        location_ids=tuple(sorted(set(location))),
        models=platform.attribute_models,
        origin=origin,
        made_on=datetime.now(UTC).date(),
        confusions=tuple(kept.values()),
    )
    digest = store_attribute_calibration(platform.lake, calibration)
    typer.echo(f"in use at {', '.join(calibration.location_ids)}: {digest[:16]}; shares show after: footfall run")


@app.command("list")
def list_calibrations() -> None:
    """List what is switched on at each location, and what was measured for it.

    Example: footfall attributes list
    """
    from footfall_assets.contracts.registry import current
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform
    from footfall_assets.storage.attribute_calibration_store import active_attribute_calibration

    platform = Platform(load_settings())
    for location in current(platform.registry.locations, "location_id"):
        on = ", ".join(location.attributes) or "nothing"
        typer.echo(f"{location.location_id}  on: {on}  basis {location.attributes_basis or '-'}")
        found = active_attribute_calibration(platform.lake, location.location_id, platform.attribute_models)
        for each in found.confusions if found else ():
            typer.echo(f"  {each.trait}: {_told(each)}")


def _told(measured: object) -> str:
    from footfall_assets.contracts.attributes import TraitConfusion

    if not isinstance(measured, TraitConfusion):
        return f"not measured, {measured}"
    people = sum(map(sum, measured.counts))
    score = measured.evaluation
    if score is None:
        return f"{people} people, too few of a class to score it"
    return (
        f"{people} people, {score.accuracy:.0%} in their own class; in simulated stores a share is off by "
        f"{score.median_error:.3f} ({score.median_raw_error:.3f} uncorrected), 90 % intervals held {score.coverage:.0%}"
    )
