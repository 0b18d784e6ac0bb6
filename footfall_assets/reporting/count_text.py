"""A total as people read it: the number with its interval, or why there is none, and where it comes from."""

from typing import Final

from footfall_assets.domain.count_range import Total
from footfall_assets.reporting.count import CountBasis

NEVER_SEEN: Final = "not available: nothing at these cameras counts people without a face"
NOT_ADDED: Final = "one total per linkage window; they cannot be added"
_SHORT_DIGEST: Final = 12  # digits of a calibration's hash that people read


def total_text(total: Total) -> str:
    """Return a total in one line, such as `62 (90 % interval 58 to 67)`."""
    if total.people is None or total.interval is None:
        return f"not estimated: {total.reason}"
    return f"{total.people:,}" + (f" ({interval_text(total)})" if any(total.interval) else "")


def interval_text(total: Total) -> str:
    """Return the interval of a total that has one, such as `90 % interval 58 to 67`."""
    low, high = total.interval or (0, 0)
    return f"{total.level * 100:g} % interval {low:,} to {high:,}"


def count_notes(totals: tuple[Total, ...], basis: CountBasis | None) -> list[str]:
    """Return what a reader must know about the totals of a report."""
    notes = []
    if basis and any(total.people for total in totals):
        notes.append(
            "Total Unique Visitors is an estimate from the list; the interval holds the truth in "
            f"{totals[0].level * 100:g} of 100 cases like those it was calibrated on: {basis.origin} "
            f"({basis.made_on}, calibration {basis.digest[:_SHORT_DIGEST]})."
        )
    return [*notes, f"People whose face never showed: {NEVER_SEEN}."]
