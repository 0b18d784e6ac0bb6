"""Every setting of the platform, with the default that works. Parsed once, at the entry; `FOOTFALL_...` overrides.

Nested settings use a double underscore: `FOOTFALL_QUALITY__MIN_SIZE_PX=30`.
"""

from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.ids import Slug

PARTITION_KEY_LIMIT: Final = 100_000  # groups x days; Dagster's own advice for one asset


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DetectionSettings(_Frozen):
    """How faces are found."""

    detector: str = "centerface"
    score_threshold: float = Field(default=0.5, gt=0, lt=1)
    max_side_px: int = Field(default=1280, ge=64)  # stills are scaled down to this before detection
    max_faces_per_image: int = Field(default=200, ge=1)  # a hostile poster wall must not fill the memory


class EmbeddingSettings(_Frozen):
    """How faces become vectors."""

    embedder: str = "dlib_resnet_v1"
    mirror: bool = True  # average a face with its mirror image: hit rate at 1e-4 0.756 -> 0.810 (DESIGN section 7)


class QualitySettings(_Frozen):
    """What a face must show to found an identity; lesser faces may join one."""

    min_size_px: float = Field(default=28.0, ge=1)  # narrower side; strangers match 3 times too often at 20 px
    min_score: float = Field(default=0.7, ge=0, le=1)
    min_sharpness: float = Field(default=0.16, ge=0)  # where half of a clear face's matches are lost
    max_abs_yaw: float = Field(default=0.9, gt=0)  # 0 is frontal, about 1 profile; no loss up to 0.9
    probe: bool = True  # ask the calibration's probe, if it has one, whether a face is recognisable


class LinkageSettings(_Frozen):
    """When two faces are one visitor. Distances are cosine distances (1 - cosine) between unit vectors."""

    # A day's mistakes are for ever, what it leaves apart the window joins: so the day is stricter (docs/accuracy.md).
    local_max_distance: float = Field(default=0.045, gt=0, lt=2)
    window_max_distance: float = Field(default=0.06, gt=0, lt=2)
    join_max_distance: float = Field(default=0.045, gt=0, lt=2)  # for faces under the quality gate
    tracklet_max_distance: float = Field(default=0.10, gt=0, lt=2)  # overlapping boxes already speak for one person
    tracklet_min_iou: float = Field(default=0.2, gt=0, lt=1)
    elsewhere_after_s: float = Field(default=600, gt=0)  # unseen for so long, a visitor may have been at another store
    exact_neighbours_below: int = Field(default=4096, ge=0)  # vectors; above it hash tables find the candidates
    neighbours: int = Field(default=64, ge=1)  # candidates a vector above that


class ProvisionalSettings(_Frozen):
    """When the identities of a day are provisional, until a solve of the whole window seals them (docs/adr/0007).

    Apart from `LinkageSettings`, because a sealed day does not depend on them and keeps its version.
    """

    above_local_visitors: int = Field(default=5_000_000, ge=0)  # of the window so far; a smaller one is solved each day
    seal_every_days: int = Field(default=7, ge=1, le=31)  # of the window
    candidates: int = Field(default=16, ge=1, le=1024)  # sealed identities that each local visitor is compared with
    exact_below: int = Field(default=20_000, ge=0)  # sealed identities that are all compared; above, by an index


class Shift(_Frozen):
    """One shift of a staff schedule, on the location's own clock."""

    location_id: Slug | None = None  # None: all locations
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)  # Monday is 0
    starts: time
    ends: time

    @model_validator(mode="after")
    def _inside_one_day(self) -> Self:
        if self.starts.tzinfo or self.ends.tzinfo or self.starts >= self.ends:
            raise ValueError("expected local times starts < ends inside one day; a night shift is two shifts")
        return self


class StaffSettings(_Frozen):
    """Who is staff and leaves all counts. Dwell and schedule are off by default: they need a site's facts."""

    camera_min_stills: int = Field(default=5, ge=1)  # of staff-only cameras; fewer may be a customer who got lost
    visit_gap_s: int = Field(default=3 * 3600, ge=1)  # unseen for so long is not present; as a visit ends
    dwell_min_hours: float | None = Field(default=None, gt=0, le=24)  # present longer than this ...
    dwell_min_days: int = Field(default=5, ge=1)  # ... on so many days of the window at one location
    schedule: tuple[Shift, ...] = ()
    schedule_tolerance_min: float = Field(default=20, ge=0)  # first and last seen so near the shift's start and end ...
    schedule_min_days: int = Field(default=3, ge=1)  # ... on so many days of the window at one location


class CountingSettings(_Frozen):
    """Where an appearance and a visit end (DESIGN section 2)."""

    appearance_gap_s: int = Field(default=60, ge=1)
    appearance_gap_intervals: int = Field(default=4, ge=1)
    visit_gap_s: int = Field(default=3 * 3600, ge=1)


class IntakeLimits(_Frozen):
    """What a landed batch may be at most."""

    batch_bytes: int = Field(default=256 * 1024**2, ge=1)
    manifest_bytes: int = Field(default=4 * 1024**2, ge=1)
    images: int = Field(default=5_000, ge=1)
    image_bytes: int = Field(default=16 * 1024**2, ge=1)
    image_pixels: int = Field(default=25_000_000, ge=1)
    image_side_px: int = Field(default=8_192, ge=1)
    clock_ahead_s: int = Field(default=300, ge=0)  # a device's clock may run ahead by this


class ImportLimits(_Frozen):
    """What a CSV file of another system may be at most."""

    file_bytes: int = Field(default=64 * 1024**2, ge=1)


class StaffingSettings(_Frozen):
    """The service level that planned staff are held against."""

    visitors_per_staff: float = Field(default=10, gt=0, le=1000)  # visitors an hour that one member of staff serves
    least_staff: int = Field(default=1, ge=0, le=1000)  # while the store is open, however quiet


class CounterSettings(_Frozen):
    """How far what other systems count may be from the visits that took place.

    Errors are one standard deviation of a whole period's count, in per cent. Wi-Fi has none: nobody knows its factor.
    """

    manual_error_percent: int = Field(default=3, ge=1, le=50)
    mechanical_error_percent: int = Field(default=5, ge=1, le=50)
    mat_error_percent: int = Field(default=8, ge=1, le=50)
    infrared_error_percent: int = Field(default=8, ge=1, le=50)
    thermal_error_percent: int = Field(default=4, ge=1, le=50)
    video_error_percent: int = Field(default=4, ge=1, le=50)
    # Fewer than 100 where counters also count staff, or the same people again within the gap of a visit.
    visits_per_100_entries: int = Field(default=100, ge=10, le=200)


class FleetSettings(_Frozen):
    """When a device or a camera is worth a warning."""

    silent_after_s: float = Field(default=300, gt=0)  # without a report, or three of its own intervals if longer
    camera_silent_after_s: float = Field(default=60, gt=0)  # without a frame, or four intervals if longer
    spool_age_s: float = Field(default=3600, gt=0)  # of the oldest batch that has not been sent
    spool_share: float = Field(default=0.8, gt=0, le=1)  # of the device's caps
    clock_skew_s: float = Field(default=60, gt=0)


class ReportSettings(_Frozen):
    """When the visitor report of the day before is written as files."""

    schedule: bool = False  # the files hold visitors one by one, so somebody has to want them
    cron: str = "0 6 * * *"
    timezone: str = "UTC"  # IANA name, of `cron`

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        if timezone not in available_timezones():
            raise ValueError(f"expected an IANA time zone such as Europe/Berlin, got {timezone!r}")
        return timezone


class AuditSettings(_Frozen):
    """Who may see crops in an audit, and the reserve of crops of past days (off by default)."""

    role: Literal["viewer", "auditor"] = "viewer"  # of whoever opens the app of a development home
    crop_reserve: bool = False  # keep crops of few local visitors for audits over several days
    reserve_share: float = Field(default=0.01, gt=0, le=1)  # of the local visitors; production allows 0.01 at most
    reserve_days: int = Field(default=7, ge=1, le=7)
    reserve_candidates: int = Field(default=5, ge=0, le=20)  # nearest others a day of each that is kept


class AccessSettings(_Frozen):
    """How long a sign-in to the explorer lasts, and how often one may be tried."""

    session_hours: float = Field(default=12, gt=0, le=24 * 30)
    idle_minutes: float = Field(default=60, gt=0, le=24 * 60)
    sign_in_attempts: int = Field(default=5, ge=1, le=100)  # wrong ones for one name ...
    sign_in_window_minutes: float = Field(default=15, gt=0, le=24 * 60)  # ... within so long; then it has to wait


class ProtectionSettings(_Frozen):
    """What protects the counts that a viewer sees. Both may be raised; lower would say more than was promised."""

    least_visitors: int = Field(default=10, ge=10, le=1000)  # distinct people; fewer are shown as "<10"
    rounding: int = Field(default=5, ge=5, le=100)  # people; counts are shown as multiples of it


def _absolute(value: Any) -> Any:  # noqa: ANN401 - a validator takes what the environment gives
    return Path(value).expanduser().resolve() if isinstance(value, (str, Path)) else value


AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]


def _lake_address(value: str | None) -> str | None:
    """Return an `s3://` address as it is and a folder as an absolute path: a daemon runs in another folder."""
    if not value or value.startswith("s3://"):
        return value or None
    if "://" in value:
        raise ValueError("expected a folder or s3://bucket/prefix")
    return str(_absolute(value))


LakeAddress = Annotated[str | None, AfterValidator(_lake_address)]


class PlatformSettings(BaseSettings):
    """The platform's settings; frozen, absolute paths, unknown nested keys are errors."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTFALL_", env_nested_delimiter="__", frozen=True, extra="ignore", validate_default=True
    )

    home: AbsolutePath = Path(".footfall")
    lake: LakeAddress = None  # a folder or s3://bucket/prefix; by default `lake` in the home
    environment: Literal["development", "production"] = "development"
    model_cache: AbsolutePath = Path("~/.cache/footfall/models")
    model_mirror: str | None = None
    model_manifest: AbsolutePath | None = None  # models of your own, beside those that ship (docs/models.md)
    threads: int = Field(default=2, ge=1)  # inside ONNX Runtime
    detection: DetectionSettings = DetectionSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    quality: QualitySettings = QualitySettings()
    linkage: LinkageSettings = LinkageSettings()
    provisional: ProvisionalSettings = ProvisionalSettings()
    staff: StaffSettings = StaffSettings()
    counting: CountingSettings = CountingSettings()
    audit: AuditSettings = AuditSettings()
    access: AccessSettings = AccessSettings()
    protection: ProtectionSettings = ProtectionSettings()
    intake: IntakeLimits = IntakeLimits()
    fleet: FleetSettings = FleetSettings()
    imports: ImportLimits = ImportLimits()
    counters: CounterSettings = CounterSettings()
    staffing: StaffingSettings = StaffingSettings()
    reports: ReportSettings = ReportSettings()
    warehouse_memory: str = Field(default="3GB", pattern=r"^\d+(MB|GB)$")
    dagster_port: int = Field(default=3000, ge=1, le=65535)
    dagster_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")  # by which people reach the UI
    app_port: int = Field(default=8501, ge=1, le=65535)
    docs_port: int = Field(default=8580, ge=1, le=65535)

    @property
    def lake_root(self) -> str:
        """Where the lake is: a folder's path or an `s3://` address."""
        return self.lake or str(self.home / "lake")

    @property
    def dagster_address(self) -> str:
        """Where people open the Dagster UI, without a slash at the end."""
        return (self.dagster_url or f"http://127.0.0.1:{self.dagster_port}").rstrip("/")

    @property
    def dagster_home(self) -> Path:
        """Dagster's own state; absolute, or Dagster throws it away at exit."""
        return self.home / "dagster"

    @property
    def warehouse_dir(self) -> Path:
        """The private build database."""
        return self.home / "warehouse"

    @property
    def dbt_target(self) -> Path:
        """dbt's artefacts, outside the source tree so that homes do not share them."""
        return self.home / "dbt_target"

    @property
    def keys_dir(self) -> Path:
        """Secret keys, outside the lake so that who reads data cannot read them."""
        return self.home / "keys"

    @property
    def galleries_dir(self) -> Path:
        """Indexes over sealed identities: a cache that may be deleted at any time. It holds vectors."""
        return self.home / "galleries"

    @property
    def access_dir(self) -> Path:
        """The users of the explorer, outside the lake so that who reads data cannot read their hashes."""
        return self.home / "access"


def load_settings(**overrides: Any) -> PlatformSettings:  # noqa: ANN401 - field values of any type
    """Return the settings from the environment.

    Raises:
        UserMistake: a value is not of its type or outside its range.
    """
    try:
        return PlatformSettings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "FOOTFALL_" + "__".join(str(part) for part in first["loc"]).upper()
        raise UserMistake(f"{name}: {first['msg']}, got {first['input']!r}; correct or unset it") from error
    except SettingsError as error:
        raise UserMistake(
            f"FOOTFALL_...: {error}; a group of settings is a JSON object, correct or unset it"
        ) from error


def check_partition_budget(groups: int, first_day: date, last_day: date) -> int:
    """Return groups x days, the number of partition keys an asset has.

    Raises:
        UserMistake: more than Dagster carries well.
    """
    keys = groups * ((last_day - first_day).days + 1)
    if keys > PARTITION_KEY_LIMIT:
        raise UserMistake(
            f"{groups} location groups x {(last_day - first_day).days + 1} days are {keys} partition keys, more than "
            f"{PARTITION_KEY_LIMIT}; put several locations into one group (footfall fleet add-location --group)"
        )
    return keys
