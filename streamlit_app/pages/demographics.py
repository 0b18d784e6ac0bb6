"""The demographics page: shares by age band, gender and expression, with intervals, where a location has it on."""

from collections.abc import Iterable
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.attributes import Trait
from footfall_assets.reporting.demographics import (
    TraitShares,
    left_out_sentence,
    prevalence_sentence,
    shares_frame,
    switched_on,
    trait_shares,
)
from footfall_assets.reporting.expressions import PlaceExpressions, expressions_by_camera, expressions_by_zone
from streamlit_app.access import Page
from streamlit_app.demographic_charts import pairs_chart, shares_chart
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.shell import OpenPage, run_page

_NAMES: Final = {
    Trait.AGE_GENDER: "Age and gender",
    Trait.AGE: "Age",
    Trait.GENDER: "Gender",
    Trait.EXPRESSION: "Expression",
}
_NAMED_AT_MOST: Final = 3  # locations in a sentence
_HOW: Final = "How to: docs/demographics.md."
_NEXT_STEPS: Final = {
    "no_confusion": (
        "A network errs, and shares are only given where its errors are known: photograph people of known age, gender "
        "or expression there, then run footfall attributes calibrate DIR --location store-101 and footfall run."
    ),
    "too_few_visitors": (
        "So that nobody is told apart, nothing is said of a day with fewer different visitors than the least number "
        "(10 unless set otherwise): a longer period does not help, a busier store does."
    ),
    "day_not_over": "The newest day is shown once another one has begun.",
}
_DEFINITION: Final = (
    "A visitor counts once a day and location. A network guesses from faces; shares are corrected for how it confuses "
    "labelled people, and the bars' lines hold the true share in 90 of 100 cases. Guesses about looks, not facts about "
    "anybody; shares of several traits are not added."
)
_PLACE_DEFINITION: Final = (
    "A visitor counts once a day and {place}, in the expression that most of the guesses of its faces there give. "
    "Corrected and bounded as above. An expression is not a feeling, and {place}s are not added: one visitor is in "
    "several of them."
)


def show_demographics(page: OpenPage) -> None:
    """Show the page's parts, or why there is nothing to show."""
    switches = page.explorer.at_locations(switched_on, page.filters)
    attributes = set(switches["attribute"])
    if not attributes:
        _show_switched_off(page)
        return
    if attributes & {"age", "gender"}:
        with page.section("Who comes"):
            _show_people(page, attributes)
    if "expression" in attributes:
        with page.section("Expressions in a zone, such as at a display"):
            _show_places(page, page.explorer.at_locations(expressions_by_zone, page.filters), what="zone")
        with page.section("Expressions at a camera"):
            _show_places(page, page.explorer.at_cameras(expressions_by_camera, page.filters), what="camera")
    with page.section("Where it is switched on"):
        _show_switches(page, switches)


def _show_switched_off(page: OpenPage) -> None:
    named = ", ".join(list(page.location_labels().values())[:_NAMED_AT_MOST])
    st.info(
        literal(
            f"Age, gender and expression are switched off at these locations ({named}): nothing of it is computed, "
            "loaded or stored. Each location is switched on by itself, with a legal basis, a notice and an assessment "
            "of its own: footfall fleet set-attributes store-101 --attribute age --attribute gender. " + _HOW
        )
    )


def _show_people(page: OpenPage, attributes: set[str]) -> None:
    traits = [trait for trait in (Trait.AGE_GENDER, Trait.AGE, Trait.GENDER) if trait.needs <= attributes]
    found = {trait: page.explorer.at_locations(trait_shares, page.filters, trait=trait) for trait in traits}
    if Trait.AGE_GENDER in found:
        st.markdown(f"**{literal(prevalence_sentence(found[Trait.AGE_GENDER]))}**")
        _show_trait(page, found[Trait.AGE_GENDER], "age_by_gender")
    for trait, title in ((Trait.AGE, "By age"), (Trait.GENDER, "By gender")):
        if trait in found:
            st.markdown(f"**{title}**")
            _show_trait(page, found[trait], trait.value)
    _show_measurements(page, found.values())


def _show_trait(page: OpenPage, shown: TraitShares, name: str) -> None:
    if not shown.shares:
        _show_nothing(page, shown.left_out)
        return
    frame = shares_frame(shown)
    is_pair = shown.trait is Trait.AGE_GENDER
    page.figure(
        name,
        chart=pairs_chart(_pairs(frame)) if is_pair else shares_chart(frame),
        table=_table(frame),
        definition=f"{shown.visitor_days:,} visitor-days. {_DEFINITION}",
        location_ids=tuple(sorted({key for each in shown.measurements for key in each.location_ids})),
    )
    told = left_out_sentence(shown.left_out, what="store days")
    if told:
        st.caption(literal(told))


def _show_nothing(page: OpenPage, left_out: tuple[tuple[str, int], ...], *, what: str = "store days") -> None:
    told = left_out_sentence(left_out, what=what)
    reasons = {reason for reason, _ in left_out}
    next_steps = " ".join(text for reason, text in _NEXT_STEPS.items() if reason in reasons)
    if page.provenance.is_development:
        next_steps += " A demonstration of 60 people over three stores is too small for shares: expect none there."
    st.info(
        literal(
            f"{told} {next_steps} {_HOW}" if told else "Nobody was seen in this period of whom it could be guessed."
        )
    )


def _show_places(
    page: OpenPage, found: tuple[tuple[PlaceExpressions, ...], tuple[tuple[str, int], ...]], *, what: str
) -> None:
    """Show the expressions at one camera or in one zone, to choose from those of which something may be said."""
    places, left_out = found
    if not places:
        _show_nothing(page, left_out, what=f"{what} days")
        return
    labels = page.location_labels()
    by_name = {f"{labels.get(each.location_id, each.location_id)}: {each.place}": each for each in places}
    chosen = st.selectbox(what.capitalize(), list(by_name), key=f"demographics_{what}", width=360)
    _show_place(page, by_name[chosen], what)
    told = left_out_sentence(left_out, what=f"{what} days")
    if told:
        st.caption(literal(told))
    _show_measurements(page, (each.shown for each in places))


def _show_place(page: OpenPage, found: PlaceExpressions, what: str) -> None:
    frame = shares_frame(found.shown)
    page.figure(
        f"expressions_by_{what}",
        chart=shares_chart(frame),
        table=_table(frame).assign(**{what.capitalize(): found.place}),
        definition=f"{found.shown.visitor_days:,} visitor-days. {_PLACE_DEFINITION.format(place=what)}",
        location_ids=(found.location_id,),
    )


def _show_measurements(page: OpenPage, found: Iterable[TraitShares]) -> None:
    labels = page.location_labels()
    measured = {(shown.trait, each.digest): each for shown in found for each in shown.measurements}
    for (trait, _), each in measured.items():
        used_at = ", ".join(labels.get(key, key) for key in each.location_ids[:_NAMED_AT_MOST])
        accuracy = "" if each.accuracy is None else f", {each.accuracy:.0%} of them in their own class"
        st.caption(
            literal(
                f"{_NAMES[trait]}: errors measured on {each.people:,} labelled people{accuracy}; {each.origin}, "
                f"{each.made_on}. "
                f"Used at {used_at}."
            )
        )


def _show_switches(page: OpenPage, switches: pd.DataFrame) -> None:
    labels = page.location_labels()
    table = pd.DataFrame(
        {
            "Location": [labels.get(each, each) for each in switches["location_id"]],
            "Guessed": switches["attribute"],
            "Legal basis": switches["legal_basis"],
            "Notice since": switches["notice_since"],
            "From": switches["valid_from"],
            "Until": ["still on" if pd.isna(each) else str(each) for each in switches["valid_to"]],
        }
    )
    page.figure(
        "switched_on",
        chart=None,
        table=table,
        definition="What is guessed of faces where, and on what grounds; elsewhere nothing is. Nothing to add up.",
    )


def _pairs(frame: pd.DataFrame) -> pd.DataFrame:
    gender = frame["class"].str.partition("_")[0].map({"female": "women", "male": "men"})
    band = [label.removeprefix(f"{name} ") for label, name in zip(frame["label"], gender, strict=True)]
    return frame.assign(gender=gender, band=band)


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Class": frame["label"],
            "Share, %": (100 * frame["share"]).round(1),
            "From, %": (100 * frame["low"]).round(1),
            "To, %": (100 * frame["high"]).round(1),
        }
    )


require_app()
run_page(Page.DEMOGRAPHICS, "Demographics", show_demographics)
