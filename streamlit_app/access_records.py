"""What the access log gets to know of the explorer: looks at the visitor list, and files taken away.

The line comes first: where it cannot be written, nothing is shown and nothing is given out.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from footfall_assets.contracts.access import Access
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.lake import LakeStore
from streamlit_app.access import Scope
from streamlit_app.sign_in import scope_now

_LAST_VIEW: Final = "last_recorded_view_"  # and the kind of query: a list and a timeline stand on one page
_PLACES_NAMED: Final = 8  # locations a line names before it only counts the rest
_TEXT_LENGTH: Final = 200  # characters, as the log takes


@dataclass(frozen=True)
class RecordedExport:
    """The bytes of one file, made when they are asked for: each time once more allowed, and recorded first.

    Attributes:
        query: what is in the file and of when, such as `visitor_report 2024-01-01 to 2024-01-31`; no id of a visitor.
        rows: how many rows the file has.
    """

    scope: Scope
    settings: PlatformSettings
    lake: LakeStore
    query: str
    rows: int
    make: Callable[[], bytes]

    def __call__(self) -> bytes:
        """Return the file.

        Raises:
            AccessDenied: the scope is not what it was when the page was shown, or does not allow exports.
        """
        scope_now(self.scope, self.settings).check_export()
        _append(self.scope, self.settings, self.lake, access=Access.EXPORT, query=self.query, rows=self.rows)
        return self.make()


def record_view(
    scope: Scope, settings: PlatformSettings, lake: LakeStore, *, query: str, rows: int, key: Hashable
) -> None:
    """Record one look at visitors one by one; call it before they are shown.

    Running the page again for the same `key` (publication, filters, page of the list) is the same look. The first word
    of `query` is its kind.
    """
    state = _LAST_VIEW + query.partition(" ")[0]
    if st.session_state.get(state) == (scope, key):
        return
    _append(scope, settings, lake, access=Access.LIST_VIEW, query=query, rows=rows)
    st.session_state[state] = (scope, key)


def _append(
    scope: Scope, settings: PlatformSettings, lake: LakeStore, *, access: Access, query: str, rows: int
) -> None:
    AccessLog(lake, settings.keys_dir).append(
        who=scope.user,
        role=_role(scope),
        access=access,
        about=query[:_TEXT_LENGTH],
        count=rows,
        at=datetime.now(UTC),
        lock_folder=settings.home / "locks",
        purpose="; ".join(scope.purposes)[:_TEXT_LENGTH] or None,
        scope=_places(scope.location_ids),
    )


def _role(scope: Scope) -> str:
    return str(scope.roles[0]) if len(scope.roles) == 1 else "-".join(scope.roles)[:64]


def _places(location_ids: tuple[str, ...] | None) -> str:
    if location_ids is None:
        return "all locations"
    shown = " ".join(location_ids[:_PLACES_NAMED])
    more = len(location_ids) - _PLACES_NAMED
    return (f"{shown} and {more} more" if more > 0 else shown)[:_TEXT_LENGTH]
