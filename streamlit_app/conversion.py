"""How many of the visits became sales, where a point-of-sale file says what was sold."""

from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.reporting import conversion
from streamlit_app.imported_files import HOW_TO_IMPORT
from streamlit_app.shell import OpenPage
from streamlit_app.traffic_charts import daily_lines

_LINES_AT_MOST: Final = 8  # locations whose lines can be told apart; of more, the sum is shown


def show_conversion(page: OpenPage) -> None:
    """Show receipts and revenue against visits, and what was sold; a sentence where there are no sales."""
    summary = page.explorer.at_locations(conversion.conversion_summary, page.filters)
    if not summary.sales_days:
        st.info(f"No sales cover this period. Import them: footfall import sales FILE.csv. {HOW_TO_IMPORT}")
        return
    is_few = len(page.selection().location_ids) <= _LINES_AT_MOST
    question = conversion.conversion_by_day if is_few else conversion.conversion_totals_by_day
    days = page.explorer.at_locations(question, page.filters)
    with st.container(horizontal=True):
        st.metric("Receipts for each visit", _ratio(summary.transactions_per_visit), border=True)
        st.metric("Revenue for each visit", _ratio(summary.revenue_per_visit), border=True)
        st.metric("Receipts compared", f"{summary.transactions:,}", border=True)
        st.metric("Visits compared", f"{summary.visits:,}", border=True)
    if summary.flagged_days:
        st.warning(
            f"More receipts than visits on {summary.flagged_days} of {summary.compared_days} store days: the cameras "
            "missed people there, and conversion is too high."
        )
    page.figure(
        "conversion_by_day",
        chart=daily_lines(
            days,
            value="transactions_per_visit",
            series="location",
            title="Receipts for each visit",
            days=(page.filters.first_day, page.filters.last_day),
            number_format=".2f",
        ),
        table=_sales_table(days),
        definition=(
            "Receipts divided by visits of the same store and day; the figures above divide the sums. Days on which "
            "visits are unknown are gaps. Revenue is in the currency of the imported file."
        ),
    )
    categories = page.explorer.at_locations(conversion.sales_by_category, page.filters)
    if not categories.empty:
        with st.expander("What was sold, by category"):
            page.figure(
                "sales_by_category",
                chart=None,
                table=categories.rename(columns=str.capitalize),
                definition="Items and revenue add up over categories; receipts do not, one can hold several.",
            )


def _sales_table(days: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "location": "Location",
        "business_day": "Business day",
        "transactions": "Receipts",
        "items": "Items",
        "revenue": "Revenue",
        "visits": "Visits",
        "unique_visitors": "Unique visitors",
        "transactions_per_visit": "Receipts for each visit",
        "transactions_per_visitor": "Receipts for each unique visitor",
        "revenue_per_visit": "Revenue for each visit",
        "has_more_transactions_than_visits": "More receipts than visits",
    }
    shown = [name for name in columns if name in days.columns]
    ratios = {name: 3 for name in shown if name.startswith("transactions_per")} | {"revenue_per_visit": 2}
    return days[shown].round(ratios).rename(columns=columns)


def _ratio(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.2f}"
