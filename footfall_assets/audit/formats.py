"""An audit's score as a table for people and as JSON."""

import json
from typing import Any

from footfall_assets.audit.labels import Agreement
from footfall_assets.audit.score import LEVEL, AuditScore
from footfall_assets.domain.audit_estimate import Share
from footfall_assets.domain.audit_sampling import NEAR_BAND
from footfall_assets.domain.audit_threshold import Suggestion

SETTING = "FOOTFALL_LINKAGE__WINDOW_MAX_DISTANCE"


def to_table(found: AuditScore) -> str:
    """Return the score as lines of text."""
    count, low, high = found.count, *found.count.interval
    threshold = found.sample.window_max_distance
    near = f"{NEAR_BAND[0] * threshold:.4f} to {NEAR_BAND[1] * threshold:.4f}"
    rows = [
        ("Audit", found.sample.sample_id),
        ("Period", f"{found.sample.first_day} to {found.sample.last_day}"),
        ("Answered", f"{found.told} of {found.asked} pairs, {found.cannot_tell} could not be told"),
        ("Labellers", ", ".join(found.labellers)),
        ("Labellers agree with themselves", _agreement(found.consistency)),
        ("Labellers agree with each other", _agreement(found.between_labellers)),
        ("Clear cases answered as expected", f"{found.clear.as_expected} of {found.clear.answered}"),
        (f"Link precision at {near}", _share(found.precision)),
        (f"Link recall at {near}", _share(found.recall)),
        ("Listed visitors", f"{count.identities}"),
        ("Wrong links, estimated", f"{count.wrong_links:.1f}"),
        ("Missed links, estimated", f"{count.missed_links:.1f}"),
        ("Distinct people, estimated", f"{count.people:.1f}, standard error {count.standard_error:.1f}"),
        (f"{LEVEL:.0%} interval", f"{low:.1f} to {high:.1f}"),
        ("Threshold", suggestion_text(found.suggestion)),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def to_json(found: AuditScore) -> str:
    """Return the score as a JSON object."""
    count = found.count
    document: dict[str, Any] = {
        "sample": found.sample.sample_id,
        "first_day": found.sample.first_day.isoformat(),
        "last_day": found.sample.last_day.isoformat(),
        "asked": found.asked,
        "told": found.told,
        "cannot_tell": found.cannot_tell,
        "labellers": list(found.labellers),
        "consistency": vars(found.consistency),
        "between_labellers": vars(found.between_labellers),
        "clear_cases": vars(found.clear),
        "level": LEVEL,
        "near_threshold": [share * found.sample.window_max_distance for share in NEAR_BAND],
        "link_precision": vars(found.precision) if found.precision else None,
        "link_recall": vars(found.recall) if found.recall else None,
        "listed_visitors": count.identities,
        "wrong_links": count.wrong_links,
        "missed_links": count.missed_links,
        "people": count.people,
        "people_standard_error": count.standard_error,
        "people_interval": list(count.interval),
        "window_max_distance": found.sample.window_max_distance,
        "suggestion": vars(found.suggestion) if isinstance(found.suggestion, Suggestion) else None,
        "no_suggestion_because": found.suggestion if isinstance(found.suggestion, str) else None,
    }
    return json.dumps(document, indent=1)


def suggestion_text(suggestion: Suggestion | str) -> str:
    """Return the setting to use, or why there is none."""
    if isinstance(suggestion, str):
        return f"no suggestion: {suggestion}"
    low, high = suggestion.interval
    return (
        f"{SETTING}={suggestion.threshold:.4f} ({suggestion.level:.0%} interval {low:.4f} to {high:.4f}; "
        f"link F1 {suggestion.f1:.3f}, in use {suggestion.f1_in_use:.3f}; {suggestion.answers} answers)"
    )


def _share(share: Share | None) -> str:
    if share is None:
        return "no answer there"
    low, high = share.interval
    return f"{share.share:.3f}, standard error {share.standard_error:.3f}, {LEVEL:.0%} interval {low:.3f} to {high:.3f}"


def _agreement(agreement: Agreement) -> str:
    return f"{agreement.agreed} of {agreement.compared}" if agreement.compared else "not measured"
