"""The labelling page: blind, by lot, undone at will, and shut to whoever may not see crops."""

import importlib.util
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from footfall_assets.contracts.access import Access
from footfall_assets.contracts.audit import Answer
from footfall_assets.contracts.settings import LinkageSettings, load_settings
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.crop_reserve import CropExpired
from footfall_assets.storage.lake import FolderLake
from streamlit_app.access import CropScope
from streamlit_app.audit_desk import AuditDesk

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "streamlit_app" / "pages" / "audit.py"
SCOPE = CropScope(role="auditor")


def _load(path):
    spec = importlib.util.spec_from_file_location("audited_home", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


AUDITED = _load(ROOT / "tests" / "footfall_assets" / "audit" / "conftest.py")


LINKAGE = LinkageSettings(window_max_distance=0.05, **AUDITED.LINKAGE)


@pytest.fixture(scope="module")
def built(settings_of, tmp_path_factory):
    made = AUDITED.AuditHome(settings_of(tmp_path_factory.mktemp("audited") / "home", linkage=LINKAGE), {})
    made.fill(12, 1)
    return made


@pytest.fixture
def audited(home, settings_of, built):
    """A home with a sample of its newest day, that the settings point at."""
    shutil.copytree(built.platform.settings.home, home)
    made = AUDITED.AuditHome(settings_of(home, linkage=LINKAGE), built.person_of_face)
    made.drawn = made.sample(AUDITED.DAYS[1], AUDITED.DAYS[1], pairs=20)
    return made


@pytest.fixture
def auditor(monkeypatch):
    monkeypatch.setenv("FOOTFALL_AUDIT__ROLE", "auditor")


@pytest.fixture
def keys_read(monkeypatch):
    """The keys of everything read from a lake."""
    keys, read = [], FolderLake.read

    def spy(self, key):
        keys.append(key)
        return read(self, key)

    monkeypatch.setattr(FolderLake, "read", spy)
    return keys


@pytest.fixture
def page(monkeypatch):
    """The page without the navigation around it."""
    pictures = []
    monkeypatch.setattr(st, "image", lambda data, **_: pictures.append(data))
    monkeypatch.setattr("streamlit_app.navigation.require_app", lambda: None)
    app = AppTest.from_file(str(PAGE), default_timeout=30)
    app.pictures = pictures
    return app


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.success, app.title)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def begin(page, name="Ann"):
    page.run()
    page.text_input(key="audit_labeller").set_value(name).run()
    assert not page.exception
    return page


def press(page, key):
    page.button(key=f"audit_{key}").click().run()
    assert not page.exception
    return page


def crops_read(keys):
    return [key for key in keys if key.startswith(("faces/", "crop_reserve/"))]


def labels(audited):
    return AuditStore(audited.platform.lake).labels(audited.drawn.sample_id)


def log(audited):
    settings = audited.platform.settings
    return AccessLog(audited.platform.lake, settings.keys_dir).verify()


@pytest.mark.usefixtures("auditor")
class TestAuditor:
    """Somebody who may see crops."""

    @pytest.mark.usefixtures("audited")
    def test_before_the_name_nothing_is_read(self, page, keys_read):
        page.run()
        assert "Write your name" in texts(page)
        assert crops_read(keys_read) == []
        assert page.pictures == []

    def test_a_pair_is_shown_and_answered(self, audited, page):
        begin(page)
        assert "Are these the same person?" in texts(page)
        assert len(page.pictures) == 6
        press(page, "same")
        (label,) = labels(audited)
        assert (label.labeller, label.answer) == ("ann", Answer.SAME)

    def test_nothing_on_the_page_tells_the_decision(self, audited, page):
        begin(page)
        shown = texts(page) + "".join(str(button.label) for button in page.button)
        question = audited.drawn.questions
        for each in question:
            for secret in (each.left.local_visitor_id, each.right.local_visitor_id, each.left.location_id):
                assert str(secret) not in shown
            assert f"{each.distance:.3f}" not in shown
        assert "link" not in shown.lower()
        assert "score" not in shown.lower()

    def test_one_look_is_one_line_in_the_log_and_each_answer_another(self, audited, page):
        begin(page)
        page.run()
        page.run()
        assert [line.access for line in log(audited)] == [Access.VIEW]
        press(page, "different")
        assert [line.access for line in log(audited)] == [Access.VIEW, Access.LABEL, Access.VIEW]
        assert {(line.who, line.role) for line in log(audited)} == {("ann", "auditor")}

    def test_undo_brings_the_pair_back(self, audited, page):
        begin(page)
        first = list(page.pictures)
        press(page, "same")
        page.pictures.clear()
        press(page, "undo")
        assert page.pictures[: len(first)] == first
        assert [label.answer for label in labels(audited)] == [Answer.SAME, None]
        assert labels(audited)[0].question == labels(audited)[1].question
        assert page.button(key="audit_undo").disabled

    def test_all_answered(self, audited, page):
        for number in range(len(audited.drawn.questions)):
            audited.label(audited.drawn, {number + 1: Answer.DIFFERENT})
        begin(page)
        assert "All pairs are answered" in texts(page)
        assert page.pictures == []

    @pytest.mark.usefixtures("home")
    def test_no_sample_yet(self, page):
        page.run()
        assert "footfall audit sample" in texts(page)
        assert not page.exception

    @pytest.mark.parametrize("name", ["<script>", "ann/../bob", "änn"])
    @pytest.mark.usefixtures("audited")
    def test_a_name_that_is_none(self, page, name, keys_read):
        begin(page, name)
        assert "letters a to z" in texts(page)
        assert crops_read(keys_read) == []

    def test_crops_that_are_gone_leave_one_answer(self, audited, page):
        for place in audited.places:
            prefix = audited.platform.place_of("faces", place).prefix
            for key in audited.platform.lake.list_keys(prefix):
                audited.platform.lake.delete(key)
        begin(page)
        assert "No picture is left" in texts(page)
        assert [page.button(key=f"audit_{each}").disabled for each in Answer] == [True, True, False]


class TestForbidden:
    """Everybody else."""

    @pytest.mark.parametrize("environment", ["development", "production"])
    def test_without_the_role_no_crop_is_read(self, audited, page, keys_read, environment, monkeypatch):
        monkeypatch.setenv("FOOTFALL_ENVIRONMENT", environment)
        page.run()
        assert not page.exception
        assert page.error
        assert not page.text_input
        assert crops_read(keys_read) == []
        assert page.pictures == []
        assert log(audited) == []

    @pytest.mark.usefixtures("audited", "auditor")
    def test_production_refuses_even_an_auditor(self, page, keys_read, monkeypatch):
        monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
        page.run()
        assert "it has no users" in texts(page)
        assert keys_read == []


class TestDesk:
    """One labeller's work, without the page."""

    @pytest.fixture
    def desk(self, audited):
        def at(labeller="ann"):
            return AuditDesk(load_settings(), audited.platform.lake, audited.drawn, labeller=labeller, scope=SCOPE)

        return at

    def order(self, desk):
        found = []
        while (number := desk.next_number()) is not None:
            found.append(number)
            desk.answer(number, Answer.DIFFERENT)
        return found

    def test_the_order_is_by_lot_and_another_for_everybody(self, desk):
        ann, bob = self.order(desk("ann")), self.order(desk("bob"))
        assert sorted(ann) == sorted(bob)
        assert ann != bob
        assert ann != sorted(ann)

    def test_the_sides_are_by_lot(self, desk, audited):
        turned = 0
        for question in audited.drawn.questions[:16]:
            pair = desk().show(question.number)
            crops = desk()._crops().of(question.left)
            turned += list(pair.right) == crops
        assert 1 <= turned <= 15

    def test_a_line_in_the_log_comes_before_the_crops(self, desk, monkeypatch):
        """Were it the other way round, a full disk would let people look unseen."""

        def full(*_, **__):
            raise OSError("no space left")

        monkeypatch.setattr(AccessLog, "append", full)
        monkeypatch.setattr("streamlit_app.audit_desk.AuditCrops.of", lambda *_: pytest.fail("was read"))
        with pytest.raises(OSError, match="no space"):
            desk().show(1)

    def test_an_audit_of_a_past_day_shows_nothing_later(self, desk, monkeypatch):
        monkeypatch.setattr("streamlit_app.audit_desk.current_day", lambda newest, *_, **__: newest + timedelta(days=2))
        with pytest.raises(CropExpired, match="CROP_RESERVE"):
            desk().show(1)
