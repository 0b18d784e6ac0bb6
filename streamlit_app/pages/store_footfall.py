"""A store's footfall for everybody who runs it: protected counts by hour, day, week and month, and nothing else."""

from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import FootfallError, NoData
from footfall_assets.contracts.publication import FileKind
from footfall_assets.contracts.settings import load_settings
from footfall_assets.reporting.formats import long_date
from footfall_assets.reporting.protected_footfall import (
    ProtectedGrain,
    ProtectionRules,
    protected_days,
    protected_footfall,
    protection_rules,
)
from footfall_assets.reporting.provenance import Provenance, age_text, provenance_of
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import LocationInfo
from footfall_assets.storage import open_lake
from streamlit_app.access import Page, Scope
from streamlit_app.downloads import show_table_downloads
from streamlit_app.filter_panel import write_address
from streamlit_app.long_lists import pick_one
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.publication_choice import ChosenPublication, choose_publication, current_choice
from streamlit_app.queries import Explorer
from streamlit_app.shell import show_notices
from streamlit_app.sign_in import scope_for
from streamlit_app.store_chart import drawn_units, store_chart, store_table
from streamlit_app.store_filters import StoreFilters, StoreOptions, parse_store_filters, store_params

_PLACE: Final = "store_location"
_STEP: Final = "store_step"
_DAYS: Final = "store_days"


def show_page() -> None:
    """Show the page, or one sentence on why there is nothing to show."""
    st.title("Store footfall")
    try:
        _show()
    except NoData as nothing:
        st.info(literal(str(nothing)))
    except FootfallError as mistake:
        st.error(literal(str(mistake)))


def _show() -> None:
    settings = load_settings()
    asking = scope_for(Page.STORE_FOOTFALL, settings, settings.environment)  # before anything could tell a stranger
    lake = open_lake(settings)
    chosen = choose_publication(lake, settings.lake_root) if asking.may_look_back else current_choice(lake)
    publication = chosen.shown
    scope = scope_for(Page.STORE_FOOTFALL, settings, publication.environment)
    explorer = Explorer(lake, publication, scope=scope)
    provenance = provenance_of(publication, now=datetime.now(UTC), current=chosen.current)
    directory = explorer.directory(file=FileKind.PROTECTED)
    if not directory.locations:
        raise NoData("none of your locations is in this publication")
    days = explorer.in_scope(protected_days, file=FileKind.PROTECTED)
    options = StoreOptions({key: each.label for key, each in directory.locations.items()}, days)
    filters = _show_filters(options, chosen)
    if filters is None:
        st.info("Choose the last day of the period as well.")
        return
    rules = explorer.ask(protection_rules, file=FileKind.PROTECTED)
    frame = explorer.in_scope(
        protected_footfall, filters.location_id, filters.grain, filters.period, file=FileKind.PROTECTED
    )
    show_notices(provenance)
    place = directory.locations[filters.location_id]
    _show_counts(scope, frame, filters, rules, place, provenance)
    _show_definitions(rules)


def _show_filters(options: StoreOptions, publication: ChosenPublication) -> StoreFilters | None:
    """Show the filters and return what is chosen; None while only the first day of a period is."""
    for problem in _restore(options):
        st.warning(problem)
    with st.sidebar:
        st.header("Filters")
        pick_one("Location", options.locations, key=_PLACE, what="locations")
        st.date_input("Period", key=_DAYS, min_value=options.days.first_day, max_value=options.days.last_day)
        st.caption("Whole hours, days, weeks and months, on the location's own clock.")
    st.segmented_control("Step", list(ProtectedGrain), key=_STEP, required=True, format_func=lambda step: f"By {step}")
    match st.session_state[_DAYS]:
        case (first, last):
            step = st.session_state[_STEP] or ProtectedGrain.DAY
            chosen = StoreFilters(st.session_state[_PLACE], ProtectedGrain(step), Period(first, last))
        case _:
            return None
    write_address(store_params(chosen) | publication.params)
    return chosen


def _restore(options: StoreOptions) -> tuple[str, ...]:
    """Set the widgets' state from the address at first, later from itself; what does not hold any more is replaced."""
    problems: tuple[str, ...] = ()
    if _DAYS not in st.session_state:
        params = {key: st.query_params.get_all(key) for key in st.query_params}
        filters, problems = parse_store_filters(params, options)
        st.session_state[_PLACE] = filters.location_id
        st.session_state[_STEP] = filters.grain
        st.session_state[_DAYS] = (filters.period.first_day, filters.period.last_day)
    if st.session_state.get(_PLACE) not in options.locations:
        st.session_state[_PLACE] = next(iter(options.locations))
    chosen = st.session_state[_DAYS]
    days = tuple(chosen) if isinstance(chosen, (tuple, list)) else (chosen,)
    if any(not options.days.first_day <= day <= options.days.last_day for day in days):
        period = options.default_period(ProtectedGrain(st.session_state.get(_STEP) or ProtectedGrain.DAY))
        st.session_state[_DAYS] = (period.first_day, period.last_day)
    return problems


def _show_counts(
    scope: Scope,
    frame: pd.DataFrame,
    filters: StoreFilters,
    rules: ProtectionRules,
    place: LocationInfo,
    provenance: Provenance,
) -> None:
    if frame.empty:
        st.info(f"No {filters.grain} of this period is over and has coverage at this location.")
        return
    st.altair_chart(store_chart(frame, filters.grain, rules), width="stretch")
    st.caption(
        f"{literal(place.label)}, {long_date(filters.period.first_day)} to {long_date(filters.period.last_day)}, "
        f"{literal(place.timezone)} time. Different visitors of each {filters.grain}, all cameras. "
        f"Data age: {literal(age_text(provenance))}."
    )
    left_out = len(frame) - len(drawn_units(frame, filters.grain))
    more = f" The chart shows the newest seven days; the table has {left_out:,} hours more." if left_out else ""
    st.caption(
        f"Fewer than {rules.least_visitors} visitors are shown as {literal(rules.fewer)}, also none; other counts as "
        f"multiples of {rules.rounding}. A gap means closed, not recorded, or not over yet. Counts do not add up; a "
        "total of the period or of several stores is not given, because these units are all that protection was "
        f"checked for.{more}"
    )
    table = store_table(frame, filters.grain, rules)
    name = f"footfall_{filters.location_id}_{filters.grain}_{filters.period.first_day}_{filters.period.last_day}"
    with st.expander("The chart as a table"):
        st.dataframe(table, hide_index=True, width="stretch")
        show_table_downloads(scope, table, name=name, query="protected_footfall")


def _show_definitions(rules: ProtectionRules) -> None:
    with st.expander("What these numbers mean"):
        st.markdown(
            "**Unique visitors**: different people seen in the unit, as the system told them apart; staff are left "
            "out. Each number is counted for its own unit: somebody who comes on two days is one visitor of each day "
            "and one of the week.\n\n"
            f"**Protection**: fewer than {rules.least_visitors} people are never shown, and other counts are rounded "
            f"to {rules.rounding}. A day, week or month is shown lower where the hidden counts inside it could "
            "otherwise be worked out.\n\n"
            "**Over**: a day is shown once the next one has begun, a week and a month likewise. A week that spans two "
            "months is two units, because visitors of different months cannot be joined."
        )


require_app()
show_page()
