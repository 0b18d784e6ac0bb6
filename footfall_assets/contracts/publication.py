"""What a publication is: three database files, what they came from, and the pointer that names the current one."""

from datetime import date
from enum import StrEnum
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.ids import Sha256

PUBLICATIONS_PREFIX: Final = "publications"
CURRENT_KEY: Final = "publications/CURRENT"


class FileKind(StrEnum):
    """The files of a publication, from what anybody may see to what few may; each is also the start of its name."""

    PROTECTED = "protected"  # counts that say nothing about single people
    AGGREGATES = "aggregates"  # exact counts
    VISITORS = "visitors"  # rows about single pseudonymous people


class PublishedFile(BaseModel):
    """One database file in the lake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    sha256: Sha256
    content_hash: Sha256  # of the rows: two equal builds differ in bytes, not in this
    size_bytes: int


class Publication(BaseModel):
    """The manifest behind `publications/CURRENT`; `publication_id` is the hash of the content of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    publication_id: Sha256
    published_at: AwareDatetime
    environment: Literal["development", "production"]
    aggregates: PublishedFile
    visitors: PublishedFile  # visitor-level rows, physically apart from the aggregates
    protected: PublishedFile | None = None  # None: published before there were protected counts
    inputs_hash: Sha256
    asset_versions: dict[str, str]
    first_day: date | None
    last_day: date | None
    last_captured_at: AwareDatetime | None

    @property
    def files(self) -> dict[FileKind, PublishedFile]:
        """The files that this publication has."""
        found = {FileKind.AGGREGATES: self.aggregates, FileKind.VISITORS: self.visitors}
        return found if self.protected is None else {FileKind.PROTECTED: self.protected} | found


def publication_key(publication_id: str) -> str:
    """Return where the manifest of a publication lies."""
    return f"{PUBLICATIONS_PREFIX}/{publication_id}.json"
