"""Who may see what: the one place that decides, and without a reason to allow it refuses."""

from dataclasses import dataclass
from typing import Literal

from footfall_assets.contracts.errors import UserMistake

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
