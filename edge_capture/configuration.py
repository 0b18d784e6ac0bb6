"""The device's side of its configuration: fetched and verified, tried, then kept or given back.

    fetched --accept--> on trial --commit--> last good
                            |
                            +--rollback, or too many restarts--> refused; the last good one goes on

What is kept on disk is replaced whole and doubled, so a restart, a power cut or a damaged file leaves a configuration
to work with. A revision that was refused or is older than one seen is never tried again.
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_capture.enrolment import DeviceIdentity, load_identity, save_identity
from edge_capture.errors import EdgeError
from footfall_assets.contracts.errors import InvalidDocument, TransientFailure
from footfall_assets.contracts.fleet import (
    DesiredConfiguration,
    DeviceReport,
    KeyHandover,
    desired_key,
    handover_key,
    model_key,
    reported_key,
)
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.fleet_store import WrongSigner, read_signed, write_signed
from footfall_assets.storage.lake import LakeStore, ObjectMissing, written_whole
from models.cache import cached_path, require_sha256, verify
from models.errors import ConversionFailed, FetchFailed, HashMismatch, ManifestError, ModelError, ModelMissing
from models.manifest import Manifest, ModelSpec, load_manifest

_FILES: Final = ("configuration.json", "configuration.copy.json")
_MOST_TRIALS: Final = 3  # starts with a configuration on trial: a power cut is not its fault, three are
_MOST_HANDOVERS: Final = 16  # keys a device may have missed while it was switched off
_REASON_CHARACTERS: Final = 400  # what a DeviceReport takes


class ConfigurationRefused(EdgeError):
    """A desired configuration that this device will not follow."""


class ModelsUnavailable(EdgeError):
    """A pinned model is not in the cache and could not be had now; trying again may help."""


def fetch_desired(
    lake: LakeStore, device_id: str, fleet_public_key: str, current_revision: int
) -> DesiredConfiguration | None:
    """Return the desired configuration, verified, or None where there is none newer than `current_revision`.

    Raises:
        ConfigurationRefused: not signed by the fleet, of another device, too large or malformed, or an older revision
            than was seen before.
        TransientFailure: the lake cannot be reached.
    """
    try:
        desired = read_signed(lake, desired_key(device_id), DesiredConfiguration, fleet_public_key)
    except ObjectMissing:
        return None
    except InvalidDocument as error:
        raise ConfigurationRefused(str(error)) from error
    if desired.device_id != device_id:
        raise ConfigurationRefused(f"expected a configuration of {device_id!r}, got one of {desired.device_id!r}")
    if desired.revision < current_revision:
        raise ConfigurationRefused(
            f"expected revision {current_revision} or newer, got {desired.revision}: somebody put an old one back"
        )
    return desired if desired.revision > current_revision else None


def followed_key(lake: LakeStore, fleet_public_key: str) -> str:
    """Return the fleet key in force now, reached from the pinned one by handovers that each old key has signed.

    Raises:
        ConfigurationRefused: a handover that the old key did not sign, or too many of them.
        TransientFailure: the lake cannot be reached.
    """
    key = fleet_public_key
    for _ in range(_MOST_HANDOVERS):
        try:
            handover = read_signed(lake, handover_key(key), KeyHandover, key)
        except ObjectMissing:
            return key
        except InvalidDocument as error:
            raise ConfigurationRefused(str(error)) from error
        if handover.public_key != key:
            raise ConfigurationRefused(f"a handover of {handover.public_key[:12]}... lies where {key[:12]}... has its")
        key = handover.next_public_key
    raise ConfigurationRefused(f"expected at most {_MOST_HANDOVERS} handovers of the fleet key; enrol again")


def write_report(lake: LakeStore, report: DeviceReport, key: Ed25519PrivateKey) -> None:
    """Store the device's report, signed with its own key."""
    write_signed(lake, reported_key(report.device_id), report, key)


def pinned_models(desired: DesiredConfiguration, manifest: Manifest | None = None) -> tuple[ModelSpec, ...]:
    """Return the models that a configuration pins, as this agent's own manifest describes them.

    Raises:
        ConfigurationRefused: the manifest does not know a model, or pins another file under its name.
    """
    known = manifest or load_manifest()
    specs = []
    for pin in desired.models:
        try:
            spec = known.get(pin.name)
        except ManifestError as error:
            raise ConfigurationRefused(str(error)) from error
        if spec.onnx_sha256 != pin.sha256:
            raise ConfigurationRefused(
                f"model {pin.name!r}: expected {pin.sha256[:12]}..., this agent's manifest has "
                f"{spec.onnx_sha256[:12]}...; update the agent or the pin"
            )
        specs.append(spec)
    return tuple(specs)


def provide_models(
    desired: DesiredConfiguration,
    *,
    cache: Path,
    lake: LakeStore | None = None,
    mirror: str | None = None,
    manifest: Manifest | None = None,
) -> tuple[Path, ...]:
    """Return the files of the pinned models; what the cache lacks comes from the lake, the mirror or its own source.

    Raises:
        ConfigurationRefused: a pin that can never hold here: see `pinned_models`, or what came is not what was pinned.
        ModelsUnavailable: not in the cache, and nothing delivers it now.
    """
    return tuple(_provide(spec, cache, lake, mirror) for spec in pinned_models(desired, manifest))


def _provide(spec: ModelSpec, cache: Path, lake: LakeStore | None, mirror: str | None) -> Path:
    from models.pull import pull  # noqa: PLC0415 - brings clients and converters that a device seldom needs

    try:
        if lake is not None:
            _copy_from_lake(spec, cache, lake)
        return pull(spec, cache=cache, mirror=mirror)
    except (FetchFailed, ConversionFailed, OSError, TransientFailure) as error:
        raise ModelsUnavailable(f"model {spec.name!r}: {error}") from error
    except ModelError as error:
        raise ConfigurationRefused(str(error)) from error


def _copy_from_lake(spec: ModelSpec, cache: Path, lake: LakeStore) -> None:
    """Put the converted model into the cache where it is missing or damaged there and the lake has it."""
    try:
        verify(spec, cache)
    except (ModelMissing, HashMismatch):
        try:
            content = lake.read(model_key(spec.onnx_sha256))
        except ObjectMissing:
            return
        require_sha256(content, spec.onnx_sha256, what=model_key(spec.onnx_sha256), remedy="publish it again")
        path = cached_path(spec, cache)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            partial.write(content)


class _Kept(BaseModel):
    """What a device remembers of its configurations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    newest_revision: int = Field(default=0, ge=0)  # ever tried or refused
    last_good: DesiredConfiguration | None = None
    on_trial: DesiredConfiguration | None = None
    trial_starts: int = Field(default=0, ge=0)
    refused_revision: int | None = None
    refused_reason: str | None = None


class ConfigurationState:
    """Which configuration is in force on this device, kept in a folder over restarts.

    Opening it with one on trial counts as another start of that trial; after three it is rolled back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._kept = _read(folder)
        trial = self._kept.on_trial
        if trial is None:
            return
        if self._kept.trial_starts >= _MOST_TRIALS:
            self.rollback(f"the agent stopped {_MOST_TRIALS} times before revision {trial.revision} had proved itself")
        else:
            self._keep(trial_starts=self._kept.trial_starts + 1)

    @property
    def identity(self) -> DeviceIdentity:
        """Who this device is; raises NotEnrolled."""
        return load_identity(self._folder)

    @property
    def in_force(self) -> DesiredConfiguration | None:
        """What to run with: the one on trial, else the last good one, else None."""
        return self._kept.on_trial or self._kept.last_good

    @property
    def last_good(self) -> DesiredConfiguration | None:
        """The newest configuration that has proved itself."""
        return self._kept.last_good

    @property
    def is_on_trial(self) -> bool:
        """Whether what is in force still has to prove itself."""
        return self._kept.on_trial is not None

    @property
    def newest_revision(self) -> int:
        """The newest revision ever tried or refused: nothing up to it is tried again."""
        return self._kept.newest_revision

    @property
    def refused_revision(self) -> int | None:
        """The newest revision that did not work, until a newer one is accepted and committed."""
        return self._kept.refused_revision

    @property
    def refused_reason(self) -> str | None:
        """Why that one did not work."""
        return self._kept.refused_reason

    def fetch(self, lake: LakeStore) -> DesiredConfiguration | None:
        """Return a newer configuration where there is one, following the fleet key where it was replaced.

        Raises:
            NotEnrolled: this device has no identity.
            ConfigurationRefused, TransientFailure: see `fetch_desired`.
        """
        identity = self.identity
        try:
            return fetch_desired(lake, identity.device_id, identity.fleet_public_key, self.newest_revision)
        except ConfigurationRefused as error:
            if not isinstance(error.__cause__, WrongSigner):
                raise
            key = followed_key(lake, identity.fleet_public_key)
            if key == identity.fleet_public_key:
                raise
        desired = fetch_desired(lake, identity.device_id, key, self.newest_revision)
        save_identity(self._folder, identity.model_copy(update={"fleet_public_key": key}))
        return desired

    def accept(self, desired: DesiredConfiguration) -> None:
        """Put a newer configuration on trial: it is in force, and after a restart too, until it is rolled back.

        Raises:
            ConfigurationRefused: not newer than everything tried or refused before.
        """
        if desired.revision <= self.newest_revision:
            raise ConfigurationRefused(
                f"expected a revision above {self.newest_revision}, got {desired.revision}; publish a newer one"
            )
        self._keep(newest_revision=desired.revision, on_trial=desired, trial_starts=1)

    def commit(self) -> None:
        """Make the configuration on trial the last good one; nothing happens where none is."""
        if self._kept.on_trial is not None:
            self._keep(
                last_good=self._kept.on_trial, on_trial=None, trial_starts=0, refused_revision=None, refused_reason=None
            )

    def rollback(self, reason: str) -> DesiredConfiguration | None:
        """Refuse the configuration on trial and return the last good one, which is in force again."""
        if self._kept.on_trial is not None:
            self.refuse(self._kept.on_trial.revision, reason)
        return self._kept.last_good

    def refuse(self, revision: int, reason: str) -> None:
        """Note that `revision` will not be followed, tried or not; a refused one is not fetched again."""
        trial = self._kept.on_trial
        self._keep(
            newest_revision=max(revision, self.newest_revision),
            on_trial=None if trial is not None and trial.revision == revision else trial,
            trial_starts=0 if trial is not None and trial.revision == revision else self._kept.trial_starts,
            refused_revision=revision,
            refused_reason=reason[:_REASON_CHARACTERS],
        )

    def _keep(self, **changes: object) -> None:
        kept = _Kept.model_validate(dict(self._kept) | changes)
        document = kept.model_dump_json().encode()
        for name in _FILES:
            with written_whole(self._folder / name) as partial:
                partial.write(sha256_hex(document).encode() + b"\n" + document)
        self._kept = kept


def stored_configuration(folder: Path) -> DesiredConfiguration | None:
    """Return the configuration in force in `folder`, or None; looking at it does not count as a start."""
    kept = _read(folder)
    return kept.on_trial or kept.last_good


def _read(folder: Path) -> _Kept:
    """Return what is kept, from the first of the two files that is whole; nothing where none is."""
    for name in _FILES:
        try:
            digest, _, document = (folder / name).read_bytes().partition(b"\n")
            if digest == sha256_hex(document).encode():
                return _Kept.model_validate_json(document)
        except (OSError, ValidationError):
            continue
    for name in _FILES:  # what cannot be read is kept for whoever looks into it
        if (folder / name).exists():
            (folder / name).replace(folder / f"{name}.damaged")
    return _Kept()
