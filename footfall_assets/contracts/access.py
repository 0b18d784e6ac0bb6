"""Who may use the explorer, and who did: users, what is granted to each and until when, and the access log's lines.

A user without a grant may do nothing. A grant holds for one role, at some locations or all, until a moment or for good.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from footfall_assets.contracts.ids import Sha256, Slug

MOST_DAYS_OF_VISITOR_LIST: Final = 92  # a grant of the visitor list is for a task, not for good


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Role(StrEnum):
    """What somebody is allowed to do; RELIABILITY A1."""

    VIEWER = "viewer"  # protected aggregates of some locations
    ANALYST = "analyst"  # all aggregates of some locations
    PRIVACY_OFFICER = "privacy_officer"  # the access log
    OPERATOR = "operator"  # the health of devices and cameras, no visitor
    VISITOR_LIST = "visitor_list"  # pseudonymous visitors one by one, for a purpose and a time
    AUDITOR = "auditor"  # crops of faces, in an audit


# One line that people read and the log repeats: no control characters, so that nobody can forge a second line.
OneLine = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$")
]
Email = Annotated[
    str, StringConstraints(max_length=254, to_lower=True, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$")
]


class Grant(_Record):
    """One role of one user. `location_ids` None: all locations, also those that are added later."""

    role: Role
    location_ids: tuple[Slug, ...] | None
    valid_until: AwareDatetime | None = None
    purpose: OneLine | None = None

    @model_validator(mode="after")
    def _visitor_list_is_for_a_task(self) -> Self:
        if self.location_ids == ():
            raise ValueError("expected at least one location, or all; a grant for none says nothing")
        if self.role is Role.VISITOR_LIST and (self.valid_until is None or self.purpose is None):
            raise ValueError("expected a last moment and a purpose for visitor_list; both are recorded")
        return self

    def holds(self, now: datetime) -> bool:
        """Return whether the grant holds at `now` (timezone-aware)."""
        return self.valid_until is None or now < self.valid_until


class PasswordHash(_Record):
    """A salted scrypt hash (RFC 7914), hexadecimal; the costs stand beside it, so that they can be raised later."""

    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,128}$")] = Field(repr=False)
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(repr=False)
    cost: int = Field(ge=2, le=2**20)  # N, a power of two
    block_size: int = Field(default=8, ge=1, le=32)  # r
    parallelism: int = Field(default=1, ge=1, le=16)  # p


class User(_Record):
    """One person: signs in with a password kept here, or at an identity provider that vouches for an address or id."""

    name: Slug
    password: PasswordHash | None = None
    email: Email | None = None  # as the provider verified it
    subject: OneLine | None = None  # `sub` at the provider; surer than an address, which can change hands
    grants: tuple[Grant, ...] = ()


class Users(_Record):
    """All users of a home."""

    users: tuple[User, ...] = ()

    @model_validator(mode="after")
    def _each_is_one_person(self) -> Self:
        for what in ("name", "email", "subject"):
            told = [value for user in self.users if (value := getattr(user, what)) is not None]
            if len(told) != len(set(told)):
                raise ValueError(f"expected every {what} once among the users")
        return self

    def named(self, name: str) -> User | None:
        """Return the user of that name, or None."""
        return next((user for user in self.users if user.name == name), None)

    def vouched_for(self, *, subject: str | None, verified_email: str | None) -> User | None:
        """Return whom an identity provider means: by `sub` first, else by an address it verified; None for nobody."""
        if subject and (found := _only(user for user in self.users if user.subject == subject)):
            return found
        if not verified_email:
            return None
        address = verified_email.strip().lower()
        # Whoever is known by `sub` is not let in by an address: that may have been given to another person.
        return _only(user for user in self.users if user.email == address and user.subject is None)

    def with_user(self, changed: User) -> "Users":
        """Return the users with `changed` in place of the one of its name, or added."""
        others = tuple(user for user in self.users if user.name != changed.name)
        return Users(users=tuple(sorted((*others, changed), key=lambda user: user.name)))

    def without(self, name: str) -> "Users":
        """Return the users but the one of that name."""
        return Users(users=tuple(user for user in self.users if user.name != name))


class Access(StrEnum):
    """What somebody did that the access log keeps."""

    VIEW = "audit_view"  # crops of faces, in an audit
    LABEL = "audit_label"
    UNDO = "audit_undo"
    LIST_VIEW = "list_view"  # visitors one by one
    EXPORT = "export"  # a file taken away, of whatever kind
    USERS = "users_changed"


class AccessRecord(_Record):
    """One line of the access log: who, when, what kind of thing; never which picture, vector or identity.

    Each line carries a keyed hash over itself and the hash of the line before.

    Attributes:
        about: what was asked: an audit sample, or a kind of query and its period.
        count: rows, pictures or answers.
        purpose: of the grant that allowed it.
        scope: the locations it was restricted to.
    """

    number: int = Field(ge=1)
    at: AwareDatetime
    who: Slug
    role: Slug
    access: Access
    about: OneLine
    count: int = Field(ge=0)
    purpose: OneLine | None = None
    scope: OneLine | None = None
    previous: str
    digest: Sha256


class AccessLogHead(_Record):
    """The last line of one day, signed: who has yesterday's can tell whether anything before it was changed.

    `public_key` and `signature` are Ed25519, hexadecimal.
    """

    day: date  # UTC
    number: int = Field(ge=1)
    digest: Sha256
    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]


def _only(users: Iterable[User]) -> User | None:
    found = list(users)
    return found[0] if len(found) == 1 else None
