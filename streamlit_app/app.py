"""The explorer's entry: `streamlit_app/__main__.py` serves it. It names the pages and does nothing else."""

from pathlib import Path
from typing import Final

import streamlit as st

from streamlit_app.navigation import run_chosen_page

# A file of our own: the browser fetches named icons and emoji from a font service, which would tell it who looks.
_ICON: Final = str(Path(__file__).with_name("favicon.svg"))


def main() -> None:
    """Show the chosen page."""
    st.set_page_config(page_title="Footfall", page_icon=_ICON, layout="wide")
    run_chosen_page()


if __name__ == "__main__":
    main()
