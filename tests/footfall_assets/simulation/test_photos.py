"""A cast from photographs in folders; the photographs here are drawings."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.photos import photo_cast


def write_photo(path: Path, *, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((250, 250, 3), 30, np.uint8)
    cv2.circle(image, (125, 125), 60, (grey, grey, grey), -1)
    path.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_photo(tmp_path / "ann" / "1.jpg", grey=200)
    write_photo(tmp_path / "ann" / "2.jpg", grey=90)
    write_photo(tmp_path / "bob" / "1.JPG", grey=140)
    (tmp_path / "nobody").mkdir()
    (tmp_path / "notes.txt").write_text("not a person")
    return tmp_path


def centre(folder: Path, name: str, *, visit_number: int, visible: bool = True) -> float:
    cast = photo_cast(folder, visitors=2, seed=1)
    figure = cast.figure(
        cast.names.index(name),
        visit_number=visit_number,
        face_height=120.0,
        visible=visible,
        rng=np.random.default_rng(0),
    )
    x, y = (int(value) for value in figure.anchor)
    return float(figure.pixels[y - 10 : y + 10, x - 10 : x + 10].mean())


def test_people_are_the_folders_that_hold_photographs(folder: Path) -> None:
    cast = photo_cast(folder, visitors=2, seed=1)
    assert cast.size == 2
    assert {cast.person_id(0), cast.person_id(1)} == {"ann", "bob"}


def test_each_visit_shows_the_next_photograph_and_starts_over_after_the_last(folder: Path) -> None:
    first, second, third = (centre(folder, "ann", visit_number=n) for n in range(3))
    assert first > second + 50
    assert third == first


def test_seen_from_behind_there_is_no_photograph(folder: Path) -> None:
    assert centre(folder, "ann", visit_number=0, visible=False) < 60


def test_the_figure_is_as_large_as_asked_and_leaves_out_the_corners_of_the_photograph(folder: Path) -> None:
    cast = photo_cast(folder, visitors=1, seed=1)
    figure = cast.figure(0, visit_number=0, face_height=90.0, visible=True, rng=np.random.default_rng(0))
    assert figure.box[3] - figure.box[1] == pytest.approx(90)
    assert figure.coverage[0].max() == 0
    assert figure.coverage.max() == pytest.approx(1, abs=0.01)
    assert figure.coverage.shape == figure.pixels.shape[:2]


def test_the_seed_draws_the_people(tmp_path: Path) -> None:
    for number in range(12):
        write_photo(tmp_path / f"p{number:02d}" / "1.jpg", grey=100)
    drawn = [photo_cast(tmp_path, visitors=5, seed=seed).names for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(("visitors", "message"), [(3, "has 2 people"), (40, "40 visitors")])
def test_too_few_people_are_refused_with_both_numbers(folder: Path, visitors: int, message: str) -> None:
    with pytest.raises(CastError, match=message):
        photo_cast(folder, visitors=visitors, seed=1)


def test_a_missing_or_empty_folder_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(CastError, match="no folder"):
        photo_cast(tmp_path / "absent", visitors=1, seed=1)
    with pytest.raises(CastError, match=r"DIR/<name>/\*\.jpg"):
        photo_cast(tmp_path, visitors=1, seed=1)


def small_jpeg() -> bytes:
    return cv2.imencode(".jpg", np.zeros((20, 20, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x89PNG and so on", "not a JPEG"), (b"\xff\xd8\xff rubbish", "readable JPEG"), (small_jpeg(), "20x20")],
)
def test_a_bad_photograph_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "ann" / "1.jpg"
    path.parent.mkdir()
    path.write_bytes(content)
    cast = photo_cast(tmp_path, visitors=1, seed=1)
    with pytest.raises(CastError, match=message) as caught:
        cast.figure(0, visit_number=0, face_height=90.0, visible=True, rng=np.random.default_rng(0))
    assert str(path) in str(caught.value)
