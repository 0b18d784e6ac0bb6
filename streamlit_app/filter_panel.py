"""The sidebar's filters: widgets, their state, and the address that repeats it."""

from collections.abc import Collection, Mapping
from datetime import date, time
from enum import StrEnum
from typing import Final

import streamlit as st

from footfall_assets.reporting.request import MIN_APPEARANCES_LIMIT
from streamlit_app.filters import FilterOptions, Filters, Grain, parse_filters, to_params
from streamlit_app.long_lists import offered as offered_keys
from streamlit_app.publication_choice import PUBLICATION

_PERIOD: Final = "filter_period"
_TIMES: Final = "filter_times"
_STARTS: Final = "filter_starts_at"
_ENDS: Final = "filter_ends_at"
_LOCATIONS: Final = "filter_locations"
_GROUP: Final = "filter_group"
_CAMERAS: Final = "filter_cameras"
_LEAST: Final = "filter_min_appearances"
GRAIN_KEY: Final = "filter_grain"
# Streamlit forgets a page's widgets when another page opens; what was chosen goes along in this.
_CHOSEN: Final = "chosen_filters"
_WIDGETS: Final = (_PERIOD, _TIMES, _STARTS, _ENDS, _LOCATIONS, _GROUP, _CAMERAS, _LEAST, GRAIN_KEY)
_CAMERAS_AT_MOST: Final = 1_000  # in the list to pick from; more are found by choosing locations first
_WHOLE_DAY: Final = (time(0, 0), time(23, 59))


class Offered(StrEnum):
    """Which filters a page has."""

    NOTHING = "nothing"
    DAYS = "days"  # whole days and locations or a camera group: for counts by location
    MINUTES = "minutes"  # times of day, cameras and the least appearances as well: for what is known of each visitor


def show_filters(options: FilterOptions, offered: Offered = Offered.MINUTES) -> Filters | None:
    """Show the filters and return what is chosen; None while only the first day of a period is."""
    problems = _restore(options)
    with st.sidebar:
        st.header("Filters")
        st.date_input("Period", key=_PERIOD, min_value=options.first_day, max_value=options.last_day)
        if offered is Offered.MINUTES:
            _show_times()
        st.multiselect(
            "Locations",
            offered_keys(options.locations, "locations", key=_LOCATIONS, chosen=st.session_state[_LOCATIONS]),
            key=_LOCATIONS,
            format_func=lambda key: options.locations.get(key, key),
            placeholder="All locations",
        )
        if options.groups:
            group = st.session_state[_GROUP]
            st.selectbox(
                "Camera group",
                offered_keys(options.groups, "camera groups", key=_GROUP, chosen=(group,) if group else ()),
                key=_GROUP,
                index=None,
                format_func=lambda key: options.groups.get(key, key),
                placeholder="All cameras",
            )
        if offered is Offered.MINUTES:
            _show_cameras(options)
            st.number_input("Minimum appearances", min_value=1, max_value=MIN_APPEARANCES_LIMIT, step=1, key=_LEAST)
        st.caption(
            "Days and times are local to each location."
            + (" The minimum shortens the list; it does not change the total." if offered is Offered.MINUTES else "")
        )
    for problem in problems:
        st.warning(problem)
    return _chosen(options, offered)


def remember(filters: Filters, more: Mapping[str, list[str]], *, keep: Collection[str] = ()) -> None:
    """Write `filters` into the address, so that it can be shared, and keep them for the next page.

    Args:
        filters: what is chosen.
        more: parameters of what is chosen elsewhere.
        keep: names of parameters that stay as they are.
    """
    st.session_state[_CHOSEN] = filters
    write_address(to_params(filters) | dict(more), keep=keep)


def write_address(params: Mapping[str, list[str]], *, keep: Collection[str] = ()) -> None:
    """Replace the address's parameters by `params`; those named in `keep` stay as they are."""
    found = {key: st.query_params.get_all(key) for key in st.query_params}
    wanted = dict(params) | {key: values for key, values in found.items() if key in keep}
    if found != wanted:
        st.query_params.from_dict(wanted)


def _show_times() -> None:
    """Ask for local times of the first and the last day; a day's last minute stands for its end."""
    st.toggle("From and to a time of day", key=_TIMES)
    if not st.session_state[_TIMES]:
        return
    left, right = st.columns(2)
    left.time_input("First day from", key=_STARTS, step=60)
    right.time_input("Last day until", key=_ENDS, step=60)


def _show_cameras(options: FilterOptions) -> None:
    known = options.cameras_at(st.session_state[_LOCATIONS])
    st.session_state[_CAMERAS] = [key for key in st.session_state[_CAMERAS] if key in known]
    if len(known) > _CAMERAS_AT_MOST:
        st.caption(f"To pick single cameras, choose locations first: there are {len(known):,}.")
        return
    st.multiselect(
        "Cameras",
        list(known),
        key=_CAMERAS,
        format_func=lambda key: options.cameras.get(key, key),
        placeholder="All cameras",
    )


def _restore(options: FilterOptions) -> tuple[str, ...]:
    """Set the widgets' state: from the address at first, from the page before, or less what is gone by now."""
    if any(key not in st.session_state for key in _WIDGETS):
        params = {key: st.query_params.get_all(key) for key in st.query_params}
        before = st.session_state.get(_CHOSEN)
        params.pop(PUBLICATION, None)  # which was read before the filters: alone it says nothing about them
        if not params and isinstance(before, Filters):
            params = to_params(before)
        filters, problems = parse_filters(params, options)
        _set(filters)
        return problems
    for key in _WIDGETS:  # a widget that this page does not show keeps its state
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
    if any(not options.first_day <= day <= options.last_day for day in _days()):
        st.session_state[_PERIOD] = (options.default_first_day, options.last_day)
    st.session_state[_LOCATIONS] = [key for key in st.session_state[_LOCATIONS] if key in options.locations]
    if st.session_state[_GROUP] not in options.groups:
        st.session_state[_GROUP] = None
    return ()


def _set(filters: Filters) -> None:
    starts, ends = _WHOLE_DAY
    st.session_state[_PERIOD] = (filters.first_day, filters.last_day)
    st.session_state[_TIMES] = not filters.period.is_whole_days
    st.session_state[_STARTS] = filters.starts_at or starts
    st.session_state[_ENDS] = filters.ends_at or ends
    st.session_state[_LOCATIONS] = list(filters.location_ids)
    st.session_state[_GROUP] = filters.camera_group
    st.session_state[_CAMERAS] = list(filters.camera_ids)
    st.session_state[_LEAST] = filters.min_appearances
    st.session_state[GRAIN_KEY] = filters.grain


def _days() -> tuple[date, ...]:
    days = st.session_state[_PERIOD]
    return tuple(days) if isinstance(days, (tuple, list)) else (days,)


def _times(first: date, last: date) -> tuple[time | None, time | None]:
    """Return the chosen times of day; none where they leave nothing of the period."""
    if not st.session_state.get(_TIMES):
        return None, None
    starts, ends = st.session_state.get(_STARTS) or _WHOLE_DAY[0], st.session_state.get(_ENDS) or _WHOLE_DAY[1]
    if first == last and starts >= ends:
        st.warning("The period ends before it starts; whole days are shown.")
        return None, None
    return (None if starts == _WHOLE_DAY[0] else starts), (None if ends >= _WHOLE_DAY[1] else ends)


def _chosen(options: FilterOptions, offered: Offered) -> Filters | None:
    match _days():
        case (first, last):
            finer = offered is Offered.MINUTES
            starts, ends = _times(first, last) if finer else (None, None)
            return Filters(
                first_day=first,
                last_day=last,
                location_ids=tuple(st.session_state[_LOCATIONS]),
                camera_group=st.session_state[_GROUP] if options.groups else None,
                min_appearances=int(st.session_state[_LEAST]) if finer else 1,
                grain=Grain(st.session_state.get(GRAIN_KEY) or Grain.HOUR),
                camera_ids=tuple(st.session_state[_CAMERAS]) if finer else (),
                starts_at=starts,
                ends_at=ends,
            )
        case _:
            return None
