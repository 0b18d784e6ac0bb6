"""What changed between an older publication and the current one: as `footfall compare` tells it, on the page."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.reporting.comparison import COUNTS, Comparison
from footfall_assets.reporting.comparison_formats import told_change, told_flow
from footfall_assets.reporting.provenance import moment_text
from streamlit_app.access_records import record_view
from streamlit_app.markdown import literal
from streamlit_app.shell import OpenPage

_KINDS: Final = {
    "version": "Version",
    "setting": "Setting",
    "model": "Model",
    "code": "Code",
    "rule": "Counting rule",
    "calibration": "Calibration",
    "registry": "Registry",
    "correction": "Correction",
    "record": "Record",
}
_CAUSES_SHOWN: Final = 200  # a change of all locations is thousands of lines


def show_changes(page: OpenPage) -> None:
    """Offer the differences to the current publication, over the days and locations of the page's filters."""
    if page.publication.publication_id == page.current.publication_id:
        return
    with page.section("What changed since"):
        # Matching all sightings of two publications takes minutes at a large tenant: only when asked for.
        if not st.toggle(
            f"Compare with the current publication ({moment_text(page.current.published_at)})", key="visitors_changes"
        ):
            return
        found = page.explorer.changes_since(page.current, page.filters)
        record_view(
            page.scope,
            page.settings,
            page.lake,
            query=f"visitor_changes {page.filters.period.label}",
            rows=len(found.changes),
            key=(page.publication.publication_id, page.current.publication_id, page.filters),
        )
        _show_causes(found)
        _show_counts(page, found)
        _show_details(page, found)


def _show_causes(found: Comparison) -> None:
    st.markdown("**Why**")
    stills = any(flow.state in {"still_only_before", "still_only_after"} for flow in found.flows)
    if stills:
        st.markdown("One of the two has stills that the other has not: data came later, or were removed.")
    if not found.causes:
        st.markdown("No version, rule, registry entry or correction differs.")
        return
    shown = found.causes[:_CAUSES_SHOWN]
    table = pd.DataFrame(
        {
            "Kind": [_KINDS.get(cause.kind, cause.kind) for cause in shown],
            "What": [cause.name for cause in shown],
            "Then": [cause.before for cause in shown],
            "Now": [cause.after for cause in shown],
        }
    )
    st.dataframe(table, hide_index=True, width="stretch", placeholder="")
    if len(found.causes) > len(shown):
        st.caption(f"And {len(found.causes) - len(shown):,} more; footfall compare lists them all.")


def _show_counts(page: OpenPage, found: Comparison) -> None:
    st.markdown("**Listed visitors**")
    columns = {
        "linkage_window": "Linkage window",
        "before": "Then",
        "new": "New",
        "gone": "Gone",
        "more_by_split": "More by splits",
        "fewer_by_merge": "Fewer by merges",
        "after": "Now",
        "unchanged": "Unchanged",
        "adjusted": "Same visitor, other sightings",
    }
    rows = [[getattr(window, name) for name in columns] for window in found.windows]
    page.figure(
        "changes",
        chart=None,
        table=pd.DataFrame(rows, columns=list(columns.values())),
        definition="Rows of the list, not estimates, over all cameras of the chosen locations and whole days. Visitors "
        "are matched by the sightings they share: now = then + new - gone + more by splits - fewer by merges.",
    )


def _show_details(page: OpenPage, found: Comparison) -> None:
    with st.expander("Sightings, visitors and days that changed"):
        _table(
            "Sightings", [(told_flow(flow), flow.sightings) for flow in found.flows], ["What became of them", "Number"]
        )
        _table(
            "Visitors that changed most",
            [(each.linkage_window, each.visitor_id, each.sightings, told_change(each)) for each in found.changes],
            ["Linkage window", "Visitor ID", "Sightings", "What became of it"],
        )
        st.caption("Ids of another version name other visitors.")
        labels = page.options.locations
        days = [
            (f"{day.business_day}", labels.get(day.location_id, day.location_id), name.replace("_", " "), then, now)
            for day in found.days
            for name, then, now in zip(COUNTS, day.before, day.after, strict=True)
            if then != now
        ]
        _table("Days and locations", days, ["Business day", "Location", "Count", "Then", "Now"])
        if found.days_changed > len(found.days):
            st.caption(literal(f"And {found.days_changed - len(found.days):,} days and locations more."))


def _table(title: str, rows: Sequence[tuple[object, ...]], columns: list[str]) -> None:
    st.markdown(f"**{title}**")
    if rows:
        st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, width="stretch", placeholder="")
    else:
        st.markdown("None.")
