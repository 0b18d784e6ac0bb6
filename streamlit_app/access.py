"""Who may see what: the one place that decides, and without a reason to allow it refuses."""

from dataclasses import dataclass
from typing import Literal

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.settings import load_settings

Environment = Literal["development", "production"]


class AccessDenied(UserMistake):
    """This person may not see what was asked for, or nobody can tell who it is."""


@dataclass(frozen=True)
class Scope:
    """What one person may see; every query asks for it, so that none runs without a decision.

    Only `decide_scope` makes one.
    """

    environment: Environment


def decide_scope(*, home: Environment, publication: Environment) -> Scope:
    """Return what the person in front of the screen may see.

    A development home with development data is open to whoever can reach it. Production needs to know who is asking,
    and no identity provider is configured yet.

    Raises:
        AccessDenied: the home or its data are for production.
    """
    if home == publication == "development":
        return Scope(environment="development")
    raise AccessDenied(
        "This home holds production data, and no identity provider is configured: nobody can be told apart, so nothing "
        "is shown. Use the command line (footfall report) under the operating system's own access control."
    )


@dataclass(frozen=True)
class CropScope:
    """That one person may see crops of faces; whatever reads them asks for it.

    Only `decide_crop_scope` makes one.
    """

    role: Literal["auditor"]


def decide_crop_scope(*, home: Environment, role: str) -> CropScope:
    """Return that the person in front of the screen may see crops.

    Raises:
        AccessDenied: a production home, or any role but that of an auditor; by default nobody is one.
    """
    if home != "development":
        raise AccessDenied(
            "This home is for production, and no identity provider is configured: nobody can be told apart, so no crop "
            "is shown."
        )
    if role != "auditor":
        raise AccessDenied(
            "Only an auditor may see crops of faces. Start the app with FOOTFALL_AUDIT__ROLE=auditor to label pairs."
        )
    return CropScope(role="auditor")


def may_see_crops() -> bool:
    """Return whether the settings let the person in front of the screen see crops; not where they cannot be read."""
    try:
        settings = load_settings()
        decide_crop_scope(home=settings.environment, role=settings.audit.role)
    except UserMistake:
        return False
    return True
