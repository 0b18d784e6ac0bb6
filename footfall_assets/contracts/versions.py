"""The version of each asset: a hash of the model, settings and code contract that decide its content.

A version covers everything upstream of it, so results of two models never mix: they lie side by side in the lake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.settings import PlatformSettings

# Raise a number when the code behind an asset computes something else from the same input.
_CONTRACTS: Final = {
    "images": "2",
    "faces": "1",
    "face_embeddings": "1",
    "face_attributes": "1",
    "local_visitors": "1",
    "identities": "4",
    "sightings": "2",
}
_HEX_DIGITS: Final = 16


@dataclass(frozen=True)
class AssetVersions:
    """One version per asset of the lake."""

    images: str
    faces: str
    face_embeddings: str
    local_visitors: str
    identities: str
    sightings: str
    face_attributes: str

    def as_dict(self) -> dict[str, str]:
        """Return version by asset name."""
        return dict(vars(self))


def asset_versions(
    settings: PlatformSettings,
    *,
    detector: str,
    crop: str,
    embedder: str,
    attributes: str = "",
    cuts: Sequence[float] = (),
    probe: str = "",
) -> AssetVersions:
    """Return the versions under these settings and model identities (hashes of file and input contract).

    `crop` describes the pose of stored face crops, `attributes` the models of age, gender and expression; `cuts` and
    `probe` (as text) are those of the active calibration.
    """
    images = _version("images", "", settings.intake)
    faces = _version("faces", images, settings.detection, detector, crop)
    embeddings = _version("face_embeddings", faces, settings.embedding, embedder)
    of_one_day = settings.linkage.model_dump_json(exclude={"window_max_distance"})
    of_probe = [probe] if probe else []
    local = _version("local_visitors", embeddings, settings.quality, of_one_day, *of_probe)
    at_cuts = [repr(tuple(cuts))] if cuts else []
    identities = _version("identities", local, settings.linkage, settings.staff, *at_cuts)
    sightings = _version("sightings", local)
    face_attributes = _version("face_attributes", embeddings, settings.quality, attributes, *of_probe)
    return AssetVersions(images, faces, embeddings, local, identities, sightings, face_attributes)


def code_contracts() -> Mapping[str, str]:
    """Return the number of the code behind each asset."""
    return dict(_CONTRACTS)


def _version(asset: str, upstream: str, *causes: BaseModel | str) -> str:
    texts = [cause if isinstance(cause, str) else cause.model_dump_json() for cause in causes]
    return digest_of(asset, _CONTRACTS[asset], upstream, *texts)[:_HEX_DIGITS]
