"""`footfall calibrate`: how the configured models count, learnt from labelled people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    origin: Annotated[str, typer.Option(help="Where the labels come from, as reports will say it.")],
    people: Annotated[
        Path | None,
        typer.Option(help="Labelled photographs, DIR/<name>/*.jpg; default the drawn cast of the simulation."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Cosine distance of the window; default the one that scores best.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of stores, visits and of who fits and who scores.")] = 0,
    stills: Annotated[
        Path | None, typer.Option(help="File of measured stills, reused where it exists, else written.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the calibration to this file, as JSON.")] = None,
) -> None:
    """Fit threshold, probe and count correction on labelled people, score them on others, and put them to use.

    Example: footfall calibrate --people ./labelled --origin "volunteers, store 101, May 2026"
    """
    from footfall_assets.calibration.fit import FitPlan
    from footfall_assets.calibration.fit import calibrate as fit
    from footfall_assets.calibration.labelled_people import measured_stills
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform
    from footfall_assets.storage.calibration_store import store_calibration

    platform = Platform(load_settings())
    settings = platform.settings
    measured = measured_stills(people, platform, seed=seed, kept=stills)
    typer.echo(f"{len(measured.names)} people, {len(measured)} faces in stills", err=True)
    found = fit(
        measured,
        embedder=platform.embedder.spec.identity,
        origin=origin,
        today=datetime.now(UTC).date(),
        quality=settings.quality,
        linkage=settings.linkage,
        plan=FitPlan(seed=seed),
        window_max_distance=threshold,
        say=lambda text: typer.echo(text, err=True),
    )
    if out:
        out.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    store_calibration(platform.lake, found)
    score = found.evaluation
    typer.echo(f"calibration {found.digest[:16]}, threshold {found.window_max_distance:g} (cosine distance)")
    typer.echo(
        f"on {score.people} other people, {score.stores} stores: median error of the count {score.median_error:.1%}, "
        + ", ".join(f"{level:.0%} interval held {share:.0%}" for level, share in sorted(score.coverage.items()))
        + f", median width {score.median_width:.0%}; strangers match at {score.false_match_rate:.1e}"
    )
    if found.window_max_distance != settings.linkage.window_max_distance:
        distance = f"{found.window_max_distance:g}"
        typer.echo(f"it counts once the platform links by it: FOOTFALL_LINKAGE__WINDOW_MAX_DISTANCE={distance}")
