"""Samples that stay, and labels that are added."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import UUID

import pyarrow as pa
import pytest

from footfall_assets.contracts.audit import (
    POPULATION,
    Answer,
    AuditSample,
    Label,
    Purpose,
    Question,
    Side,
    Stratum,
    asked,
    newest_answers,
)
from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.audit_store import AuditStore

NOW = datetime(2024, 1, 6, 12, tzinfo=UTC)
NAME = "audit-2024-01-06-0123456789ab"
POPULATION_BYTES = b"not a table, but always the same"


def side(number):
    return Side(
        local_visitor_id=UUID(int=number), location_id="store-101", day=date(2024, 1, 6), faces=(UUID(int=number),)
    )


def question(number, **changes):
    fields = {"purpose": Purpose.COUNT, "stratum": 0, "probability": 0.5, "linked": True}
    return Question(
        **{
            "number": number,
            "left": side(2 * number),
            "right": side(2 * number + 1),
            "distance": 0.04,
            "height": 0.05,
            **fields,
            **changes,
        }
    )


def a_sample(**changes):
    confirm = {"purpose": Purpose.CONFIRM, "refers_to": 1, "stratum": None, "probability": None}
    return AuditSample(
        **{
            "sample_id": NAME,
            "first_day": date(2024, 1, 6),
            "last_day": date(2024, 1, 6),
            "seed": 0,
            "from_reserve": False,
            "versions": {"faces": "ab"},
            "identities_hash": "0" * 64,
            "local_visitors": 9,
            "identities": 5,
            "window_max_distance": 0.06,
            "population": sha256_hex(POPULATION_BYTES),
            "strata": (Stratum(name="link", size=4, drawn=2, beyond=False),),
            "questions": (question(1), question(2), question(3, **confirm)),
            **changes,
        }
    )


@pytest.fixture
def store(folder_lake):
    store = AuditStore(folder_lake)
    store.add(a_sample(), POPULATION_BYTES)
    return store


@pytest.fixture
def label(store, tmp_path):
    def give(number, answer, labeller="ann"):
        given = Label(sample_id=NAME, question=number, labeller=labeller, answer=answer, answered_at=NOW)
        store.append(given, tmp_path / "locks")
        return given

    return give


def test_a_sample_is_what_was_stored_and_stays(store):
    assert store.sample(NAME) == a_sample()
    store.add(a_sample(identities=99), b"other")
    assert store.sample(NAME) == a_sample()
    assert store.sample_ids() == [NAME]


def test_a_changed_population_is_noticed(store, folder_lake):
    with pytest.raises(pa.ArrowInvalid):
        store.population(a_sample())  # the right bytes, which are no table here
    folder_lake.write(f"audits/{NAME}/population.parquet", POPULATION_BYTES + b".")
    with pytest.raises(CorruptObject, match="hash"):
        store.population(a_sample())
    assert "question" in POPULATION.names


@pytest.mark.parametrize("name", ["audit-2024-01-06-ffffffffffff", "../registry", "", "a" * 3000])
def test_an_unknown_sample_says_which_there_are(store, name):
    with pytest.raises(NoData, match=NAME):
        store.sample(name)


def test_a_sample_under_anothers_name_is_refused(store, folder_lake):
    other = "audit-2024-01-06-ffffffffffff"
    folder_lake.write(f"audits/{other}/sample.json", folder_lake.read(f"audits/{NAME}/sample.json"))
    with pytest.raises(CorruptObject):
        store.sample(other)


def test_labels_come_back_in_order(store, label):
    given = [label(1, Answer.SAME), label(2, Answer.DIFFERENT), label(1, None), label(1, Answer.CANNOT_TELL, "bob")]
    assert store.labels(NAME) == given
    assert newest_answers(given, "ann") == {2: Answer.DIFFERENT}
    assert newest_answers(given, "bob") == {1: Answer.CANNOT_TELL}


def test_a_label_of_no_question_is_refused(label):
    with pytest.raises(UserMistake, match="no question 4"):
        label(4, Answer.SAME)


def test_labellers_at_the_same_time_lose_nothing(store, label):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: label(1 + number % 3, Answer.SAME, f"l{number}"), range(40)))
    assert len({each.labeller for each in store.labels(NAME)}) == 40


def test_a_confirmation_is_asked_only_where_needed():
    sample = a_sample()
    assert [each.number for each in asked(sample, {})] == [1, 2]
    assert [each.number for each in asked(sample, {1: Answer.DIFFERENT})] == [1, 2]
    assert [each.number for each in asked(sample, {1: Answer.SAME})] == [1, 2, 3]
