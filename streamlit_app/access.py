"""Who may see what: the one place that decides, and without a reason to allow it refuses.

`PERMISSIONS` is the whole table of roles, pages and actions. A person may hold several grants, each with its own
locations: what a page shows comes from the grants that open this page, and from no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from footfall_assets.contracts.access import Grant, Role
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.publication import FileKind

Environment = Literal["development", "production"]


class AccessDenied(UserMistake):
    """This person may not see what was asked for, or nobody can tell who it is."""


class Page(StrEnum):
    """The pages of the explorer; each is also the name of its file."""

    OVERVIEW = "overview"
    VISITORS = "visitors"
    COMPARE = "compare_stores"
    TRAFFIC = "traffic"
    DWELL = "dwell"
    JOURNEYS = "journeys"
    LOYALTY = "loyalty"
    DEMOGRAPHICS = "demographics"
    STORE_FOOTFALL = "store_footfall"
    OPERATIONS = "operations"
    AUDIT = "audit"
    ACCESS_LOG = "access_log"
    ABOUT = "about"


class Action(StrEnum):
    """What can be done on a page."""

    VIEW = "view"
    EXPORT = "export"


_SEE: Final = frozenset({Action.VIEW})
_TAKE: Final = frozenset({Action.VIEW, Action.EXPORT})

# RELIABILITY A1. What is not here is refused.
PERMISSIONS: Final[Mapping[Role, Mapping[Page, frozenset[Action]]]] = {
    Role.VIEWER: {Page.STORE_FOOTFALL: _TAKE, Page.ABOUT: _SEE},
    Role.ANALYST: {
        Page.OVERVIEW: _TAKE,
        Page.COMPARE: _TAKE,
        Page.TRAFFIC: _TAKE,
        Page.DWELL: _TAKE,
        Page.JOURNEYS: _TAKE,
        Page.LOYALTY: _TAKE,
        Page.DEMOGRAPHICS: _TAKE,
        Page.STORE_FOOTFALL: _TAKE,
        Page.ABOUT: _SEE,
    },
    Role.VISITOR_LIST: {Page.VISITORS: _TAKE, Page.ABOUT: _SEE},
    Role.OPERATOR: {Page.OPERATIONS: _TAKE, Page.ABOUT: _SEE},
    Role.PRIVACY_OFFICER: {Page.ACCESS_LOG: _TAKE, Page.ABOUT: _SEE},
    Role.AUDITOR: {Page.AUDIT: _SEE, Page.ABOUT: _SEE},
}

# Which published files a role's queries may open (A2): people one by one are in `visitors` alone.
FILES: Final[Mapping[Role, frozenset[FileKind]]] = {
    Role.VIEWER: frozenset({FileKind.PROTECTED}),
    Role.ANALYST: frozenset({FileKind.PROTECTED, FileKind.AGGREGATES}),
    Role.VISITOR_LIST: frozenset({FileKind.AGGREGATES, FileKind.VISITORS}),
    Role.OPERATOR: frozenset({FileKind.AGGREGATES}),
    Role.PRIVACY_OFFICER: frozenset(),
    Role.AUDITOR: frozenset(),
}


@dataclass(frozen=True)
class Person:
    """Who sits in front of the screen, and what is granted; only `sign_in` makes one."""

    name: str
    environment: Environment
    grants: tuple[Grant, ...]
    signed_in: bool = True  # False: a development home without users, open to whoever reaches it


@dataclass(frozen=True)
class Scope:
    """What one person may see on one page; every query asks for it, and every cache has it in its key (A5).

    Only `decide_scope` makes one.

    Attributes:
        roles: those that open the page, in alphabetical order.
        location_ids: the locations allowed, in order; None for all.
        purposes: of the grants that have one.
    """

    environment: Environment
    user: str
    page: Page
    roles: tuple[Role, ...]
    location_ids: tuple[str, ...] | None
    may_export: bool
    purposes: tuple[str, ...] = ()

    @property
    def may_look_back(self) -> bool:
        """Whether older publications may be chosen.

        Not by viewers: protection is checked inside one publication, and two of one day may differ by one person.
        """
        return any(role is not Role.VIEWER for role in self.roles)

    def check_file(self, kind: FileKind) -> None:
        """Refuse a published file that none of the roles may open.

        Raises:
            AccessDenied: it is not among `FILES` of any role of this scope.
        """
        if not any(kind in FILES[role] for role in self.roles):
            raise AccessDenied(f"Your role does not allow what this page would need to read ({kind}).")

    def check_export(self) -> None:
        """Refuse a file to take away where only looking is allowed.

        Raises:
            AccessDenied: no role of this scope may export from its page.
        """
        if not self.may_export:
            raise AccessDenied("Your role allows looking at this page, and no download.")


def may(person: Person, page: Page, action: Action = Action.VIEW, *, now: datetime) -> bool:
    """Return whether a grant of `person` that holds at `now` (timezone-aware) allows `action` on `page`."""
    return bool(_grants_for(person, page, action, now))


def decide_scope(person: Person, page: Page, *, now: datetime) -> Scope:
    """Return what `person` may see on `page` at `now` (timezone-aware).

    Raises:
        AccessDenied: no grant that holds opens the page.
    """
    grants = _grants_for(person, page, Action.VIEW, now)
    if not grants:
        raise AccessDenied("You may not open this page. Whoever manages the users of this home can grant it.")
    # Downloads are never for more than the screen, so locations that may be seen and not taken refuse the export.
    export = _grants_for(person, page, Action.EXPORT, now)
    return Scope(
        environment=person.environment,
        user=person.name,
        page=page,
        roles=tuple(sorted({grant.role for grant in grants})),
        location_ids=_locations(grants),
        may_export=bool(export) and _locations(export) == _locations(grants),
        purposes=tuple(sorted({grant.purpose for grant in grants if grant.purpose})),
    )


def _grants_for(person: Person, page: Page, action: Action, now: datetime) -> tuple[Grant, ...]:
    return tuple(
        grant
        for grant in person.grants
        if grant.holds(now) and action in PERMISSIONS.get(grant.role, {}).get(page, frozenset())
    )


def _locations(grants: tuple[Grant, ...]) -> tuple[str, ...] | None:
    """Return the locations of any of `grants`, in order; None where one of them is for all."""
    if any(grant.location_ids is None for grant in grants):
        return None
    return tuple(sorted({location for grant in grants for location in grant.location_ids or ()}))


@dataclass(frozen=True)
class CropScope:
    """That one person may see crops of faces; whatever reads them asks for it.

    Only `decide_crop_scope` makes one.
    """

    role: Literal["auditor"]


def decide_crop_scope(person: Person, *, now: datetime) -> CropScope:
    """Return that `person` may see crops at `now` (timezone-aware).

    Raises:
        AccessDenied: the person is no auditor, or not of all locations: a sample draws from everywhere.
    """
    scope = decide_scope(person, Page.AUDIT, now=now)
    if scope.location_ids is not None:
        raise AccessDenied("An auditor needs the grant for all locations: a sample draws from everywhere.")
    return CropScope(role="auditor")
