"""One home, opened: settings, lake, registry, versions and models, handed to assets and commands as one object."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from footfall_assets.contracts.attributes import Attribute
from footfall_assets.contracts.calibration import Calibration, ProbeWeights
from footfall_assets.contracts.registry import DEVELOPMENT_BASIS, LocationMode, Registry
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.contracts.versions import AssetVersions, asset_versions
from footfall_assets.domain.founding import Probe
from footfall_assets.storage import open_lake
from footfall_assets.storage.calibration_store import active_calibration
from footfall_assets.storage.event_store import EventStore
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace, PartitionStore
from footfall_assets.storage.parts import Refreshed
from footfall_assets.storage.registry_store import current_revision, read_registry
from models.alignment import CropTemplate
from models.catalog import (
    DEFAULT_AGE_GENDER,
    DEFAULT_EXPRESSION,
    load_age_gender,
    load_expression,
    load_face_detector,
    load_face_embedder,
)
from models.detector import DetectorOptions, FaceDetector
from models.embedder import FaceEmbedder
from models.errors import ManifestError
from models.manifest import Manifest, ModelKind, ModelSpec, load_manifest

if TYPE_CHECKING:
    from models.attributes import AgeGenderEstimator, ExpressionEstimator


@dataclass(frozen=True)
class Place:
    """A location on a day: what `images` to `local_visitors` are computed for."""

    day: date
    location_id: str

    def __lt__(self, other: "Place") -> bool:
        return (self.day, self.location_id) < (other.day, other.location_id)


class Platform:
    """The parts of one home. Models are loaded when first used, so that commands without them start at once."""

    def __init__(self, settings: PlatformSettings) -> None:
        self.settings = settings
        self.lake: LakeStore = open_lake(settings)
        self.partitions = PartitionStore(self.lake)
        self.events = EventStore(self.lake)
        self._registry: tuple[str | None, Registry] | None = None

    @property
    def registry(self) -> Registry:
        """The registry as it is now; a revision is read once, and is never changed."""
        key = current_revision(self.lake)
        if self._registry is None or self._registry[0] != key:
            self._registry = (key, read_registry(self.lake))
        return self._registry[1]

    @property
    def warehouse_dir(self) -> Path:
        """The folder of the private build database."""
        return self.settings.warehouse_dir

    @contextmanager
    def exclusively(self, work: str) -> Iterator[None]:
        """Hold a lock of this home for `work` that two processes must not do at once, such as a run beside the daemon.

        A file lock and no Dagster pool: the system frees it when its holder is killed, whereas a killed run's slot in
        a pool let the next run wait for ever.
        """
        folder = self.settings.home / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{work}.lock"):
            yield

    @cached_property
    def model_manifest(self) -> Manifest:
        """The models that ship, and those of the user's own manifest."""
        return load_manifest(extra=self.settings.model_manifest)

    @cached_property
    def versions(self) -> AssetVersions:
        """The version of every asset under these settings and models."""
        detector = self.model_manifest.get(self.settings.detection.detector, ModelKind.FACE_DETECTOR)
        return asset_versions(
            self.settings,
            detector=detector.identity,
            crop=self.crop_template.model_dump_json(),
            embedder=self._embedder_spec.identity,
            attributes=self.attribute_models,
            cuts=self.cuts,
            probe=self._probe_weights.model_dump_json() if self._probe_weights else "",
        )

    @cached_property
    def calibration(self) -> Calibration | None:
        """The active calibration of the configured embedder and threshold, None where there is none.

        It is read once, so that no step of a run takes another than the step before; see `reread_calibration`.
        """
        return active_calibration(self.lake, self._embedder_spec.identity, self.settings.linkage.window_max_distance)

    @property
    def cuts(self) -> tuple[float, ...]:
        """The cuts of the window's merge tree that are kept: those of the calibration."""
        return self.calibration.cuts if self.calibration else ()

    @property
    def probe(self) -> Probe | None:
        """What tells from a vector whether its face is recognisable: the calibration's, None where nothing does."""
        weights = self._probe_weights
        return Probe(np.asarray(weights.weights, dtype=np.float32), weights.bias) if weights else None

    @property
    def _probe_weights(self) -> ProbeWeights | None:
        return self.calibration.probe if self.calibration and self.settings.quality.probe else None

    def reread_calibration(self) -> None:
        """Forget the calibration and what follows from it: a daemon sees a new one without a restart."""
        for name in ("calibration", "versions"):
            self.__dict__.pop(name, None)

    @cached_property
    def _embedder_spec(self) -> ModelSpec:
        return self.model_manifest.get(self.settings.embedding.embedder, ModelKind.FACE_EMBEDDER)

    @cached_property
    def crop_template(self) -> CropTemplate:
        """The pose that crops are stored in: the configured embedder's own, so that none is ever cut twice.

        Raises:
            ManifestError: the embedder names none.
        """
        if self._embedder_spec.alignment is None:
            raise ManifestError(f"embedder {self._embedder_spec.name!r} names no alignment; add it to manifest.toml")
        return self._embedder_spec.alignment

    @cached_property
    def embedding_dim(self) -> int:
        """Length of a vector of the configured embedder."""
        return self._embedder_spec.embedding_dim or 0

    @cached_property
    def detector(self) -> FaceDetector:
        """The configured face detector.

        Raises:
            models.errors.ModelMissing: it was not pulled.
        """
        detection = self.settings.detection
        return load_face_detector(
            detection.detector,
            cache=self.settings.model_cache,
            threads=self.settings.threads,
            manifest=self.model_manifest,
            options=DetectorOptions(
                score_threshold=detection.score_threshold,
                max_side_px=detection.max_side_px,
                max_per_image=detection.max_faces_per_image,
            ),
        )

    @cached_property
    def embedder(self) -> FaceEmbedder:
        """The configured face embedder.

        Raises:
            models.errors.ModelMissing: it was not pulled.
        """
        return load_face_embedder(
            self.settings.embedding.embedder,
            cache=self.settings.model_cache,
            threads=self.settings.threads,
            manifest=self.model_manifest,
        )

    @cached_property
    def attribute_models(self) -> str:
        """The identities of the models of age, gender and expression; naming them loads none."""
        age_gender = self.model_manifest.get(DEFAULT_AGE_GENDER, ModelKind.AGE_GENDER)
        expression = self.model_manifest.get(DEFAULT_EXPRESSION, ModelKind.EXPRESSION)
        return f"{age_gender.identity}+{expression.identity}"

    @cached_property
    def age_gender(self) -> "AgeGenderEstimator":
        """The estimator of age and gender.

        Raises:
            models.errors.ModelMissing: it was not pulled; it is optional.
        """
        return load_age_gender(
            cache=self.settings.model_cache, threads=self.settings.threads, manifest=self.model_manifest
        )

    @cached_property
    def expression(self) -> "ExpressionEstimator":
        """The estimator of expressions; raises as `age_gender`."""
        return load_expression(
            cache=self.settings.model_cache, threads=self.settings.threads, manifest=self.model_manifest
        )

    def place_of(self, asset: str, place: Place) -> PartitionPlace:
        """Return where an asset of day x location lies in the active version."""
        return PartitionPlace(asset, self.versions.as_dict()[asset], place.day, place.location_id)

    def day_of(self, asset: str, day: date) -> PartitionPlace:
        """Return where an asset of a day lies in the active version."""
        return PartitionPlace(asset, self.versions.as_dict()[asset], day)

    def manifest(self, asset: str, place: Place) -> PartitionManifest | None:
        """Return the manifest of a partition of day x location, or None."""
        return self.partitions.manifest(self.place_of(asset, place))

    def accepted_batches(self, place: Place) -> Mapping[str, str]:
        """Return the keys of a place's accepted batches by batch id; a repaired one has `.repaired` behind its id."""
        keys = self.lake.list_keys(f"batches/{place.day.isoformat()}/{place.location_id}")
        return {key.rsplit("/", 1)[1].removesuffix(".tar"): key for key in keys}

    def removed_batches(self, place: Place) -> tuple[str, ...]:
        """Return the batches that `images` of a place was made from and that are gone; any makes the place final."""
        images = self.manifest("images", place)
        known = {_batch_of(part.name) for part in images.parts} if images else set()
        return tuple(sorted(known - {_batch_of(name) for name in self.accepted_batches(place)}))

    def intervals_s(self, place: Place) -> dict[str, float]:
        """Return the seconds between stills of each camera of a location on a day."""
        registry = self.registry
        cameras = {camera.camera_id for camera in registry.cameras_of_location.get(place.location_id, ())}
        held = (registry.camera(camera_id, place.day) for camera_id in sorted(cameras))
        return {camera.camera_id: camera.interval_s for camera in held if camera}

    def location_mode(self, place: Place) -> LocationMode:
        """Return the mode of a location on a day, failing closed.

        One that nobody knows is off; in production the basis `development` carries no recognition.
        """
        location = self.registry.location(place.location_id, place.day)
        if location is None:
            return LocationMode.OFF
        if location.legal_basis == DEVELOPMENT_BASIS and self.settings.environment == "production":
            return min(location.mode, LocationMode.COUNT_ONLY, key=list(LocationMode).index)
        return location.mode

    def location_attributes(self, place: Place) -> tuple[Attribute, ...]:
        """Return what is switched on for a location on a day, in the order of `Attribute`, failing closed.

        Nothing where it does not recognise visitors; in production the basis `development` carries nothing.
        """
        location = self.registry.location(place.location_id, place.day)
        if location is None or self.location_mode(place) is not LocationMode.UNIQUE:
            return ()
        if location.attributes_basis == DEVELOPMENT_BASIS and self.settings.environment == "production":
            return ()
        return tuple(each for each in Attribute if each in location.attributes)


def _batch_of(name: str) -> str:
    return name.removesuffix(".repaired")


@dataclass
class Outcome:
    """What bringing a partition up to date took: its rows and hash, work done and saved, and what was left out."""

    rows: int = 0
    content_hash: str = ""
    version: str = ""
    parts_computed: int = 0
    parts_reused: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, refreshed: Refreshed, table: str, left_out: Counter[str] | None = None) -> "Outcome":
        """Return the outcome of a refreshed partition whose rows are those of `table`."""
        return cls(
            rows=refreshed.manifest.rows(table),
            content_hash=refreshed.manifest.content_hash,
            version=refreshed.manifest.version,
            parts_computed=refreshed.computed,
            parts_reused=refreshed.reused,
            left_out=left_out or Counter(),
        )
