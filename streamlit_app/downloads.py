"""Buttons for what may be taken away: the file is made when somebody asks for it, not when the page is drawn."""

from collections.abc import Callable
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.settings import load_settings
from footfall_assets.reporting.formats import frame_to_csv, frame_to_parquet
from footfall_assets.storage import open_lake
from streamlit_app.access import Scope
from streamlit_app.access_records import RecordedExport

_MIMES: Final = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html",
    "json": "application/json",
}


def show_download(
    scope: Scope, label: str, data: Callable[[], bytes], *, file_name: str, query: str, rows: int, key: str
) -> None:
    """Show a button that hands `data()` out as `file_name`; nothing where the scope may not export.

    Args:
        scope: of the person; it goes into the access log.
        label: on the button.
        data: makes the bytes, once the button is pressed.
        file_name: with one of the endings csv, parquet, html, json.
        query: what the file answers and of when, for the access log; never an id of a visitor.
        rows: how many it holds, for the access log.
        key: of the button on its page.
    """
    if not scope.may_export:
        return
    settings = load_settings()
    ending = file_name.rpartition(".")[2]
    about = f"{scope.page}: {query} as {ending}"
    export = RecordedExport(scope, settings, open_lake(settings), query=about, rows=rows, make=data)
    # A rerun would change nothing on the page, and its new button could lose the file that is still being made.
    st.download_button(label, export, file_name=file_name, mime=_MIMES[ending], key=key, on_click="ignore")


def show_table_downloads(scope: Scope, table: pd.DataFrame, *, name: str, query: str) -> None:
    """Show the buttons for a figure's table as CSV and Parquet; `name` is the files' and unique on its page."""
    with st.container(horizontal=True):
        for ending, written in (("csv", _csv), ("parquet", frame_to_parquet)):
            show_download(
                scope,
                f"Download {'CSV' if ending == 'csv' else 'Parquet'}",
                lambda written=written: written(table),  # type: ignore[misc]
                file_name=f"{name}.{ending}",
                query=query,
                rows=len(table),
                key=f"download_{name}_{ending}",
            )


def _csv(table: pd.DataFrame) -> bytes:
    return frame_to_csv(table).encode()
