"""The `images` asset: one row per still that passed the edge filter and the gates of intake."""

import io
from collections import Counter
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from PIL import Image

from footfall_assets.capture.quarantine import quarantine
from footfall_assets.contracts.batch import BatchManifest, Member, unpack_batch
from footfall_assets.contracts.errors import PermanentFailure, QuarantineReason
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.schemas import COVERAGE, IMAGES
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage.lake import LakeStore

CODE_VERSION: Final = "images/2"
_JPEG_MAGIC: Final = b"\xff\xd8\xff"  # ITU T.81: start of image, then the first marker


class InvalidImage(PermanentFailure):
    """A still that may not be decoded; carries its quarantine reason."""

    def __init__(self, reason: QuarantineReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class ImagesPart:
    """One batch as rows: its stills, its coverage, and what was set aside by reason."""

    images: pa.Table
    coverage: pa.Table
    quarantined: Counter[str]


def check_still(member: Member, limits: IntakeLimits) -> None:
    """Check a still by its hash, first bytes and header, without decoding it.

    The hash comes first: two of three damaged JPEGs decode without complaint.

    Raises:
        InvalidImage: the bytes are not those the manifest names, not a JPEG, or too large a picture.
    """
    entry = member.entry
    if sha256_hex(member.data) != entry.sha256 or len(member.data) != entry.size_bytes:
        raise InvalidImage(QuarantineReason.HASH_MISMATCH, f"image {entry.image_id}: not the bytes that were signed")
    if not member.data.startswith(_JPEG_MAGIC):
        raise InvalidImage(QuarantineReason.FORMAT, f"image {entry.image_id}: expected a JPEG, got {member.data[:4]!r}")
    width, height = _header_size(member)
    if max(width, height) > limits.image_side_px or width * height > limits.image_pixels:
        raise InvalidImage(
            QuarantineReason.DIMENSIONS,
            f"image {entry.image_id}: {width}x{height} is more than {limits.image_side_px} px a side or "
            f"{limits.image_pixels} px in all",
        )
    if (width, height) != (entry.width, entry.height):
        raise InvalidImage(
            QuarantineReason.DIMENSIONS,
            f"image {entry.image_id}: expected {entry.width}x{entry.height}, its header says {width}x{height}",
        )


def _header_size(member: Member) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(member.data), formats=["JPEG"]) as header:
            return header.size
    except Image.DecompressionBombError as error:
        raise InvalidImage(QuarantineReason.DIMENSIONS, f"image {member.entry.image_id}: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidImage(QuarantineReason.FORMAT, f"image {member.entry.image_id}: {error}") from error


def images_of_batch(lake: LakeStore, key: str, limits: IntakeLimits) -> ImagesPart:
    """Return the rows of one accepted batch; its bad stills are quarantined one by one.

    Raises:
        InvalidBatch: the stored tar is not the one that intake accepted.
    """
    batch = unpack_batch(lake.read(key), limits)
    good: list[Member] = []
    quarantined: Counter[str] = Counter()
    for member in batch.members:
        try:
            check_still(member, limits)
        except InvalidImage as error:
            quarantine(
                lake,
                member.data,
                ".bin",
                reason=error.reason,
                message=str(error),
                stage="images",
                code_version=CODE_VERSION,
                source=f"{key}#{member.entry.name}",
            )
            quarantined[str(error.reason)] += 1
        else:
            good.append(member)
    return ImagesPart(
        images=_image_rows(batch.manifest, good, key),
        coverage=_coverage_row(batch.manifest, sum(quarantined.values())),
        quarantined=quarantined,
    )


def _image_rows(manifest: BatchManifest, members: list[Member], key: str) -> pa.Table:
    rows = [
        {
            "image_id": member.entry.image_id.bytes,
            "camera_id": manifest.camera_id,
            "location_id": manifest.location_id,
            "captured_at": member.entry.captured_at,
            "batch_id": manifest.batch_id.bytes,
            "width": member.entry.width,
            "height": member.entry.height,
            "filter": str(manifest.filter),
            "zones": list(manifest.zones if member.entry.zones is None else member.entry.zones),
            "sha256": member.entry.sha256,
            "object": key,
            "offset": member.offset,
            "length": len(member.data),
        }
        for member in members
    ]
    return pa.Table.from_pylist(rows, schema=IMAGES)


def _coverage_row(manifest: BatchManifest, quarantined: int) -> pa.Table:
    row = manifest.model_dump(include=set(COVERAGE.names)) | {
        "batch_id": manifest.batch_id.bytes,
        "images_quarantined": quarantined,
    }
    return pa.Table.from_pylist([row], schema=COVERAGE)
