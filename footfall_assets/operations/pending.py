"""What is to be done: a pure function of what is there. Sensor, schedule and `footfall run` all ask it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from footfall_assets.domain.calendar import linkage_window
from footfall_assets.platform import Place


@dataclass(frozen=True)
class Freshness:
    """The hash of the inputs that a result was computed from, and of those it should be computed from now.

    None: there is no result yet, or no input.
    """

    found: str | None
    expected: str | None

    @property
    def stale(self) -> bool:
        """Whether there are inputs, and the result does not come from them."""
        return self.expected is not None and self.found != self.expected


@dataclass(frozen=True)
class LakeState:
    """What the lake holds, as hashes.

    Attributes:
        landed: objects waiting for intake: batches, and requests of devices to join.
        places: for each location and day, the freshness of its assets in order.
        days: for each day, the freshness of `identities` and `sightings`.
        publication: freshness of the publication.
    """

    landed: int = 0
    places: Mapping[Place, tuple[Freshness, ...]] = field(default_factory=dict)
    days: Mapping[date, tuple[Freshness, ...]] = field(default_factory=dict)
    publication: Freshness = Freshness(None, None)


@dataclass(frozen=True)
class Pending:
    """What is to be done next, in this order; a later step may only show once an earlier one is done."""

    intake: bool = False
    places: tuple[Place, ...] = ()
    days: tuple[date, ...] = ()
    warehouse: bool = False

    @property
    def nothing(self) -> bool:
        """Whether everything is up to date."""
        return not (self.intake or self.places or self.days or self.warehouse)


def pending(state: LakeState) -> Pending:
    """Return what is to be done.

    From the first stale day of a linkage window every later day of that window is due too: its identities rest on it.
    """
    places = tuple(sorted(place for place, assets in state.places.items() if any(each.stale for each in assets)))
    stale = {day for day, assets in state.days.items() if any(each.stale for each in assets)}
    return Pending(
        intake=state.landed > 0,
        places=places,
        days=_with_followers(stale, state.days),
        warehouse=state.publication.stale,
    )


def _with_followers(stale: set[date], days: Mapping[date, object]) -> tuple[date, ...]:
    first: dict[str, date] = {}
    for day in sorted(stale):
        first.setdefault(linkage_window(day).label, day)
    return tuple(sorted(day for day in days if day >= first.get(linkage_window(day).label, date.max)))
