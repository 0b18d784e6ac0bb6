from datetime import UTC, datetime, timedelta

import pytest

from footfall_assets.contracts.attributes import CLASSES, Trait

PAIRS, BANDS, GENDERS = (CLASSES[each] for each in (Trait.AGE_GENDER, Trait.AGE, Trait.GENDER))
EXPRESSIONS = CLASSES[Trait.EXPRESSION]
DAY = "2024-02-01"


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def mostly_right(size):
    return [[80 if i == j else 1 for j in range(size)] for i in range(size)]


def switched(made, *attributes, location="store-101"):
    rows = [(location, each, "consent", "2024-01-01", "2024-01-01", None) for each in attributes]
    return made.demographic("location_attributes", *rows)


def counted(made, trait, names, counts, *, location="store-101", reason=None):
    filled = dict.fromkeys(names, 0) | counts
    total = None if reason else sum(filled.values())
    rows = [(location, DAY, trait, name, None if reason else n, total, reason) for name, n in filled.items()]
    return made.demographic("demographics_daily", *rows)


@pytest.fixture
def everything(stores):
    """Age, gender and expression at one store, with young men in front."""
    switched(stores, "age", "gender", "expression")
    for trait, names in (("age_gender", PAIRS), ("age", BANDS), ("gender", GENDERS), ("expression", EXPRESSIONS)):
        stores.confused("store-101", trait, names, mostly_right(len(names)), origin="staff <b>of May</b>")
    counted(stores, "age_gender", PAIRS, {"male_18_25": 90, "female_26_35": 40, "male_36_50": 20, "female_36_50": 15})
    counted(stores, "age", BANDS, {"18_25": 90, "26_35": 40, "36_50": 35})
    counted(stores, "gender", GENDERS, {"male": 110, "female": 55})
    happy = dict.fromkeys(EXPRESSIONS, 1) | {"happy": 30, "neutral": 20}
    rows = [("store-101", "store-101-door", DAY, name, n, 55, None) for name, n in happy.items()]
    in_zone = [("store-101", "shelf", DAY, name, n, 65, None) for name, n in (happy | {"happy": 10, "sad": 40}).items()]
    return stores.demographic("expression_daily", *rows).demographic("expression_by_zone", *in_zone)


@pytest.fixture
def demographics(app):
    def run():
        app.switch_page("pages/demographics.py")
        app.run()
        assert not app.exception
        return app

    return run


def test_normal_page(publish, everything, demographics) -> None:
    publish(everything)
    page = demographics()
    said = texts(page)
    assert page.title[0].value == "Demographics"
    assert "Men 18 to 25 prevail: 5" in said
    assert "165 visitor-days" in said
    assert "staff <b>of May</b>" in said
    assert [each.value for each in page.subheader] == [
        "Who comes",
        "Expressions in a zone, such as at a display",
        "Expressions at a camera",
        "Where it is switched on",
    ]
    tables = [each.value for each in page.dataframe]
    pairs, ages, genders, in_zone, moods, where = tables
    assert pairs["Class"].tolist()[0] == "women under 18"
    assert len(pairs) == 12
    assert len(ages) == 6
    assert genders["Share, %"].sum() == pytest.approx(100, abs=0.1)
    assert (in_zone["Zone"].unique().tolist(), moods["Camera"].unique().tolist()) == (["shelf"], ["store-101-door"])
    assert in_zone.loc[in_zone["Share, %"].idxmax(), "Class"] == "sad"
    assert moods.loc[moods["Share, %"].idxmax(), "Class"] == "happy"
    assert where["Guessed"].tolist() == ["age", "expression", "gender"]
    assert where["Legal basis"].unique().tolist() == ["consent"]


def test_every_share_stands_with_its_interval(publish, everything, demographics) -> None:
    publish(everything)
    for table in [each.value for each in demographics().dataframe][:5]:
        assert (table["From, %"] <= table["Share, %"]).all()
        assert (table["Share, %"] <= table["To, %"]).all()
        seen = table[table["Share, %"] > 1]
        assert (seen["From, %"] < seen["To, %"]).all()


def test_no_visitor_is_named_anywhere(publish, everything, demographics) -> None:
    publish(everything)
    page = demographics()
    assert "00100A" not in texts(page)
    assert not any("visitor_id" in each.value.columns or "face_id" in each.value.columns for each in page.dataframe)


def test_switched_off_says_how_to_switch_it_on(publish, stores, demographics) -> None:
    publish(stores.demographic("location_attributes"))
    page = demographics()
    assert "switched off at these locations (Store #101" in texts(page)
    assert "footfall fleet set-attributes" in texts(page)
    assert not page.dataframe
    assert not page.subheader


def test_without_a_confusion_there_is_no_share(publish, stores, demographics) -> None:
    switched(stores, "gender")
    publish(counted(stores, "gender", GENDERS, {}, reason="no_confusion"))
    page = demographics()
    assert "nobody has measured how the classifier errs" in texts(page)
    assert "footfall attributes calibrate" in texts(page)
    assert len(page.dataframe) == 1  # where it is switched on


def test_too_few_visitors_are_not_shown(publish, stores, demographics) -> None:
    switched(stores, "gender").confused("store-101", "gender", GENDERS, mostly_right(2))
    publish(counted(stores, "gender", GENDERS, {}, reason="too_few_visitors"))
    said = texts(demographics())
    assert "too few different visitors" in said
    assert "a busier store does" in said
    assert "demonstration of 60 people" in said
    assert "footfall attributes calibrate" not in said


def test_days_left_out_are_named_beside_the_shares(publish, everything, demographics) -> None:
    everything.demographic(
        "demographics_daily",
        *(("store-101", "2024-02-02", "gender", name, None, None, "too_few_visitors") for name in GENDERS),
    )
    publish(everything)
    assert "Nothing is said of 1 store days, since too few different visitors." in texts(demographics())


def test_switched_on_and_nobody_there(publish, stores, demographics) -> None:
    publish(switched(stores, "gender", "expression"))
    assert texts(demographics()).count("Nobody was seen in this period of whom it could be guessed.") == 3


def test_a_publication_from_before_says_so(publish, stores, demographics) -> None:
    publish(stores)
    assert "publish again" in texts(demographics())


def test_old_data_are_called_old(publish, everything, demographics) -> None:
    publish(everything, last_captured_at=datetime.now(UTC) - timedelta(days=30))
    assert "These data are old" in texts(demographics())


def test_a_home_without_a_publication(home, demographics) -> None:
    page = demographics()
    assert "nothing is published yet" in texts(page)


def test_who_may_not_open_it_sees_nothing(publish, everything, demographics, monkeypatch) -> None:
    publish(everything, environment="production")
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    page = demographics()
    said = texts(page)
    assert "prevail" not in said
    assert not page.dataframe
