"""One-time tokens as the platform keeps them: a hash of the secret and when it expires, outside the lake."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.fleet import EnrolmentToken, secret_hash
from footfall_assets.contracts.ids import Sha256, Slug, parse_slug
from footfall_assets.storage.lake import written_whole

_FOLDER: Final = "enrolment"
_SECRET_BYTES: Final = 32
_OWNER_ONLY: Final = 0o700
MOST_VALID: Final = timedelta(days=30)


class IssuedToken(BaseModel):
    """What is kept of a token. Who reads it could enrol in its place: it lies among the keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device_id: Slug
    location_id: Slug
    secret_sha256: Sha256
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None


class TokenStore:
    """The newest token of each device; issuing another one voids the one before."""

    def __init__(self, keys_dir: Path) -> None:
        self._folder = keys_dir / _FOLDER

    def issue(
        self, device_id: str, location_id: str, *, fleet_public_key: str, now: datetime, valid_for: timedelta
    ) -> EnrolmentToken:
        """Return a new token for a device of a location; its secret is kept nowhere.

        Raises:
            UserMistake: no time at all, or more than 30 days.
        """
        if not timedelta(0) < valid_for <= MOST_VALID:
            raise UserMistake(f"expected a token valid for up to {MOST_VALID.days} days, got {valid_for}")
        token = EnrolmentToken(device_id, secrets.token_bytes(_SECRET_BYTES), fleet_public_key)
        self._keep(
            IssuedToken(
                device_id=device_id,
                location_id=location_id,
                secret_sha256=secret_hash(token.secret),
                expires_at=now + valid_for,
            )
        )
        return token

    def find(self, device_id: str) -> IssuedToken | None:
        """Return the newest token of a device, used or not, or None."""
        path = self._path(device_id)
        return IssuedToken.model_validate_json(path.read_bytes()) if path.exists() else None

    def waiting(self) -> tuple[IssuedToken, ...]:
        """Return the tokens that were not used yet, sorted by device."""
        names = sorted(path.stem for path in self._folder.glob("*.json"))
        found = (self.find(name) for name in names)
        return tuple(token for token in found if token is not None and token.used_at is None)

    def mark_used(self, token: IssuedToken, now: datetime) -> None:
        """Note that a token was used; one that was replaced meanwhile is left alone."""
        found = self.find(token.device_id)
        if found is not None and found.secret_sha256 == token.secret_sha256:
            self._keep(token.model_copy(update={"used_at": now}))

    def void(self, device_id: str) -> None:
        """Forget a device's token."""
        self._path(device_id).unlink(missing_ok=True)

    def _path(self, device_id: str) -> Path:
        return self._folder / f"{parse_slug(device_id)}.json"

    def _keep(self, token: IssuedToken) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        with written_whole(self._path(token.device_id)) as partial:  # made with mode 0600
            partial.write(token.model_dump_json(indent=1).encode())
