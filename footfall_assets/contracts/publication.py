"""What a publication is: two database files, what they were built from, and the pointer that names the current one."""

from datetime import date
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.ids import Sha256

PUBLICATIONS_PREFIX: Final = "publications"
CURRENT_KEY: Final = "publications/CURRENT"


class PublishedFile(BaseModel):
    """One database file in the lake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    sha256: Sha256
    content_hash: Sha256  # of the rows: two equal builds differ in bytes, not in this
    size_bytes: int


class Publication(BaseModel):
    """The manifest behind `publications/CURRENT`; `publication_id` is the hash of the content of both files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    publication_id: Sha256
    published_at: AwareDatetime
    environment: Literal["development", "production"]
    aggregates: PublishedFile
    visitors: PublishedFile  # visitor-level rows, physically apart from the aggregates
    inputs_hash: Sha256
    asset_versions: dict[str, str]
    first_day: date | None
    last_day: date | None
    last_captured_at: AwareDatetime | None


def publication_key(publication_id: str) -> str:
    """Return where the manifest of a publication lies."""
    return f"{PUBLICATIONS_PREFIX}/{publication_id}.json"
