"""From labels to figures, and to the threshold that they speak for."""

import json

import pyarrow as pa
import pytest

from footfall_assets.audit.formats import to_json, to_table
from footfall_assets.audit.labels import labelled_pairs, read_answers
from footfall_assets.audit.reserve import refresh_crop_reserve
from footfall_assets.audit.score import score
from footfall_assets.contracts.audit import LABELLED_PAIRS, Answer, Purpose
from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.audit_threshold import Suggestion
from footfall_assets.identity.visitor_numbers import newest_identities


@pytest.fixture
def home(audit_home, opted_in, days, now):
    def build(**changes):
        home = audit_home(audit=opted_in, people=60, **changes)
        for day in days:
            refresh_crop_reserve(home.platform, day, now=now)
        return home

    return build


def test_true_answers_bring_the_count_nearer_to_the_truth(home):
    home = home(threshold=0.035)
    sample = home.sample(pairs=150)
    home.label(sample, home.true_answers(sample))
    found = score(home.store, sample.sample_id)
    people = len(set(home.persons().values()))
    assert abs(found.count.people - people) < abs(sample.identities - people) / 2
    low, high = found.count.interval
    assert low <= people <= high
    assert found.consistency.agreed == found.consistency.compared >= 5
    assert found.clear.as_expected == found.clear.answered > 5
    assert found.told == found.asked
    assert 0 < found.recall.share < 1


def test_a_labeller_who_guesses_is_found_out(home):
    home = home()
    sample = home.sample()
    guesses = {each.number: Answer.SAME if each.number % 2 else Answer.DIFFERENT for each in sample.questions}
    home.label(sample, guesses)
    found = score(home.store, sample.sample_id)
    assert found.clear.as_expected < 0.8 * found.clear.answered


def test_what_nobody_can_tell_is_left_out_and_counted(home):
    home = home()
    sample = home.sample()
    answers = home.true_answers(sample)
    drawn = [each.number for each in sample.questions if each.purpose is Purpose.COUNT]
    home.label(sample, answers | dict.fromkeys(drawn[:10], Answer.CANNOT_TELL))
    found = score(home.store, sample.sample_id)
    assert (found.cannot_tell, found.told) == (10, len(drawn) - 10)
    assert labelled_pairs(home.platform.lake, sample.sample_id).num_rows == len(drawn) - 10


def test_two_labellers_who_disagree_decide_nothing(home):
    home = home()
    sample = home.sample()
    home.label(sample, {1: Answer.SAME, 2: Answer.SAME, 3: Answer.SAME}, "ann")
    home.label(sample, {1: Answer.DIFFERENT, 2: Answer.SAME, 3: Answer.SAME}, "bob")
    answers = read_answers(sample, home.store.labels(sample.sample_id))
    assert answers.joint == {1: Answer.CANNOT_TELL, 2: Answer.SAME, 3: Answer.SAME}
    found = score(home.store, sample.sample_id)
    assert (found.between_labellers.agreed, found.between_labellers.compared) == (2, 3)


def test_nothing_answered_yet(home):
    home = home()
    sample = home.sample()
    with pytest.raises(NoData, match="footfall audit label"):
        score(home.store, sample.sample_id)
    home.label(sample, {1: Answer.SAME})
    home.label(sample, {1: None})
    with pytest.raises(NoData):
        score(home.store, sample.sample_id)


def test_labelled_pairs_are_what_calibration_takes(home):
    home = home()
    sample = home.sample(pairs=80)
    answers = home.true_answers(sample)
    home.label(sample, answers)
    pairs = labelled_pairs(home.platform.lake, sample.sample_id)
    assert pairs.schema == LABELLED_PAIRS
    drawn = [each for each in sample.questions if each.purpose is Purpose.COUNT]
    assert pairs.num_rows == len(drawn)
    assert sum(pairs["weight"].to_pylist()) == pytest.approx(sum(each.size for each in sample.strata if each.drawn))
    assert pairs["weight"].to_pylist() == pytest.approx([1 / each.probability for each in drawn])
    assert pairs["same"].to_pylist() == [answers[each.number] is Answer.SAME for each in drawn]
    assert pairs["left_local_visitor_id"].type == pa.uuid()
    assert pairs["same_location"].to_pylist() == [each.left.location_id == each.right.location_id for each in drawn]


def test_both_formats_say_the_same(home):
    home = home()
    sample = home.sample()
    home.label(sample, home.true_answers(sample))
    found = score(home.store, sample.sample_id)
    document = json.loads(to_json(found))
    assert document["people"] == found.count.people
    assert document["people_interval"] == list(found.count.interval)
    table = to_table(found)
    assert f"{found.count.people:.1f}" in table
    assert "ann" in table
    assert "FOOTFALL_LINKAGE__WINDOW_MAX_DISTANCE=" in table


def test_from_audit_to_threshold_to_a_new_version_of_identities(home, days):
    """N4 end to end: answers, the setting they speak for, another version beside the old, nearer to the truth."""
    home = home(threshold=0.03)
    sample = home.sample(pairs=150)
    home.label(sample, home.true_answers(sample))
    found = score(home.store, sample.sample_id)
    assert isinstance(found.suggestion, Suggestion)
    low, high = found.suggestion.interval
    assert 0.03 < low <= found.suggestion.threshold <= high
    refitted = home.with_settings(
        linkage=home.platform.settings.linkage.model_copy(
            update={"window_max_distance": round(found.suggestion.threshold, 4)}
        )
    )
    refitted.refresh()
    old, new = (newest_identities(each.platform) for each in (home, refitted))
    assert home.platform.versions.identities != refitted.platform.versions.identities
    assert home.platform.versions.local_visitors == refitted.platform.versions.local_visitors
    assert old.keys() == new.keys()
    assert next(iter(old.values())).content_hash != next(iter(new.values())).content_hash
    people = len(set(home.persons().values()))
    again = refitted.sample(pairs=150)
    assert abs(again.identities - people) < abs(sample.identities - people) / 2
    assert home.store.sample(sample.sample_id).versions["identities"] == home.platform.versions.identities


def test_too_few_answers_suggest_nothing_and_say_why(home):
    home = home()
    sample = home.sample()
    answers = home.true_answers(sample)
    home.label(sample, {number: answers[number] for number in list(answers)[:6]})
    found = score(home.store, sample.sample_id)
    assert "label more pairs" in found.suggestion
    assert json.loads(to_json(found))["suggestion"] is None
