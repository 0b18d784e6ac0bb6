"""Labelling pairs of visitors blind: two people's faces side by side, and whether they are one person."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from footfall_assets.contracts.audit import LABELLER_LENGTH, Answer, AuditSample
from footfall_assets.contracts.errors import FootfallError, InvalidIdentifier, NoData, UserMistake
from footfall_assets.contracts.ids import parse_slug
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.crop_reserve import CropExpired
from streamlit_app.audit_desk import AuditDesk, ShownPair
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.sign_in import crop_scope_for

_FACE_PX: Final = 190  # a crop is 150 px wide: shown larger than it is
_SHOWN: Final = "audit_shown"  # the pair on the screen: one look is one line in the access log
_AGAIN: Final = "audit_again"  # the question whose answer was just withdrawn
_SAMPLE: Final = "audit_sample"
_BUTTONS: Final = (
    (Answer.SAME, "Same person", "s"),
    (Answer.DIFFERENT, "Different people", "d"),
    (Answer.CANNOT_TELL, "Cannot tell", "x"),  # Streamlit keeps c for itself
)


def show_page() -> None:
    """Show the page, or one sentence on why there is nothing to show."""
    st.title("Audit")
    try:
        _show()
    except NoData as nothing:
        st.info(literal(str(nothing)), icon=":material/info:")
    except (UserMistake, FootfallError) as mistake:
        st.error(literal(str(mistake)), icon=":material/error:")


def _show() -> None:
    settings = load_settings()
    scope, person = crop_scope_for(settings)
    lake = open_lake(settings)
    with st.container(horizontal=True):
        sample = _choose_sample(AuditStore(lake))
        labeller = person.name if person.signed_in else _labeller()
    if labeller is None:
        st.info(
            "Write your name to begin; your answers are stored under it. You will see faces and nothing else: neither "
            "what the system decided nor how sure it was."
        )
        return
    _label(AuditDesk(settings, lake, sample, labeller=labeller, scope=scope), sample, labeller)


def _choose_sample(store: AuditStore) -> AuditSample:
    names = store.sample_ids()
    if not names:
        raise NoData("There is no audit sample yet; run: footfall audit sample --from DAY --to DAY")
    wanted = st.query_params.get("sample")
    if _SAMPLE not in st.session_state and wanted in names:
        st.session_state[_SAMPLE] = wanted
    return store.sample(st.selectbox("Sample", names, key=_SAMPLE, width=320))


def _labeller() -> str | None:
    """Return the labeller's name as an id; None while it is not one."""
    name = st.text_input(
        "Your name", max_chars=LABELLER_LENGTH, key="audit_labeller", placeholder="such as ann", width=240
    )
    text = name.strip().lower().replace(" ", "-")
    if not text:
        return None
    try:
        return parse_slug(text)
    except InvalidIdentifier:
        st.warning("Use letters a to z, digits, - or _ only.")
        return None


def _label(desk: AuditDesk, sample: AuditSample, labeller: str) -> None:
    progress = desk.progress()
    again = st.session_state.pop(_AGAIN, None)
    number = again or desk.next_number()
    st.progress(
        progress.answered / max(progress.needed, 1), text=f"{progress.answered} of {progress.needed} pairs answered"
    )
    pair = None
    if number is not None:
        pair = _on_screen(sample, labeller, desk) or _look(desk, sample, labeller, number)
        st.markdown("**Are these the same person?**")
    else:
        st.success("All pairs are answered. Thank you.", icon=":material/check:")
        st.session_state[_SHOWN] = None
    # Above the faces: with eight of them a side, buttons below are out of sight.
    with st.container(horizontal=True):
        if pair is not None:
            _show_buttons(desk, pair)
        st.button(
            "Undo last answer",
            key="audit_undo",
            type="tertiary",
            shortcut="u",
            disabled=progress.answered == 0,
            on_click=_undo,
            args=(desk,),
        )
    if pair is not None:
        _show_pair(pair)


def _on_screen(sample: AuditSample, labeller: str, desk: AuditDesk) -> ShownPair | None:
    """Return the pair that this labeller looks at already, unless it was answered elsewhere meanwhile."""
    shown = st.session_state.get(_SHOWN)
    if shown is None or shown[:2] != (sample.sample_id, labeller) or shown[2].number in desk.answers():
        return None
    pair: ShownPair = shown[2]
    return pair


def _look(desk: AuditDesk, sample: AuditSample, labeller: str, number: int) -> ShownPair:
    try:
        pair = desk.show(number)
    except CropExpired:
        st.session_state[_SHOWN] = None
        raise
    st.session_state[_SHOWN] = (sample.sample_id, labeller, pair)
    return pair


def _show_pair(pair: ShownPair) -> None:
    columns = st.columns(2, gap="small", wrap=False)
    for column, title, faces in zip(columns, ("Left", "Right"), (pair.left, pair.right), strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(title)
            _show_faces(faces, title)


def _show_faces(faces: Sequence[bytes], title: str) -> None:
    if not faces:
        st.caption("No picture is left.")
        return
    with st.container(horizontal=True, gap="small"):
        for number, face in enumerate(faces, start=1):
            st.image(face, width=_FACE_PX, alt=f"{title}, face {number} of {len(faces)}")


def _show_buttons(desk: AuditDesk, pair: ShownPair) -> None:
    complete = bool(pair.left and pair.right)
    for answer, text, key in _BUTTONS:
        st.button(
            text,
            key=f"audit_{answer}",
            shortcut=key,
            disabled=not complete and answer is not Answer.CANNOT_TELL,
            on_click=_answer,
            args=(desk, pair.number, answer),
        )


def _undo(desk: AuditDesk) -> None:
    st.session_state[_AGAIN] = desk.undo()
    st.session_state[_SHOWN] = None


def _answer(desk: AuditDesk, number: int, answer: Answer) -> None:
    desk.answer(number, answer)
    st.session_state[_SHOWN] = None


require_app()
show_page()
