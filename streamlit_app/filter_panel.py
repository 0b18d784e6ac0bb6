"""The sidebar's filters: widgets, their state, and the address that repeats it."""

from datetime import date
from typing import Final

import streamlit as st

from footfall_assets.reporting.request import MIN_APPEARANCES_LIMIT
from streamlit_app.filters import FilterOptions, Filters, Grain, parse_filters, to_params

_PERIOD: Final = "filter_period"
_LOCATIONS: Final = "filter_locations"
_GROUP: Final = "filter_group"
_LEAST: Final = "filter_min_appearances"
GRAIN_KEY: Final = "filter_grain"


def show_filters(options: FilterOptions) -> Filters | None:
    """Show the filters and return what is chosen; None while only the first day of a period is."""
    problems = _restore(options)
    with st.sidebar:
        st.header("Filters")
        st.date_input("Period", key=_PERIOD, min_value=options.first_day, max_value=options.last_day)
        st.multiselect(
            "Locations",
            list(options.locations),
            key=_LOCATIONS,
            format_func=lambda key: options.locations.get(key, key),
            placeholder="All locations",
        )
        st.selectbox(
            "Camera group",
            list(options.groups),
            key=_GROUP,
            index=None,
            format_func=lambda key: options.groups.get(key, key),
            placeholder="All cameras",
        )
        st.number_input("Minimum appearances", min_value=1, max_value=MIN_APPEARANCES_LIMIT, step=1, key=_LEAST)
        st.caption("Days are local to each location. The minimum shortens the list; it does not change the total.")
    for problem in problems:
        st.warning(problem)
    return _chosen()


def remember(filters: Filters) -> None:
    """Write `filters` into the address, so that it can be shared."""
    params = to_params(filters)
    if {key: st.query_params.get_all(key) for key in st.query_params} != params:
        st.query_params.from_dict(params)


def _restore(options: FilterOptions) -> tuple[str, ...]:
    """Set the widgets' state from the address at first, later from itself, less what a publication took away."""
    if _PERIOD not in st.session_state:
        params = {key: st.query_params.get_all(key) for key in st.query_params}
        filters, problems = parse_filters(params, options)
        st.session_state[_PERIOD] = (filters.first_day, filters.last_day)
        st.session_state[_LOCATIONS] = list(filters.location_ids)
        st.session_state[_GROUP] = filters.camera_group
        st.session_state[_LEAST] = filters.min_appearances
        st.session_state[GRAIN_KEY] = filters.grain
        return problems
    if any(not options.first_day <= day <= options.last_day for day in _days()):
        st.session_state[_PERIOD] = (options.default_first_day, options.last_day)
    st.session_state[_LOCATIONS] = [key for key in st.session_state[_LOCATIONS] if key in options.locations]
    if st.session_state[_GROUP] not in options.groups:
        st.session_state[_GROUP] = None
    return ()


def _days() -> tuple[date, ...]:
    days = st.session_state[_PERIOD]
    return tuple(days) if isinstance(days, (tuple, list)) else (days,)


def _chosen() -> Filters | None:
    match _days():
        case (first, last):
            return Filters(
                first_day=first,
                last_day=last,
                location_ids=tuple(st.session_state[_LOCATIONS]),
                camera_group=st.session_state[_GROUP],
                min_appearances=int(st.session_state[_LEAST]),
                grain=Grain(st.session_state.get(GRAIN_KEY) or Grain.HOUR),
            )
        case _:
            return None
