"""Which publication a page shows: the current one, or an older one that is kept; in the sidebar and in the address.

The choice says nothing about rights: scopes, files and caches are those of the publication that was chosen. Viewers
have no choice (`Scope.may_look_back`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.publication import Publication
from footfall_assets.reporting.kept_publications import (
    CURRENT,
    find_publication,
    kept_ids,
    last_of_their_days,
    readable_publications,
)
from footfall_assets.reporting.provenance import moment_text
from footfall_assets.reporting.publication import current_publication
from footfall_assets.storage.lake import LakeStore, ObjectMissing

PUBLICATION: Final = "publication"  # the address's parameter
_WIDGET: Final = "filter_publication"
# Streamlit forgets a page's widgets when another page opens; the choice goes along in this.
_CHOSEN: Final = "chosen_publication"
_UNKNOWN: Final = "unknown"  # in the place of an id: what the address names is not kept
_SHORT_ID: Final = 12  # digits of an id in the address and in the list
_HOMES: Final = 4  # lists of publications that a server process holds
_NOT_KEPT: Final = (
    "The publication in the address is not kept here: its id is not one, or it has passed, or it was withdrawn. "
    "Choose another one in the sidebar; nothing is shown until then."
)


@dataclass(frozen=True)
class ChosenPublication:
    """The publication on the screen, and the one that reports come from when nothing is chosen."""

    shown: Publication
    current: Publication
    is_pinned: bool  # chosen by its id: the address names it

    @property
    def is_older(self) -> bool:
        """Whether the figures on the screen are not the current ones."""
        return self.shown.publication_id != self.current.publication_id

    @property
    def params(self) -> dict[str, list[str]]:
        """What the address needs so that it leads to the same figures."""
        return {PUBLICATION: [self.shown.publication_id[:_SHORT_ID]]} if self.is_pinned else {}


def choose_publication(lake: LakeStore, lake_root: str) -> ChosenPublication:
    """Show the list of kept publications in the sidebar and return the one that is chosen.

    Args:
        lake: where they lie.
        lake_root: names the lake in the cache.

    Raises:
        NoData: nothing is published yet, or what the address asks for is not kept.
        CorruptObject: the current publication's manifest is not what the publisher writes.
    """
    current = current_publication(lake)
    kept = _kept(lake, lake_root, tuple(kept_ids(lake)))
    _restore(lake, kept)
    pinned = st.session_state[_WIDGET]
    labels = _labels(kept, current, pinned)
    with st.sidebar:
        st.selectbox(
            "Publication",
            list(labels),
            key=_WIDGET,
            format_func=lambda key: labels.get(key, key),
            help="One finished state of all numbers. An older one says today what it said then; of each day the last "
            "one is kept, the others for 24 hours.",
        )
    chosen = st.session_state[_WIDGET]
    st.session_state[_CHOSEN] = chosen
    if chosen == CURRENT:
        return ChosenPublication(current, current, is_pinned=False)
    found = next((each for each in kept if each.publication_id == chosen), None)
    if found is None:
        raise NoData(_NOT_KEPT)
    return ChosenPublication(found, current, is_pinned=True)


def current_choice(lake: LakeStore) -> ChosenPublication:
    """Return the current publication as the only choice there is, whatever the address says.

    Raises:
        NoData: nothing is published yet.
        CorruptObject: its manifest is not what the publisher writes.
    """
    current = current_publication(lake)
    return ChosenPublication(current, current, is_pinned=False)


def _restore(lake: LakeStore, kept: Sequence[Publication]) -> None:
    """Set the widget's state: from the address at first, from the page before, or nothing where it is gone by now."""
    if _WIDGET in st.session_state:
        chosen = st.session_state[_WIDGET]
    elif not st.query_params.get_all(PUBLICATION):
        # An address with parameters says all that it means; without any, the choice comes from the page before.
        chosen = CURRENT if len(st.query_params) else st.session_state.get(_CHOSEN, CURRENT)
    else:
        chosen = _named(lake, st.query_params.get_all(PUBLICATION)[-1])
    known = {CURRENT, *(each.publication_id for each in kept)}
    st.session_state[_WIDGET] = chosen if chosen in known else _UNKNOWN


def _named(lake: LakeStore, name: str) -> str:
    try:
        return CURRENT if name == CURRENT else find_publication(lake, name).publication_id
    except (UserMistake, CorruptObject, ObjectMissing):
        return _UNKNOWN


def _labels(kept: Sequence[Publication], current: Publication, pinned: str) -> Mapping[str, str]:
    """Return the list's entries by id, newest first; the current one once, unless it was asked for by its id."""
    lasting = last_of_their_days(kept)
    labels = {CURRENT: f"Current ({moment_text(current.published_at)})"}
    for each in kept:
        if each.publication_id == current.publication_id != pinned:
            continue
        how = "kept: last of its day" if each.publication_id in lasting else "kept for 24 hours"
        labels[each.publication_id] = f"{moment_text(each.published_at)}, {how} ({each.publication_id[:_SHORT_ID]})"
    return labels | ({_UNKNOWN: "Choose a publication"} if pinned == _UNKNOWN else {})


@st.cache_data(max_entries=_HOMES, show_spinner=False)
def _kept(_lake: LakeStore, lake_root: str, ids: tuple[str, ...]) -> list[Publication]:
    """Return the manifests that can be read; those of the same ids are the same, as an id is a hash of the content."""
    del lake_root, ids  # the cache's key
    return readable_publications(_lake)
