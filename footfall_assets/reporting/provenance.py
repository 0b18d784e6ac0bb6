"""What stands beside every number: the age of the data, the publication, the legal basis, the definitions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from footfall_assets.contracts.publication import Publication
from footfall_assets.contracts.registry import DEVELOPMENT_BASIS

STALE_AFTER: Final = timedelta(hours=26)  # a daily schedule and two hours for its run
_SHORT_ID: Final = 12  # digits of a publication id that people read
DEVELOPMENT_NOTE: Final = (
    f"Development data: the legal basis of this home is '{DEVELOPMENT_BASIS}'; "
    "it covers building and testing the platform, and no other use of what is shown."
)


@dataclass(frozen=True)
class Provenance:
    """Where the numbers of a report come from; all times are timezone-aware.

    `superseded_at`: when the publication was made that reports come from now; None where that is this one.
    """

    publication_id: str
    environment: str
    published_at: datetime
    last_captured_at: datetime | None
    read_at: datetime
    superseded_at: datetime | None = None

    @property
    def data_age(self) -> timedelta | None:
        """The time since the newest still that is in the data; None where there is none."""
        return None if self.last_captured_at is None else self.read_at - self.last_captured_at

    @property
    def is_stale(self) -> bool:
        """Whether the newest still is older than a daily schedule explains."""
        return self.data_age is not None and self.data_age > STALE_AFTER

    @property
    def is_development(self) -> bool:
        """Whether the data were recorded in a development home."""
        return self.environment == "development"

    @property
    def is_older(self) -> bool:
        """Whether reports come from another publication by now."""
        return self.superseded_at is not None

    @property
    def short_id(self) -> str:
        """The publication id as people read it."""
        return self.publication_id[:_SHORT_ID]


def provenance_of(publication: Publication, *, now: datetime, current: Publication | None = None) -> Provenance:
    """Return what a report read from `publication` at `now` (timezone-aware) says about its data.

    `current` is the publication that reports come from now; None for the same.
    """
    is_current = current is None or current.publication_id == publication.publication_id
    return Provenance(
        publication_id=publication.publication_id,
        environment=publication.environment,
        published_at=publication.published_at,
        last_captured_at=publication.last_captured_at,
        read_at=now,
        superseded_at=None if is_current or current is None else current.published_at,
    )


def older_text(provenance: Provenance) -> str | None:
    """Return one line on a publication that is not the current one; None for the current one."""
    if provenance.superseded_at is None:
        return None
    return (
        f"As published on {moment_text(provenance.published_at)} (older publication {provenance.short_id}). "
        f"The current figures are those published on {moment_text(provenance.superseded_at)}."
    )


def moment_text(moment: datetime) -> str:
    """Return a timezone-aware moment in UTC to the minute, such as `2024-01-03 21:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def age_text(provenance: Provenance) -> str:
    """Return one line on the age of the data, such as `2 days 3 hours (newest still 2024-01-03 21:00 UTC)`."""
    if provenance.last_captured_at is None or provenance.data_age is None:
        return "unknown: no still has been processed"
    return f"{duration_text(provenance.data_age)} (newest still {moment_text(provenance.last_captured_at)})"


def duration_text(span: timedelta) -> str:
    """Return `span` in its two largest units, whole minutes at the smallest; under a minute, or negative, says so."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "under a minute"
    days, rest = divmod(minutes, 24 * 60)
    counts = {"day": days, "hour": rest // 60, "minute": rest % 60}
    told = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in counts.items() if count]
    return " ".join(told[:2])


def definitions(visit_gap_s: int) -> dict[str, str]:
    """Return what the words of a report mean; `visit_gap_s` is the pause in seconds after which a visit has ended."""
    return {
        "Visitor": "one person inside one linkage window (a calendar month); ids of different windows cannot be joined",
        "Sighting": "one face in one still",
        "Appearance": "a run of sightings of one visitor at one camera, without a long gap",
        "Visit": f"a stay at one location; ends after {duration_text(timedelta(seconds=visit_gap_s))} away "
        "or at local midnight",
        "Listed Visitors": "the visitors in the list; a person who was not recognised again is listed twice, two who "
        "were taken for each other once",
        "Total Unique Visitors": "the people with at least one face that can be recognised, in the period at the "
        "selected cameras: an estimate that corrects the list for such mistakes, with an interval; does not add up "
        "over hours, days, locations or windows",
        "Total People incl. Unseen": "the people who came, those included whose face never showed: an estimate from "
        "the visits that door counters counted and from how often each visitor was seen, with an interval; only where "
        "a counter covers enough of the period; does not add up either",
        "Business day": "the local calendar day of each location; an appearance belongs to the day it starts on",
    }


def further_definitions() -> dict[str, str]:
    """Return what the words of the other pages mean; those of the report are in `definitions`."""
    return {
        "Visitor ID": "the visitor's number in its linkage window and a check letter; it names nobody, and is "
        "another number in the next window",
        "Linkage window": "the time in which one person keeps one Visitor ID; nothing joins two windows",
        "Interval": "the range that holds the true number of people in 90 of 100 cases like those the estimate was "
        "calibrated on",
        "Unidentified": "a sighting that belongs to no visitor: too small, too blurred, turned away, or at a store "
        "that only counts",
        "Dwell": "how long a stay lasted; stills are seconds apart, so it is known to an interval only, and its "
        "middle is shown with both bounds",
        "Visibility": "the chance that a visit shows a face that can be recognised: visits with a face for each visit "
        "that took place, as door counters have it",
        "Visits from all sources": "visits by faces, door counters and Wi-Fi at once, each weighted by its measured "
        "error, with an interval; a source that said nothing is a gap and not a zero",
        "Data age": "the time since the newest still that is in the numbers",
        "Gap": "a time in which no camera delivered anything: unknown, and never shown as zero",
        "Coverage": "the frames that arrived of those the cameras should have taken",
        "Publication": "one finished state of all numbers; an older one can be opened again and says what it said",
        "Staff": "people who were excluded from the counts, such as the store's own staff",
    }
