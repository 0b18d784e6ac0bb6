"""The definitions, and what the numbers rest on."""

from datetime import UTC, datetime, timedelta

import pytest


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


@pytest.fixture
def about(app):
    def run():
        app.switch_page("pages/about.py")
        app.run()
        assert not app.exception
        return texts(app)

    return run


def test_normal_page_has_words_publication_and_calibration(publish, stores, calibration, about):
    stores.calibration = calibration
    publication = publish(stores)
    shown = about()
    for word in ("Visitor ID", "Total Unique Visitors", "Dwell", "Linkage window", "Gap", "Publication"):
        assert f"**{word}**: " in shown
    assert publication.publication_id in shown
    assert "hand-made stores (2024-01-01)" in shown
    assert "Truth inside the 90 % interval**: 90%" in shown


def test_the_rules_are_those_that_the_publication_was_built_with(publish, stores, about):
    stores.more_aggregates += """;
        create table publication_header(
            linkage_window_kind varchar, appearance_gap_s integer, appearance_gap_intervals integer, visit_gap_s integer
        );
        insert into publication_header values ('month', 75, 4, 7200)
    """
    publish(stores)
    shown = about()
    assert "75 seconds without a sighting" in shown
    assert "A visit ends after**: 2 hours away, or at local midnight" in shown


def test_a_publication_of_before_says_that_it_knows_no_rules(publish, stores, about):
    publish(stores)
    assert "does not say by which rules" in about()


def test_without_a_calibration_it_says_that_totals_are_not_estimated(publish, stores, about):
    publish(stores)
    assert "totals are not estimated" in about()


def test_empty_home_still_explains_the_words(home, about):
    shown = about()
    assert "**Visitor ID**: " in shown
    assert "nothing is published yet" in shown


def test_stale_data_are_called_old(publish, stores, about):
    publish(stores, last_captured_at=datetime.now(UTC) - timedelta(days=3))
    assert "These data are old" in about()


def test_production_without_users_explains_no_publication(publish, stores, about):
    publication = publish(stores, environment="production")
    shown = about()
    assert "it has no users" in shown
    assert publication.publication_id not in shown
