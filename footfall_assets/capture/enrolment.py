"""New devices: a token is issued to a person, and what comes back with its proof joins the fleet."""

import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from footfall_assets.capture.desired import publish_desired
from footfall_assets.capture.enrolment_tokens import IssuedToken, TokenStore
from footfall_assets.capture.quarantine import quarantine
from footfall_assets.capture.signing_key import load_fleet_key
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.documents import parse_document
from footfall_assets.contracts.errors import InvalidDocument, QuarantineReason, RegistryError
from footfall_assets.contracts.fleet import (
    ENROLMENTS,
    MOST_DOCUMENT_BYTES,
    EnrolmentRequest,
    EnrolmentToken,
    enrolment_key,
    enrolment_proof,
)
from footfall_assets.contracts.ids import parse_slug
from footfall_assets.contracts.registry import Device, Registry
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.lake import LakeStore, UnsafeKey, check_key
from footfall_assets.storage.registry_store import change_registry, read_registry

CODE_VERSION: Final = "enrolment/1"
TOKEN_VALID_FOR: Final = timedelta(hours=24)


@dataclass
class EnrolmentReport:
    """What became of the requests: each is counted once."""

    accepted: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


class _RequestRefused(InvalidDocument):
    """A request that lets nobody in."""


def issue_token(
    lake: LakeStore,
    settings: PlatformSettings,
    device_id: str,
    location_id: str,
    *,
    now: datetime,
    valid_for: timedelta = TOKEN_VALID_FOR,
) -> EnrolmentToken:
    """Return a one-time token for a device of a location; an earlier one of the same device is void.

    Raises:
        RegistryError: the location is unknown, or the device is this installation's own.
        UserMistake: not an id, or valid for too long.
    """
    parse_slug(device_id)
    registry = read_registry(lake)
    if location_id not in registry.location_ids():
        raise RegistryError(f"unknown location {location_id!r}; add it first: footfall fleet add-location")
    known = registry.device(device_id)
    if known is not None and known.location_id is None:
        raise RegistryError(f"device {device_id!r} is this installation's own; choose another id")
    public_key = public_key_text(load_fleet_key(lake, settings.keys_dir))
    store = TokenStore(settings.keys_dir)
    return store.issue(device_id, location_id, fleet_public_key=public_key, now=now, valid_for=valid_for)


def waiting_enrolments(lake: LakeStore) -> list[str]:
    """Return the requests that can be opened; a name that is no key stays until somebody looks."""
    return list(_openable(lake))


def _openable(lake: LakeStore) -> Iterator[str]:
    for key in lake.list_keys(ENROLMENTS):
        try:
            yield check_key(key)
        except UnsafeKey:
            continue


def accept_enrolments(lake: LakeStore, settings: PlatformSettings, *, now: datetime) -> EnrolmentReport:
    """Answer every waiting request: register the device and issue its first configuration, or set the request aside.

    What has changed for other devices is issued as well. Killed half-way it can be repeated: a request is removed last,
    and accepting the same one again changes nothing.
    """
    report = EnrolmentReport()
    for key in waiting_enrolments(lake):
        data = lake.read_range(key, 0, MOST_DOCUMENT_BYTES + 1)
        try:
            if _admit(lake, settings, _request(key, data), now):
                report.accepted.append(key.rsplit("/", 1)[1].removesuffix(".json"))
        except InvalidDocument as error:
            quarantine(
                lake,
                data,
                ".json.refused",
                reason=QuarantineReason.BAD_ENROLMENT,
                message=str(error),
                stage="enrolment",
                code_version=CODE_VERSION,
                source=key,
            )
            report.refused[str(QuarantineReason.BAD_ENROLMENT)] += 1
        lake.delete(key)
    publish_desired(lake, settings, now=now)
    return report


def _admit(lake: LakeStore, settings: PlatformSettings, request: EnrolmentRequest, now: datetime) -> bool:
    """Register the device that asks and use up its token; return False where it has joined already."""
    store = TokenStore(settings.keys_dir)
    known = _is_known(read_registry(lake), request)
    token = store.find(request.device_id)
    if known and (token is None or token.used_at is not None):
        return False
    token = _checked_token(token, request, now)
    _register(lake, settings, request, token, now)
    store.mark_used(token, now)
    return not known


def _request(key: str, data: bytes) -> EnrolmentRequest:
    request = parse_document(data, EnrolmentRequest, most_bytes=MOST_DOCUMENT_BYTES)
    if key != enrolment_key(request.device_id):
        raise _RequestRefused(f"expected at {enrolment_key(request.device_id)}, found at {key}")
    return request


def _is_known(registry: Registry, request: EnrolmentRequest) -> bool:
    """Return whether the very same device has joined already: a request that was sent twice needs no second answer."""
    device = registry.device(request.device_id)
    return device is not None and not device.revoked and device.public_key == request.public_key


def _checked_token(token: IssuedToken | None, request: EnrolmentRequest, now: datetime) -> IssuedToken:
    if token is None or token.used_at is not None:
        state = "was used" if token else "was never issued"
        raise _RequestRefused(f"device {request.device_id}: its token {state}; issue one: footfall fleet enroll")
    if now >= token.expires_at:
        raise _RequestRefused(f"device {request.device_id}: its token expired at {token.expires_at}; issue another")
    expected = enrolment_proof(token.secret_sha256, request.device_id, request.public_key)
    if not hmac.compare_digest(expected, request.proof):
        raise _RequestRefused(f"device {request.device_id}: whoever asked did not hold its token")
    return token


def _register(
    lake: LakeStore, settings: PlatformSettings, request: EnrolmentRequest, token: IssuedToken, now: datetime
) -> None:
    def enrolled(registry: Registry) -> Registry:
        changes = {
            "public_key": request.public_key,
            "location_id": token.location_id,
            "enrolled_at": now,
            "revoked": False,
            "revoked_at": None,
        }
        known = registry.device(request.device_id)
        fields = known.model_dump() if known else {"device_id": request.device_id}
        return registry.with_device(Device.model_validate(fields | changes))

    change_registry(lake, settings.home, enrolled)
