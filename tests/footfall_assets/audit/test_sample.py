"""What is drawn: a record of ids that never changes, with known probabilities and no picture in it."""

from collections import Counter
from datetime import date, timedelta

import pytest

from footfall_assets.audit.period import good_faces, read_period
from footfall_assets.audit.reserve import refresh_crop_reserve
from footfall_assets.audit.sample import draw_sample
from footfall_assets.contracts.audit import Purpose
from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.contracts.settings import AuditSettings
from footfall_assets.storage.crop_reserve import open_reserve


@pytest.fixture
def home(audit_home, opted_in, days, now):
    home = audit_home(audit=opted_in)
    for day in days:
        refresh_crop_reserve(home.platform, day, now=now)
    return home


def test_the_same_call_gives_the_same_record(home):
    sample = home.sample(seed=3)
    keys = home.platform.lake.list_keys("audits")
    assert home.sample(seed=3) == sample
    assert home.platform.lake.list_keys("audits") == keys
    assert home.sample(seed=4).sample_id != sample.sample_id
    assert home.store.sample(sample.sample_id) == sample


def test_probabilities_are_those_of_the_strata(home):
    sample = home.sample(pairs=80)
    drawn = [question for question in sample.questions if question.purpose is Purpose.COUNT]
    for number, stratum in enumerate(sample.strata):
        inside = [question for question in drawn if question.stratum == number]
        assert len(inside) == stratum.drawn
        assert {question.probability for question in inside} <= {stratum.drawn / stratum.size}
    population = home.store.population(sample)
    sizes = Counter(population["stratum"].to_pylist())
    assert [sizes[number] for number in range(len(sample.strata))] == [each.size for each in sample.strata]
    numbers = [number for number in population["question"].to_pylist() if number is not None]
    assert sorted(numbers) == [question.number for question in drawn]


def test_linked_pairs_are_of_one_identity_and_the_others_are_not(home, days):
    sample = home.sample()
    period = read_period(home.platform, *days)
    ids = period.templates["local_visitor_id"].to_pylist()
    identity = {ids[row]: number for number, rows in enumerate(period.members) for row in rows}
    for question in sample.questions:
        same = identity[question.left.local_visitor_id] == identity[question.right.local_visitor_id]
        assert question.linked == same
        assert question.left.local_visitor_id != question.right.local_visitor_id
    assert sample.identities == len(period.members)
    assert sample.local_visitors == len(ids)


def test_a_repeated_pair_is_the_same_pair_turned_round(home):
    sample = home.sample()
    repeats = [question for question in sample.questions if question.purpose is Purpose.REPEAT]
    assert len(repeats) >= 5
    for again in repeats:
        first = sample.question(again.refers_to)
        assert (again.left, again.right) == (first.right, first.left)
        assert again.probability is None


def test_confirmations_follow_a_gap_and_share_an_identity_with_it(audit_home, opted_in, days, now):
    home = audit_home(audit=opted_in, threshold=0.015)
    for day in days:
        refresh_crop_reserve(home.platform, day, now=now)
    sample = home.sample()
    confirmations = [question for question in sample.questions if question.purpose is Purpose.CONFIRM]
    assert confirmations
    for question in confirmations:
        asked = sample.question(question.refers_to)
        assert not asked.linked
        assert question.height < asked.height


def test_the_record_holds_no_crop(home):
    sample = home.sample()
    stored = b"".join(home.platform.lake.read(key) for key in home.platform.lake.list_keys("audits"))
    assert b"\xff\xd8\xff" not in stored
    assert sample.versions["faces"] == home.platform.versions.faces


def test_the_best_faces_come_first(home):
    shown = good_faces(home.platform, home.places[0])
    assert all(len(faces) == 3 for faces in shown.values())
    sample = home.sample()
    side = sample.questions[0].left
    assert side.faces in [faces for place in home.places for faces in good_faces(home.platform, place).values()]


def test_the_day_itself_needs_no_reserve(audit_home, days):
    home = audit_home()
    sample = home.sample(days[1], days[1])
    assert not sample.from_reserve
    assert {side.day for question in sample.questions for side in (question.left, question.right)} == {days[1]}


def test_past_days_without_the_reserve_are_refused(audit_home, days):
    home = audit_home()
    with pytest.raises(UserMistake, match="CROP_RESERVE"):
        home.sample()
    assert home.platform.lake.list_keys("audits") == []


def test_in_production_the_clock_says_what_is_past(audit_home, days, now):
    home = audit_home().with_settings(environment="production")
    assert home.sample(days[1], days[1])
    with pytest.raises(UserMistake, match="CROP_RESERVE"):
        draw_sample(home.platform, days[1], days[1], pairs=50, seed=0, now=now + timedelta(days=3))


def test_only_pairs_in_the_reserve_are_asked_and_keep_their_weight(audit_home, days, now):
    home = audit_home(audit=AuditSettings(crop_reserve=True, reserve_share=0.3, reserve_candidates=3))
    for day in days:
        refresh_crop_reserve(home.platform, day, now=now)
    sample = home.sample()
    reserve = open_reserve(home.platform.settings, home.platform.lake, days[1])
    asked = [question for question in sample.questions if question.purpose is not Purpose.CONFIRM]
    sides = [side for question in asked for side in (question.left, question.right)]
    assert sides
    assert all(reserve.holds(side.day, side.local_visitor_id) for side in sides)
    assert sum(stratum.size for stratum in sample.strata) > 3 * sum(stratum.drawn for stratum in sample.strata)


@pytest.mark.parametrize(
    ("first", "last", "pairs", "error"),
    [
        (date(2024, 1, 6), date(2024, 1, 5), 100, UserMistake),
        (date(2024, 1, 6), date(2024, 2, 1), 100, UserMistake),
        (date(2024, 1, 6), date(2024, 1, 6), 5, UserMistake),
        (date(2024, 1, 6), date(2024, 1, 6), 10**6, UserMistake),
        (date(2024, 1, 7), date(2024, 1, 7), 100, NoData),
    ],
)
def test_what_cannot_be_is_refused(home, first, last, pairs, error):
    with pytest.raises(error):
        home.sample(first, last, pairs=pairs)
