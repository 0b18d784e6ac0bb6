"""The explorer's entry: `streamlit run streamlit_app/app.py`. It names the pages and does nothing else."""

from pathlib import Path
from typing import Final

import streamlit as st

# A file of our own: the browser fetches named icons and emoji from a font service, which would tell it who looks.
_ICON: Final = str(Path(__file__).with_name("favicon.svg"))


def main() -> None:
    """Show the chosen page."""
    st.set_page_config(page_title="Footfall", page_icon=_ICON, layout="wide")
    st.navigation([st.Page("pages/visitors.py", title="Visitors", icon=":material/groups:", default=True)]).run()


if __name__ == "__main__":
    main()
