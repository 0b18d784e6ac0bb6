"""The edge batch: a tar with a signed manifest first, then the stills it lists.

    manifest.json          UTF-8 JSON of BatchManifest
    manifest.sig           64 bytes: the device's Ed25519 signature (RFC 8032) over the manifest's bytes
    <image_id>.jpg         in the manifest's order (WebDataset style)

Packing the same stills gives the same bytes.
"""

import base64
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from footfall_assets.contracts.errors import InvalidBatch, QuarantineReason
from footfall_assets.contracts.ids import Sha256, Slug, batch_id, image_id
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.settings import IntakeLimits

MANIFEST_NAME: Final = "manifest.json"
SIGNATURE_NAME: Final = "manifest.sig"
SIGNATURE_BYTES: Final = 64


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageEntry(_Record):
    """One still of a batch."""

    image_id: UUID
    captured_at: AwareDatetime
    size_bytes: int = Field(ge=1)
    sha256: Sha256
    width: int = Field(ge=1)  # pixels
    height: int = Field(ge=1)  # pixels

    @property
    def name(self) -> str:
        """Its name inside the tar."""
        return f"{self.image_id}.jpg"


class BatchManifest(_Record):
    """What a batch says of itself; ids are recomputed, so none of them can be made up."""

    format: Literal["footfall-batch/1"] = "footfall-batch/1"
    batch_id: UUID
    device_id: Slug
    location_id: Slug
    camera_id: Slug
    day: date  # business day of every still in it
    sequence: int = Field(ge=1)  # per camera and boot, so that a gap is visible
    boot_id: UUID
    filter: FilterMode
    filter_model: str | None = Field(default=None, max_length=120)
    interval_s: float = Field(gt=0)
    zones: tuple[Slug, ...] = ()
    opened_at: AwareDatetime
    closed_at: AwareDatetime
    frames_expected: int = Field(ge=0)
    frames_captured: int = Field(ge=0)
    frames_kept: int = Field(ge=0)
    images: tuple[ImageEntry, ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.frames_kept != len(self.images) or self.frames_kept > self.frames_captured:
            raise ValueError(
                f"expected frames_kept = number of images <= frames_captured, got {self.frames_kept}, "
                f"{len(self.images)}, {self.frames_captured}"
            )
        ids = tuple(each.image_id for each in self.images)
        if len(set(ids)) != len(ids):
            raise ValueError("expected every image once")
        for each in self.images:
            if each.image_id != image_id(self.camera_id, each.captured_at, each.sha256):
                raise ValueError(f"image {each.image_id} is not the id of its camera, time and content")
        if self.batch_id != batch_id(self.camera_id, self.opened_at, ids):
            raise ValueError(f"batch {self.batch_id} is not the id of its camera, opening time and images")
        return self


def landing_key(manifest: BatchManifest) -> str:
    """Return where a batch lands in the lake."""
    return f"landing/{manifest.day}/{manifest.location_id}/{manifest.camera_id}/{manifest.batch_id}.tar"


def accepted_key(manifest: BatchManifest) -> str:
    """Return where a verified batch is kept."""
    return f"batches/{manifest.day}/{manifest.location_id}/{manifest.camera_id}/{manifest.batch_id}.tar"


def pack_batch(manifest: BatchManifest, stills: Sequence[bytes], key: Ed25519PrivateKey) -> bytes:
    """Return the tar of a batch; `stills` are the JPEGs in the manifest's order."""
    document = manifest.model_dump_json().encode()
    members = [(MANIFEST_NAME, document), (SIGNATURE_NAME, key.sign(document))]
    members += [(entry.name, still) for entry, still in zip(manifest.images, stills, strict=True)]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def public_key_text(key: Ed25519PrivateKey) -> str:
    """Return the public half of `key` as base64, the form the registry keeps."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


@dataclass(frozen=True)
class Member:
    """A still inside a batch tar: what the manifest says, where its bytes lie, and the bytes."""

    entry: ImageEntry
    offset: int  # bytes from the start of the tar
    data: bytes


@dataclass(frozen=True)
class UnpackedBatch:
    """A batch as it came: nothing in it is trusted before `verify_signature`."""

    manifest: BatchManifest
    document: bytes
    signature: bytes
    members: tuple[Member, ...]

    def verify_signature(self, public_key: str) -> None:
        """Check that the device with this public key (base64) signed the manifest.

        Raises:
            InvalidBatch: it did not.
        """
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True)).verify(
                self.signature, self.document
            )
        except (InvalidSignature, ValueError) as error:
            raise InvalidBatch(
                QuarantineReason.BAD_SIGNATURE, f"device {self.manifest.device_id} did not sign this manifest"
            ) from error


def unpack_batch(data: bytes, limits: IntakeLimits) -> UnpackedBatch:
    """Return the parts of a batch tar, read without touching the disk.

    Raises:
        InvalidBatch: too large, cut short, not the agreed members in the agreed order, or a manifest that is not valid.
    """
    if len(data) > limits.batch_bytes:
        raise InvalidBatch(QuarantineReason.TOO_LARGE, f"expected at most {limits.batch_bytes} bytes, got {len(data)}")
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            return _read_members(archive, limits)
    except tarfile.ReadError as error:
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"not a whole tar: {error}") from error
    except (tarfile.TarError, UnicodeError, ValueError, OverflowError) as error:
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, f"not a readable tar: {error}") from error


def _read_members(archive: tarfile.TarFile, limits: IntakeLimits) -> UnpackedBatch:
    document, _ = _next_member(archive, MANIFEST_NAME, limits.manifest_bytes)
    signature, _ = _next_member(archive, SIGNATURE_NAME, SIGNATURE_BYTES)
    manifest = _parse_manifest(document, limits)
    members = []
    for entry in manifest.images:
        data, offset = _next_member(archive, entry.name, limits.image_bytes)
        members.append(Member(entry, offset, data))
    if archive.next() is not None:
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, "members beyond those the manifest lists")
    return UnpackedBatch(manifest, document, signature, tuple(members))


def _next_member(archive: tarfile.TarFile, name: str, most_bytes: int) -> tuple[bytes, int]:
    member = archive.next()
    if member is None:
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"ends before member {name!r}")
    if member.name != name or not member.isreg() or member.issparse():
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, f"expected the file {name!r}, got {member.name[:120]!r}")
    if member.size > most_bytes:
        raise InvalidBatch(
            QuarantineReason.TOO_LARGE, f"{name!r}: expected at most {most_bytes} bytes, got {member.size}"
        )
    reader = archive.extractfile(member)
    data = reader.read() if reader else b""
    if len(data) != member.size:
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"{name!r}: expected {member.size} bytes, got {len(data)}")
    return data, member.offset_data


def _parse_manifest(document: bytes, limits: IntakeLimits) -> BatchManifest:
    try:
        manifest = BatchManifest.model_validate_json(document)
    except (ValidationError, RecursionError) as error:
        summary = str(error).splitlines()
        raise InvalidBatch(QuarantineReason.BAD_MANIFEST, " ".join(summary[:3])[:400]) from error
    if len(manifest.images) > limits.images:
        raise InvalidBatch(
            QuarantineReason.TOO_LARGE, f"expected at most {limits.images} images, got {len(manifest.images)}"
        )
    return manifest
