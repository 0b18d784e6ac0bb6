"""What decided the versions of a home's assets, kept so that a later comparison can name it: a hash alone cannot."""

import json
from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from footfall_assets.contracts.ids import Sha256, digest_of

_PREFIX: Final = "versions"


class VersionCauses(BaseModel):
    """The versions of all assets, and the settings, models and code behind them by dotted name, values as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asset_versions: dict[str, str]
    causes: dict[str, str]
    content_hash: Sha256  # of the two: a record that was changed names no cause at all

    @classmethod
    def of(cls, asset_versions: Mapping[str, str], causes: Mapping[str, str]) -> Self:
        """Return the record of these causes."""
        content = _content_hash(asset_versions, causes)
        return cls(asset_versions=dict(asset_versions), causes=dict(causes), content_hash=content)

    @model_validator(mode="after")
    def _is_what_was_written(self) -> Self:
        expected = _content_hash(self.asset_versions, self.causes)
        if self.content_hash != expected:
            raise ValueError(f"expected the content hash {expected}, got {self.content_hash}")
        return self


def _content_hash(*mappings: Mapping[str, str]) -> str:
    return digest_of(*(json.dumps(dict(each), sort_keys=True) for each in mappings))


def version_causes_key(asset_versions: Mapping[str, str]) -> str:
    """Return where the causes of these versions lie: versions are hashes of them, so they never change."""
    digest = digest_of(*(f"{asset}={version}" for asset, version in sorted(asset_versions.items())))
    return f"{_PREFIX}/{digest}.json"


def dotted(name: str, value: object) -> dict[str, str]:
    """Return nested mappings as one, names joined by dots; everything else as JSON text, words without quotes."""
    if isinstance(value, Mapping):
        return {key: text for part, inner in value.items() for key, text in dotted(f"{name}.{part}", inner).items()}
    return {name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)}
