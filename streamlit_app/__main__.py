"""The explorer's server: `python -m streamlit_app`, with the options of `streamlit run`.

Streamlit runs nothing before the first session. Here the pages' imports, seconds of work, and the check of published
files begin when the server does, so the first page of the morning is as quick as the second.
"""

import importlib
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Final

from streamlit import runtime
from streamlit.web import cli

from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.settings import load_settings
from footfall_assets.reporting.publication import current_publication
from footfall_assets.storage import open_lake
from streamlit_app.current_files import WATCH

_FOLDER: Final = Path(__file__).parent
_LOOK_AGAIN_S: Final = 0.05


def main() -> None:
    """Serve the explorer until somebody stops it."""
    Thread(target=_prepare, name="preparation", daemon=True).start()
    sys.argv = ["streamlit", "run", str(_FOLDER / "app.py"), *sys.argv[1:]]
    cli.main()


def _prepare() -> None:
    while not runtime.exists():  # caches of what is imported before it would complain
        sleep(_LOOK_AGAIN_S)
    for module in sorted(_FOLDER.glob("[a-z]*.py")):
        if module.stem != "app":  # it shows a page
            importlib.import_module(f"streamlit_app.{module.stem}")
    _follow_publications()


def _follow_publications() -> None:
    """Begin to check and hold what is published now; nothing happens where nothing is, a page says that."""
    with suppress(FootfallError, OSError):
        settings = load_settings()
        lake = open_lake(settings)
        WATCH.follow(lake, settings.lake_root, current_publication(lake))


if __name__ == "__main__":
    main()
