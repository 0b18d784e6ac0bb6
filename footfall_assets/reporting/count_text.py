"""A total as people read it: the number with its interval, or why there is none, and where it comes from."""

from typing import Final

from footfall_assets.domain.count_range import Total
from footfall_assets.reporting.count import CountBasis

NOT_ADDED: Final = "one total per linkage window; they cannot be added"
_SHORT_DIGEST: Final = 12  # digits of a calibration's hash that people read


def total_text(total: Total) -> str:
    """Return a total in one line, such as `62 (90 % interval 58 to 67)`."""
    if total.people is None or total.interval is None:
        return f"not estimated: {total.reason}"
    return f"{total.people:,}" + (f" ({interval_text(total)})" if any(total.interval) else "")


def incl_unseen_text(total: Total) -> str:
    """Return the people who came, seen or not, in one line; such as `not available: no door counter ...`."""
    return f"not available: {total.reason}" if total.reason is not None else total_text(total)


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
    return notes


def unseen_notes(totals: tuple[Total, ...]) -> list[str]:
    """Return what a reader must know about people who were never seen; nothing where no total holds them."""
    if not any(total.people for total in totals):
        return []
    return [
        (
            "Total People incl. Unseen adds those whose face never showed, from what door counters counted in the same "
            "hours: staff who were counted there are in it, unless FOOTFALL_COUNTERS__VISITS_PER_100_ENTRIES takes "
            "them out. People who nearly always hide the face cannot be told from people who come rarely: where there "
            "are many of them, it is too low."
        )
    ]
