"""The edge batch: a tar with a signed manifest first, then the stills it lists.

    manifest.json          UTF-8 JSON of BatchManifest
    manifest.sig           64 bytes: the device's Ed25519 signature (RFC 8032) over the manifest's bytes
    <image_id>.jpg         in the manifest's order (WebDataset style)

Packing the same stills gives the same bytes. Only plain files of POSIX.1-1988 (ustar) are read: no links, no extended
headers, nothing behind the last still but zeros.
"""

import base64
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from footfall_assets.contracts.documents import without_repeats
from footfall_assets.contracts.errors import InvalidBatch, QuarantineReason
from footfall_assets.contracts.ids import Sha256, Slug, batch_id, image_id, sha256_hex
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.settings import IntakeLimits

MANIFEST_NAME: Final = "manifest.json"
SIGNATURE_NAME: Final = "manifest.sig"
SIGNATURE_BYTES: Final = 64
_END_BYTES: Final = 2 * tarfile.BLOCKSIZE  # zeros that end a tar
_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # UTC; a year at either end of Python's calendar has no local time everywhere
_MOST: Final = 2**53 - 1  # what every JSON reader holds exactly (RFC 8259, section 6)
_MOST_SIDE_PX: Final = 65_535  # ITU T.81: 16 bits


def _on_every_clock(moment: datetime) -> datetime:
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}, got {moment.isoformat()}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_on_every_clock)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Side = Annotated[int, Field(ge=1, le=_MOST_SIDE_PX)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ClockFault(StrEnum):
    """Why the device itself doubts the times of a batch."""

    STEPPED = "stepped"  # its wall clock moved against the time since boot
    BEHIND = "behind"  # before a time that had been reached already, or before its software was made
    AHEAD = "ahead"  # later than it can have been off, or than any plausible date


class _Grown(_Record):
    """A record that got optional fields after devices were sending it: unset they are not written, old bytes stay."""

    _later: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unset(self, usual: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields = usual(self)
        return {name: value for name, value in fields.items() if value is not None or name not in self._later}


class ImageEntry(_Grown):
    """One still of a batch."""

    _later = frozenset({"zones"})

    image_id: UUID
    captured_at: Moment
    size_bytes: Positive
    sha256: Sha256
    width: Side
    height: Side
    zones: tuple[Slug, ...] | None = None  # where in it the filter saw somebody; None where it did not look

    @property
    def name(self) -> str:
        """Its name inside the tar."""
        return f"{self.image_id}.jpg"


class BatchManifest(_Grown):
    """What a batch says of itself; ids are recomputed, so none of them can be made up."""

    _later = frozenset({"monotonic_s", "clock_fault"})

    format: Literal["footfall-batch/1"] = "footfall-batch/1"
    batch_id: UUID
    device_id: Slug
    location_id: Slug
    camera_id: Slug
    day: date  # business day of every still in it
    sequence: Positive  # per camera and device, from 1, never used twice: a gap is a batch that was lost or dropped
    boot_id: UUID
    monotonic_s: float | None = Field(default=None, ge=0)  # since boot, at `opened_at`
    clock_fault: ClockFault | None = None
    filter: FilterMode
    filter_model: str | None = Field(default=None, max_length=120)
    interval_s: float = Field(gt=0)
    zones: tuple[Slug, ...] = ()
    opened_at: Moment
    closed_at: Moment
    frames_expected: Count
    frames_captured: Count
    frames_kept: Count
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


def repaired_key(manifest: BatchManifest) -> str:
    """Return where a batch is kept that came again whole after a first copy with damaged stills."""
    return accepted_key(manifest).removesuffix(".tar") + ".repaired.tar"


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

    @property
    def is_intact(self) -> bool:
        """Whether every still has the bytes that the manifest names."""
        return all(sha256_hex(member.data) == member.entry.sha256 for member in self.members)

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
    document, _, end = _read_file(data, 0, MANIFEST_NAME, limits.manifest_bytes)
    signature, _, end = _read_file(data, end, SIGNATURE_NAME, SIGNATURE_BYTES)
    manifest = _parse_manifest(document, limits)
    members = []
    for entry in manifest.images:
        still, offset, end = _read_file(data, end, entry.name, limits.image_bytes)
        members.append(Member(entry, offset, still))
    _check_end(data, end)
    return UnpackedBatch(manifest, document, signature, tuple(members))


def _read_file(data: bytes, start: int, name: str, most_bytes: int) -> tuple[bytes, int, int]:
    """Return the bytes of the file `name` with its header at `start`, their offset, and where the next header lies."""
    member = _read_header(data, start, name)
    if member.name != name or member.type != tarfile.REGTYPE:
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, f"expected the file {name!r}, got {member.name[:120]!r}")
    if not 0 <= member.size <= most_bytes:
        raise InvalidBatch(
            QuarantineReason.TOO_LARGE, f"{name!r}: expected at most {most_bytes} bytes, got {member.size}"
        )
    offset = start + tarfile.BLOCKSIZE
    content = data[offset : offset + member.size]
    if len(content) != member.size:
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"{name!r}: expected {member.size} bytes, got {len(content)}")
    return content, offset, offset + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _read_header(data: bytes, start: int, name: str) -> tarfile.TarInfo:
    block = data[start : start + tarfile.BLOCKSIZE]
    if len(block) < tarfile.BLOCKSIZE or not any(block):
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"ends before member {name!r}")
    try:
        # One header at a time: `TarFile` would follow extended headers, as deep and as long as their maker likes.
        return tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, f"no tar header before {name!r}: {error}") from error


def _check_end(data: bytes, end: int) -> None:
    rest = max(len(data) - end, 0)
    if data.count(0, end) != rest:
        raise InvalidBatch(QuarantineReason.BAD_ARCHIVE, "something lies behind the members the manifest lists")
    if rest < _END_BYTES:
        raise InvalidBatch(QuarantineReason.TRUNCATED, f"expected {_END_BYTES} zeros at the end, got {rest}")


def _parse_manifest(document: bytes, limits: IntakeLimits) -> BatchManifest:
    try:
        manifest = BatchManifest.model_validate_json(document)
        json.loads(document, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError) as error:
        summary = str(error).splitlines()
        raise InvalidBatch(QuarantineReason.BAD_MANIFEST, " ".join(summary[:3])[:400]) from error
    if len(manifest.images) > limits.images:
        raise InvalidBatch(
            QuarantineReason.TOO_LARGE, f"expected at most {limits.images} images, got {len(manifest.images)}"
        )
    return manifest
