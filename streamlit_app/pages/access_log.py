"""The access log for the privacy officer: who saw the visitor list or crops, and who took which files away."""

import time
from datetime import UTC
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.access import Access, AccessLogHead, AccessRecord
from footfall_assets.contracts.errors import CorruptObject, FootfallError
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake
from footfall_assets.storage.access_log import AccessLog
from streamlit_app.access import Page
from streamlit_app.downloads import show_table_downloads
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.sign_in import scope_for

_LOOKS_AGAIN: Final = 2
_LOOKS_AGAIN_AFTER_S: Final = 0.5  # a line with its head is written in milliseconds
_WHAT: Final = {
    Access.LIST_VIEW: "Looked at the visitor list",
    Access.EXPORT: "Took a file away",
    Access.VIEW: "Looked at crops of faces",
    Access.LABEL: "Answered an audit question",
    Access.UNDO: "Withdrew an audit answer",
    Access.USERS: "Changed users or grants",
}


def show_page() -> None:
    """Show the page, or one sentence on why there is nothing to show."""
    st.title("Access log")
    try:
        _show()
    except FootfallError as mistake:
        st.error(literal(str(mistake)))


def _show() -> None:
    settings = load_settings()
    scope = scope_for(Page.ACCESS_LOG, settings, settings.environment)
    log = AccessLog(open_lake(settings), settings.keys_dir)
    try:
        lines, heads = _verified(log)
    except CorruptObject as damage:
        st.error(literal(f"The log was changed. {damage}"))
        return
    if not lines:
        st.info("Nobody has looked at the visitor list or crops of faces, or taken a file away.")
        return
    _show_state(lines, heads)
    frame = _filtered(log_frame(lines))
    st.dataframe(frame, hide_index=True, width="stretch")
    st.caption("Times are UTC. The log names no visitor, picture or vector.")
    show_table_downloads(scope, frame, name="access_log", query="access_log")


def _verified(log: AccessLog) -> tuple[list[AccessRecord], list[AccessLogHead]]:
    """Return the lines and signed heads; whoever reads while a line is being written must not call it damage."""
    for _ in range(_LOOKS_AGAIN):
        try:
            return log.verify(), log.heads()
        except CorruptObject:
            time.sleep(_LOOKS_AGAIN_AFTER_S)
    return log.verify(), log.heads()


def log_frame(lines: list[AccessRecord]) -> pd.DataFrame:
    """Return the lines as people read them, newest first."""
    columns = ["Line", "Time (UTC)", "Who", "Role", "What", "Of what", "Rows", "Locations", "Purpose"]
    rows = [
        (
            line.number,
            f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            line.who,
            line.role,
            _WHAT[line.access],
            line.about,
            line.count,
            line.scope or "",
            line.purpose or "",
        )
        for line in reversed(lines)
    ]
    return pd.DataFrame.from_records(rows, columns=columns)


def _show_state(lines: list[AccessRecord], heads: list[AccessLogHead]) -> None:
    with st.container(horizontal=True):
        st.metric("Lines, none changed", f"{len(lines):,}", border=True)
        st.metric("People", len({line.who for line in lines}), border=True)
        st.metric("Looks at the list", f"{sum(line.access is Access.LIST_VIEW for line in lines):,}", border=True)
        st.metric("Files taken away", f"{sum(line.access is Access.EXPORT for line in lines):,}", border=True)
    newest = heads[-1]
    with st.expander("How to be sure that nothing was changed"):
        st.markdown(
            "Every line holds a keyed hash over itself and the line before; this page has just checked all of them. "
            "The last line of each day is signed. Keep the line below somewhere else: with it, even a change by "
            "somebody who holds this home's keys can be shown later."
        )
        st.code(f"{newest.day} line {newest.number} {newest.digest}\nsigned with {newest.public_key}", language=None)


def _filtered(frame: pd.DataFrame) -> pd.DataFrame:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.multiselect("Who", sorted(frame["Who"].unique()), key="access_log_who", placeholder="Everybody")
        what = st.multiselect("What", sorted(frame["What"].unique()), key="access_log_what", placeholder="Everything")
    chosen = frame[frame["Who"].isin(who)] if who else frame
    return chosen[chosen["What"].isin(what)] if what else chosen


require_app()
show_page()
