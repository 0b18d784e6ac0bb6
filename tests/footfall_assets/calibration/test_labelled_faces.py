from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from footfall_assets.calibration.labelled_faces import LabelledFaces, LabelledPhoto, guess_labelled, read_labels
from footfall_assets.contracts.attributes import CLASSES, Trait
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.platform import Platform
from models.errors import ModelMissing

PEOPLE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "people_dev"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def write(folder, *rows, header="photo,person,age,gender,expression") -> None:
    (folder / "labels.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")


def test_what_is_not_known_stays_empty(folder) -> None:
    write(folder, "a.jpg,ada,36,female,happy", "b.jpg,bob,,,")
    ada, bob = read_labels(folder)
    assert (ada.person, ada.age_years, ada.gender, ada.expression) == ("ada", 36, "female", "happy")
    assert (bob.age_years, bob.gender, bob.expression) == (None, None, None)


def test_columns_may_be_missing(folder) -> None:
    write(folder, "a.jpg,ada,female", header="photo,person,gender")
    assert read_labels(folder)[0].gender == "female"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("../a.jpg,ada,36,female,", "line 2.*in the folder"),
        ("c.jpg,ada,36,female,", "line 2.*in the folder"),
        ("a.jpg,,36,female,", "a person"),
        ("a.jpg,ada,old,female,", "age"),
        ("a.jpg,ada,-1,female,", "age"),
        ("a.jpg,ada,nan,female,", "age"),
        ("a.jpg,ada,131,female,", "age"),
        ("a.jpg,ada,36,woman,", "gender of female, male"),
        ("a.jpg,ada,36,female,smiling", "expression of neutral"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(folder, row, says) -> None:
    write(folder, row)
    with pytest.raises(UserMistake, match=says):
        read_labels(folder)


def test_a_list_is_needed(folder) -> None:
    with pytest.raises(UserMistake, match=r"labels\.csv"):
        read_labels(folder)
    write(folder)
    with pytest.raises(UserMistake, match="got 0"):
        read_labels(folder)
    write(folder, "a.jpg,ada", header="photo,name")
    with pytest.raises(UserMistake, match="columns"):
        read_labels(folder)


def faces(*rows):
    """Return guesses; a row is person, true age, true gender, guessed age, guessed probability of female."""
    photos = tuple(LabelledPhoto(Path("x"), person, age, gender, "happy") for person, age, gender, _, _ in rows)
    guesses = np.array([row[3:] for row in rows], np.float32)
    moods = np.zeros((len(rows), 7), np.float32)
    moods[:, 0] = 1
    return LabelledFaces(photos, guesses[:, 0], guesses[:, 1], moods, Counter())


def names(trait, numbers):
    return [CLASSES[trait][number] for number in numbers]


def test_a_person_is_the_mean_of_their_faces() -> None:
    """As a visitor of a day is: two stills at 0.4 and 0.7 are a woman, however each was called."""
    found = faces(("ada", 36, "female", 30, 0.4), ("ada", 36, "female", 40, 0.7), ("bob", 20, "male", 24, 0.1))
    true, got = found.classes(Trait.GENDER)
    assert names(Trait.GENDER, true) == ["female", "male"]
    assert names(Trait.GENDER, got) == ["female", "male"]
    true, got = found.classes(Trait.AGE_GENDER)
    assert names(Trait.AGE_GENDER, true) == ["female_36_50", "male_18_25"]
    assert names(Trait.AGE_GENDER, got) == ["female_26_35", "male_18_25"]
    assert names(Trait.EXPRESSION, found.classes(Trait.EXPRESSION)[1]) == ["neutral", "neutral"]


def test_who_is_not_labelled_is_not_measured() -> None:
    true, got = faces(("ada", None, "female", 30, 0.9), ("bob", 20, None, 24, 0.1)).classes(Trait.AGE_GENDER)
    assert len(true) == len(got) == 0


@pytest.mark.weights
@pytest.mark.shared
def test_real_photographs(tmp_path, settings_of, pulled_models) -> None:
    """Two men and two women whose given names say so, and a picture of nobody."""
    if not PEOPLE.is_dir():
        pytest.skip("the development photos are not beside the project (../shared/data/people_dev)")
    wanted = {"male": ("James", "Paul", "Robert"), "female": ("Mary", "Elizabeth", "Laura")}
    photos = [
        LabelledPhoto(min(folder.glob("*.jpg")), folder.name, None, gender, None)
        for gender, given in wanted.items()
        for folder in sorted(PEOPLE.iterdir())
        if folder.name.split("_")[0] in given
    ]
    blank = tmp_path / "blank.jpg"
    blank.write_bytes(b"no picture")
    photos.append(LabelledPhoto(blank, "nobody", None, "male", None))
    try:
        found = guess_labelled(tuple(photos), Platform(settings_of(tmp_path / "home", model_cache=pulled_models)))
    except ModelMissing as error:
        pytest.skip(str(error))
    assert found.left_out["unreadable"] == 1
    true, got = found.classes(Trait.GENDER)
    assert len(true) > 20
    assert (true == got).mean() > 0.85
    assert 15 < found.age_years.min() < found.age_years.max() < 90
