"""Identifiers: the form of those that come from outside, the making of those that are ours.

Ours are 128-bit and deterministic, so a resend, a retry or a backfill names the same thing the same way. They are
version 8 UUIDs (RFC 9562, section 5.8: custom content) whose bits come from SHA-256.
"""

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator

from footfall_assets.contracts.errors import InvalidIdentifier

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def parse_slug(value: str) -> str:
    """Return `value` when it may name a location, camera, group or device; such a name is also a safe path part.

    Raises:
        InvalidIdentifier: not 1 to 64 of `a-z 0-9 _ -` starting with a letter or digit.
    """
    if not _SLUG.fullmatch(value):
        raise InvalidIdentifier(
            f"expected an id of 1 to 64 characters a-z, 0-9, '_' or '-', starting with a letter or digit, "
            f"got {value[:80]!r}; rename it, for example 'store-101'"
        )
    return value


def _checked_slug(value: str) -> str:
    try:
        return parse_slug(value)
    except InvalidIdentifier as error:
        raise ValueError(str(error)) from error


def _checked_sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise ValueError(f"expected 64 lower-case hexadecimal digits, got {value[:80]!r}")
    return value


Slug = Annotated[str, AfterValidator(_checked_slug)]
Sha256 = Annotated[str, AfterValidator(_checked_sha256)]


def sha256_hex(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def digest_of(*parts: str) -> str:
    """Return the hexadecimal SHA-256 of `parts`, each length-prefixed so that no two lists collide by joining."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def _uuid_of(kind: str, *parts: str) -> UUID:
    value = int(digest_of(kind, *parts)[:32], 16)
    value = (value & ~(0xF << 76)) | (0x8 << 76)  # version 8
    value = (value & ~(0x3 << 62)) | (0x2 << 62)  # RFC 9562 variant
    return UUID(int=value)


def timestamp_text(moment: datetime) -> str:
    """Return `moment` as UTC ISO 8601 with microseconds, the one form that ids are computed from.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with a time zone, got {moment.isoformat()}; attach UTC where it is read")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def image_id(camera_id: str, captured_at: datetime, content_sha256: str) -> UUID:
    """Return the id of one still: its camera, its moment and its bytes."""
    return _uuid_of("image", camera_id, timestamp_text(captured_at), content_sha256)


def batch_id(camera_id: str, opened_at: datetime, image_ids: tuple[UUID, ...]) -> UUID:
    """Return the id of one batch: its camera, the moment it was opened and the stills in it."""
    return _uuid_of("batch", camera_id, timestamp_text(opened_at), *(str(i) for i in image_ids))


def face_image_id(image: UUID, box: tuple[float, float, float, float]) -> UUID:
    """Return the id of one face in one still; `box` is xyxy in pixels, and counts to a tenth of a pixel."""
    return _uuid_of("face", str(image), *(f"{side:.1f}" for side in box))


def local_visitor_id(location_id: str, day: date, founder: UUID) -> UUID:
    """Return the id of a visitor of one location and day, from the earliest of its faces (`founder`)."""
    return _uuid_of("local_visitor", location_id, day.isoformat(), str(founder))


def minted_face_id(window: str, day: date, founder: UUID) -> UUID:
    """Return a new identity's `face_id`, from the smallest of its local visitors and the day that minted it.

    The day is part of it: a name once carried away from its founder is never minted a second time.
    """
    return _uuid_of("identity", window, day.isoformat(), str(founder))
