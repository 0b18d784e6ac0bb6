"""About the numbers: what the words mean, what the totals rest on, and which publication is on the screen."""

from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from footfall_assets.contracts.publication import FileKind, Publication
from footfall_assets.contracts.settings import load_settings
from footfall_assets.reporting.method import calibration_facts, counting_rules
from footfall_assets.reporting.provenance import (
    age_text,
    definitions,
    duration_text,
    further_definitions,
    moment_text,
    provenance_of,
)
from footfall_assets.storage import open_lake
from streamlit_app.access import AccessDenied, Page, Scope
from streamlit_app.filter_panel import write_address
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.publication_choice import ChosenPublication, choose_publication, current_choice
from streamlit_app.queries import Explorer
from streamlit_app.shell import show_notices, told
from streamlit_app.sign_in import scope_for

_TITLE: Final = "About the numbers"
_WITH_RULES: Final = (FileKind.AGGREGATES, FileKind.PROTECTED, FileKind.VISITORS)  # each file carries them


def show_about() -> None:
    """Show the definitions to everybody who may open the page, and of the rest what the role may see."""
    st.title(_TITLE)
    with told():
        settings = load_settings()
        asking = scope_for(Page.ABOUT, settings, settings.environment)
        _show_words(settings.counting.visit_gap_s)
        lake = open_lake(settings)
        chosen = choose_publication(lake, settings.lake_root) if asking.may_look_back else current_choice(lake)
        write_address(chosen.params)
        publication = chosen.shown
        scope = scope_for(Page.ABOUT, settings, publication.environment)
        explorer = Explorer(lake, publication, scope=scope)
        _show_publication(chosen)
        _show_rules(explorer, scope, publication)
        _show_calibration(explorer)


def _show_words(visit_gap_s: int) -> None:
    words = definitions(visit_gap_s) | further_definitions()
    st.subheader("What the words mean")
    for word in sorted(words):
        st.markdown(f"**{word}**: {literal(words[word])}.")
    st.subheader("What adds up, and what does not")
    st.markdown(
        "Sightings, appearances and visits add up over hours, days and stores. "
        "**Unique visitors never do**: somebody who comes on two days, or to two stores, is one person. "
        "A total over several days or stores is therefore counted anew, and never a sum."
    )


def _show_publication(chosen: ChosenPublication) -> None:
    st.subheader("What is on the screen")
    publication = chosen.shown
    provenance = provenance_of(publication, now=datetime.now(UTC), current=chosen.current)
    show_notices(provenance)
    days = f"{publication.first_day} to {publication.last_day}" if publication.first_day else "none"
    rows = {
        "Publication": publication.publication_id,
        "Published": moment_text(publication.published_at),
        "Business days with data": days,
        "Data age": age_text(provenance),
        "Environment": publication.environment,
        **{f"Version of {name}": version for name, version in sorted(publication.asset_versions.items())},
    }
    _show_terms(rows)


def _show_rules(explorer: Explorer, scope: Scope, publication: Publication) -> None:
    kind = next((kind for kind in _WITH_RULES if kind in publication.files and _allowed(scope, kind)), None)
    if kind is None:
        return
    st.subheader("Where the lines are drawn")
    with told():
        rules = explorer.ask(counting_rules, file=kind)
        away = duration_text(timedelta(seconds=rules.visit_gap_s))
        _show_terms(
            {
                "Linkage window": f"a calendar {rules.linkage_window_kind}",
                "An appearance ends after": f"{rules.appearance_gap_s} seconds without a sighting, or "
                f"{rules.appearance_gap_intervals} times the camera's interval where that is longer",
                "A visit ends after": f"{away} away, or at local midnight",
            }
        )


def _show_calibration(explorer: Explorer) -> None:
    st.subheader("What the totals rest on")
    try:
        explorer.scope.check_file(FileKind.VISITORS)
    except AccessDenied:
        st.markdown("Totals with their interval are part of the visitor report, which your role does not open.")
        return
    with told():
        facts = explorer.ask(calibration_facts, file=FileKind.VISITORS)
        _show_terms(
            {
                "Model": facts.embedder,
                "Calibrated on": f"{facts.origin} ({facts.made_on})",
                "Calibration": facts.digest,
                "People in its evaluation": f"{facts.people:,}",
                "Median error of a total": f"{facts.median_error:.1%}",
                "Truth inside the 90 % interval": "not measured" if facts.coverage is None else f"{facts.coverage:.0%}",
                "Median width of the interval": f"{facts.median_width:.0%} of the total",
                "Largest distance of one person": f"{facts.window_max_distance:.3f}, in the model's own unit",
            }
        )


def _show_terms(rows: dict[str, str]) -> None:
    # A list and not a table of cells: ids are longer than a telephone is wide, and here they wrap.
    st.markdown("\n".join(f"- **{literal(name)}**: {literal(text)}" for name, text in rows.items()))


def _allowed(scope: Scope, kind: FileKind) -> bool:
    try:
        scope.check_file(kind)
    except AccessDenied:
        return False
    return True


require_app()
show_about()
