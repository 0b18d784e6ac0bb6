"""What a simulation is asked for, and the records of what happens in it."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from footfall_assets.simulation.errors import PlanError
from footfall_assets.simulation.stores import SimulatedStore

MAX_LOCATIONS = 500
MAX_DAYS = 366
MAX_INTERVAL_S = 600.0


@dataclass(frozen=True)
class SimulationPlan:
    """The size of a simulation; equal plans give equal bytes.

    Raises:
        PlanError: a number is out of range, or a time zone is unknown.
    """

    locations: int = 3
    days: int = 3
    visitors: int = 60
    seed: int = 7
    first_day: date = date(2024, 1, 1)
    interval_s: float = 5.0
    timezones: tuple[str, ...] = ("Europe/London",)
    width_px: int = 640
    height_px: int = 480

    def __post_init__(self) -> None:
        _check_range("locations", self.locations, low=1, high=MAX_LOCATIONS)
        _check_range("days", self.days, low=1, high=MAX_DAYS)
        _check_range("visitors", self.visitors, low=1, high=1_000_000)
        _check_range("seed", self.seed, low=0, high=2**63 - 1)
        _check_range("interval_s", self.interval_s, low=0.2, high=MAX_INTERVAL_S)
        _check_range("width_px", self.width_px, low=640, high=3840)
        _check_range("height_px", self.height_px, low=480, high=2160)
        _check_timezones(self.timezones)


@dataclass(frozen=True)
class PersonPlan:
    """One person in one still: where the eyes are, how tall the face is (pixels), and whether it can be seen."""

    visitor: int
    visit_number: int
    visit_id: str
    appearance_id: str
    x: float
    y: float
    face_height: float
    visible: bool


@dataclass(frozen=True)
class StillPlan:
    """One still of one camera; `random_key` seeds all chance in its picture."""

    camera_id: str
    location_id: str
    captured_at: datetime
    people: tuple[PersonPlan, ...]
    random_key: tuple[int, ...]


@dataclass(frozen=True)
class Appearance:
    """One visitor at one camera from the first to the last still (UTC)."""

    appearance_id: str
    visit_id: str
    visitor: int
    camera_id: str
    location_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Visit:
    """One visitor's stay at one location on one local day; `number` counts the visitor's visits from 0."""

    visit_id: str
    visitor: int
    number: int
    location_id: str
    day: date
    appearances: tuple[Appearance, ...]

    @property
    def starts_at(self) -> datetime:
        """The first still of the visit (UTC)."""
        return min(appearance.starts_at for appearance in self.appearances)

    @property
    def ends_at(self) -> datetime:
        """The last still of the visit (UTC)."""
        return max(appearance.ends_at for appearance in self.appearances)


@dataclass(frozen=True)
class Schedule:
    """All that happens: stores, visits and the stills that show them, in order of camera and time."""

    plan: SimulationPlan
    stores: tuple[SimulatedStore, ...]
    visits: tuple[Visit, ...]
    stills: tuple[StillPlan, ...]


def _check_range(name: str, value: float, *, low: float, high: float) -> None:
    if not low <= value <= high:
        raise PlanError(f"{name} must be between {low} and {high}, not {value}")


def _check_timezones(names: tuple[str, ...]) -> None:
    if not names:
        raise PlanError("timezones must name at least one IANA zone, such as Europe/London")
    for name in names:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError) as error:
            raise PlanError(f"unknown time zone {name!r}; use an IANA name such as Europe/London") from error
