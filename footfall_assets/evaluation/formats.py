"""An evaluation as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from typing import Final

from footfall_assets.evaluation.matching import MIN_IOU
from footfall_assets.evaluation.score import Count, Evaluation, Scores

_HEADINGS: Final = (
    "Location",
    "Visitors true / reported",
    "Appearances",
    "Visits",
    "Detection recall",
    "BCubed P / R / F1",
    "Unidentified",
    "False",
)
_GUTTER: Final = " " * 3


def to_json(evaluation: Evaluation) -> str:
    """Return the evaluation as JSON; shares are 0 to 1, errors in percent, null where there was nothing to score."""
    document = {
        "total": _fields(evaluation.total),
        "locations": {place: _fields(scores) for place, scores in evaluation.locations.items()},
        "faces_outside_truth": evaluation.faces_outside_truth,
        "min_iou": MIN_IOU,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def to_table(evaluation: Evaluation) -> str:
    """Return the evaluation as an aligned table, the total first, and what it leaves out below."""
    cells = [
        _HEADINGS,
        _cells("Total", evaluation.total),
        *(_cells(place, scores) for place, scores in evaluation.locations.items()),
    ]
    total = evaluation.total
    notes = [
        f"People never visible: {total.people_never_visible:,}, not among the true visitors.",
        f"Visible faces: {total.visible_faces:,}, {total.found_faces:,} found; {total.detected_faces:,} detected.",
        f"Matched at an overlap of at least {MIN_IOU} though called not visible: {total.hidden_faces_found:,}.",
        f"BCubed over {total.identified_matches:,} faces that were matched and identified.",
    ]
    if evaluation.faces_outside_truth:
        notes.append(f"Left out: {evaluation.faces_outside_truth:,} faces in stills that the truth does not know.")
    return "\n".join([*_aligned(cells), "", *notes]) + "\n"


def _fields(scores: Scores) -> dict[str, float | int | None]:
    return {
        "true_visitors": scores.visitors.true,
        "reported_visitors": scores.visitors.reported,
        "visitor_error_percent": scores.visitors.error_percent,
        "people_never_visible": scores.people_never_visible,
        "true_appearances": scores.appearances.true,
        "reported_appearances": scores.appearances.reported,
        "appearance_error_percent": scores.appearances.error_percent,
        "true_visits": scores.visits.true,
        "reported_visits": scores.visits.reported,
        "visit_error_percent": scores.visits.error_percent,
        "visible_faces": scores.visible_faces,
        "found_faces": scores.found_faces,
        "detection_recall": scores.detection_recall,
        "detected_faces": scores.detected_faces,
        "hidden_faces_found": scores.hidden_faces_found,
        "false_detections": scores.false_detections,
        "unidentified_faces": scores.unidentified_faces,
        "identified_matches": scores.identified_matches,
        "bcubed_precision": scores.bcubed.precision,
        "bcubed_recall": scores.bcubed.recall,
        "bcubed_f1": scores.bcubed.f1,
    }


def _cells(name: str, scores: Scores) -> tuple[str, ...]:
    found = scores.bcubed
    return (
        name,
        _counted(scores.visitors),
        _counted(scores.appearances),
        _counted(scores.visits),
        _share(scores.detection_recall),
        " / ".join(_share(each) for each in (found.precision, found.recall, found.f1)),
        f"{scores.unidentified_faces:,}",
        f"{scores.false_detections:,}",
    )


def _counted(count: Count) -> str:
    error = "" if count.error_percent is None else f" ({count.error_percent:+.1f} %)"
    return f"{count.true:,} / {count.reported:,}{error}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [_GUTTER.join(map(str.ljust, row, widths)).rstrip() for row in cells]
