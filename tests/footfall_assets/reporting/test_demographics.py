from datetime import date

import pytest

from footfall_assets.contracts.attributes import CLASSES, Trait
from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting import demographics
from footfall_assets.reporting.demographics import (
    left_out_sentence,
    prevalence_sentence,
    share_text,
    shares_frame,
    switched_on,
    trait_shares,
)
from footfall_assets.reporting.request import Period

JANUARY = Period(date(2024, 1, 1), date(2024, 1, 31))
GENDERS = CLASSES[Trait.GENDER]
BIASED = ((60, 40), (5, 95))  # takes 40 of 100 women for men


def day_of(location, day, trait, counts, *, reason=None):
    total = None if reason else sum(counts.values())
    return [(location, day, trait, name, None if reason else n, total, reason) for name, n in counts.items()]


@pytest.fixture
def store(new_store):
    """A store where the classifier takes women for men: 38 of 100 visitor-days were called women's."""
    made = new_store().place("store-101", "Store #101").confused("store-101", "gender", GENDERS, BIASED)
    for day, women in (("2024-01-02", 20), ("2024-01-03", 18)):
        made.demographic(
            "demographics_daily", *day_of("store-101", day, "gender", {"female": women, "male": 50 - women})
        )
    return made


def of_gender(connection, *locations):
    return trait_shares(connection, JANUARY, location_ids=locations or ("store-101",), trait=Trait.GENDER)


def test_shares_undo_what_the_classifier_confuses(store, opened) -> None:
    """38 % called women; at rates of 0.6 and 0.05 that is (0.38 - 0.05) / 0.55 = 60 % women."""
    found = of_gender(opened(store))
    women, men = found.shares
    assert (women.label, men.label) == ("women", "men")
    assert women.share == pytest.approx(0.6, abs=0.06)
    assert women.low < 0.6 < women.high
    assert women.low > 0.38
    assert women.share + men.share == pytest.approx(1)
    assert found.visitor_days == 100
    assert [(each.people, each.origin) for each in found.measurements] == [(200, "volunteers at the door")]
    assert shares_frame(found)["share"].tolist() == [women.share, men.share]


def test_the_same_question_has_the_same_answer(store, opened) -> None:
    connection = opened(store)
    assert of_gender(connection) == of_gender(connection)


def test_days_outside_the_period_and_other_places_do_not_count(store, opened) -> None:
    rows = day_of("store-203", "2024-01-02", "gender", {"female": 500, "male": 0})
    rows += day_of("store-101", "2024-02-01", "gender", {"female": 500, "male": 0})
    store.confused("store-203", "gender", GENDERS, BIASED).demographic("demographics_daily", *rows)
    assert of_gender(opened(store)).visitor_days == 100


def test_places_measured_apart_are_corrected_apart(store, opened) -> None:
    """At the other store the classifier is right; labels of both together under either matrix would be wrong."""
    rows = day_of("store-203", "2024-01-02", "gender", {"female": 300, "male": 0})
    perfect = ((500, 0), (0, 500))
    store.confused("store-203", "gender", GENDERS, perfect, digest="d2").demographic("demographics_daily", *rows)
    found = of_gender(opened(store), "store-101", "store-203")
    assert found.visitor_days == 400
    assert found.shares[0].share == pytest.approx((60 + 300) / 400, abs=0.03)
    assert [each.digest for each in found.measurements] == ["d1", "d2"]


def test_where_nothing_may_be_said_it_says_why(new_store, opened) -> None:
    made = new_store().place("store-101", "Store #101").demographic("location_attributes")
    nobody = dict.fromkeys(GENDERS, 0)
    for day, reason in (("02", "no_confusion"), ("03", "too_few_visitors"), ("04", "too_few_visitors")):
        made.demographic("demographics_daily", *day_of("store-101", f"2024-01-{day}", "gender", nobody, reason=reason))
    found = of_gender(opened(made))
    assert found.shares == ()
    assert found.prevailing is None
    assert found.left_out == (("no_confusion", 1), ("too_few_visitors", 2))
    told = left_out_sentence(found.left_out, what="store days")
    assert told.startswith("Nothing is said of 1 store days, since nobody has measured")
    assert "2 store days, since too few different visitors" in told
    assert left_out_sentence((), what="store days") == ""
    assert prevalence_sentence(found) == "Nothing can be said of who prevails."


def test_counts_without_a_confusion_are_never_taken_for_shares(new_store, opened) -> None:
    """The mart does not publish such counts; were it to, there would still be no share."""
    made = new_store().place("store-101", "Store #101").demographic("location_attributes")
    made.demographic("demographics_daily", *day_of("store-101", "2024-01-02", "gender", {"female": 90, "male": 10}))
    assert of_gender(opened(made)).shares == ()


PAIRS = CLASSES[Trait.AGE_GENDER]


@pytest.mark.parametrize(
    ("young_men", "says"),
    [(130, "Men 18 to 25 prevail: "), (52, "No group clearly prevails. The largest may be: ")],
)
def test_a_group_prevails_only_where_the_interval_supports_it(new_store, opened, young_men, says) -> None:
    matrix = [[90 if i == j else 1 for j in range(len(PAIRS))] for i in range(len(PAIRS))]
    made = new_store().place("store-101", "Store #101").confused("store-101", "age_gender", PAIRS, matrix)
    counts = dict.fromkeys(PAIRS, 3) | {"male_18_25": young_men, "female_26_35": 50}
    made.demographic("demographics_daily", *day_of("store-101", "2024-01-02", "age_gender", counts))
    found = trait_shares(opened(made), JANUARY, location_ids=("store-101",), trait=Trait.AGE_GENDER)
    sentence = prevalence_sentence(found)
    assert sentence.startswith(says)
    best = max(found.shares, key=lambda each: each.share)
    assert best.label == "men 18 to 25"
    assert share_text(best) in sentence
    if found.prevailing is None:
        assert "women 26 to 35" in sentence


def test_what_was_switched_on_in_the_period(new_store, opened) -> None:
    made = new_store().place("store-101", "Store #101")
    rows = [
        ("store-101", "age", "consent", "2023-12-01", "2023-12-01", "2024-01-01"),  # ended the day before
        ("store-101", "gender", "consent", "2023-12-01", "2023-12-01", "2024-01-02"),
        ("store-101", "expression", "consent", "2024-02-01", "2024-02-01", None),  # begins the day after
        ("store-203", "age", "consent", "2023-12-01", "2023-12-01", None),
    ]
    found = switched_on(opened(made.demographic("location_attributes", *rows)), JANUARY, location_ids=("store-101",))
    assert found["attribute"].tolist() == ["gender"]


def test_too_many_measurements_are_refused(store, opened, monkeypatch) -> None:
    monkeypatch.setattr(demographics, "MEASUREMENTS_AT_MOST", 0)
    with pytest.raises(UserMistake, match="choose fewer"):
        of_gender(opened(store))


def test_an_older_publication_has_nothing_to_say(new_store, opened) -> None:
    with pytest.raises(NoData, match="footfall run"):
        of_gender(opened(new_store().place("store-101", "Store #101")))
