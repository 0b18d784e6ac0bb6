import json
from uuid import UUID

import pandas as pd
import pytest

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.evaluation.formats import to_json, to_table
from footfall_assets.evaluation.matching import BOX
from footfall_assets.evaluation.score import Count, score

LEFT, RIGHT, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (80, 80, 90, 90)


def true_face(image, person, *, place="a", box=LEFT, appearance=None, visit=None, visible=True):
    appearance, visit = appearance or f"{person}@{place}", visit or f"{person}@{place}"
    return (image, place, "cam", *box, person, appearance, visit, visible)


def empty_still(image, *, place="a"):
    return (image, place, "cam", None, None, None, None, None, None, None, False)


def detected(image, face, *, box=LEFT, appearance=None, visit=None):
    return (image, "ignored", *box, face, appearance or face, visit or face)


def truth_of(*rows):
    columns = ["image_id", "location_id", "camera_id", *BOX, "person_id", "appearance_id", "visit_id", "visible"]
    return pd.DataFrame(rows, columns=columns)


def output_of(*rows):
    return pd.DataFrame(rows, columns=["image_id", "location_id", *BOX, "face_id", "appearance_id", "visit_id"])


def test_a_day_worked_by_hand():
    """Ann twice (once missed), Bob twice (split), Cy hidden, a poster taken for a face."""
    truth = truth_of(
        true_face("1", "ann"),
        true_face("1", "bob", box=RIGHT),
        true_face("2", "ann"),
        true_face("3", "bob", box=RIGHT),
        true_face("3", "cy", visible=False),
        true_face("4", "ann", place="b"),
        empty_still("5", place="b"),
    )
    output = output_of(
        detected("1", "f-ann"),
        detected("1", "f-bob", box=RIGHT),
        detected("3", "f-bob2", box=RIGHT),
        detected("4", "f-ann", appearance="f-ann@b", visit="f-ann@b"),
        detected("5", "f-poster", box=FAR),
        detected("1", None, box=FAR),
        detected("not in the truth", "f-stranger"),
    )
    found = score(truth, output)
    total = found.total
    assert total.visitors == Count(true=2, reported=4)
    assert total.appearances == Count(true=3, reported=5)
    assert total.visits == Count(true=3, reported=5)
    assert total.people_never_visible == 1
    assert (total.visible_faces, total.found_faces, total.detected_faces) == (5, 4, 6)
    assert total.detection_recall == pytest.approx(4 / 5)
    assert (total.false_detections, total.unidentified_faces, total.hidden_faces_found) == (2, 1, 0)
    assert total.identified_matches == 4
    assert total.bcubed.precision == pytest.approx(1)
    assert total.bcubed.recall == pytest.approx((1 + 1 + 1 / 2 + 1 / 2) / 4)
    assert found.faces_outside_truth == 1
    assert found.locations["b"].visitors == Count(true=1, reported=2)
    assert found.locations["a"].visitors == Count(true=2, reported=3)


def test_missed_faces_lower_recall_and_not_bcubed():
    truth = truth_of(*(true_face(str(n), "ann") for n in range(4)))
    found = score(truth, output_of(detected("0", "f"))).total
    assert found.detection_recall == pytest.approx(1 / 4)
    assert (found.bcubed.precision, found.bcubed.recall, found.bcubed.f1) == (1, 1, 1)


def test_unidentified_faces_are_found_but_not_in_bcubed():
    truth = truth_of(true_face("1", "ann"), true_face("2", "ann"))
    found = score(truth, output_of(detected("1", "f"), detected("2", None))).total
    assert found.detection_recall == 1
    assert (found.unidentified_faces, found.identified_matches, found.bcubed.f1) == (1, 1, 1)


def test_hidden_face_that_was_found_is_neither_recall_nor_false():
    truth = truth_of(true_face("1", "ann", visible=False))
    found = score(truth, output_of(detected("1", "f"))).total
    assert found.detection_recall is None
    assert (found.hidden_faces_found, found.false_detections) == (1, 0)
    assert found.visitors == Count(true=0, reported=1)
    assert found.visitors.error_percent is None


def test_a_person_hidden_at_one_store_and_seen_at_another_is_one_true_visitor():
    truth = truth_of(true_face("1", "ann", visible=False), true_face("2", "ann", place="b"))
    found = score(truth, output_of(detected("2", "f")))
    assert found.total.people_never_visible == 0
    assert found.locations["a"].people_never_visible == 1
    assert found.locations["a"].visitors == Count(0, 0)


def test_empty_output_is_scored():
    found = score(truth_of(true_face("1", "ann")), output_of()).total
    assert found.detection_recall == 0
    assert found.visitors == Count(1, 0)
    assert found.visitors.error_percent == -100
    assert found.bcubed.f1 is None


def test_truth_without_people_is_scored():
    found = score(truth_of(empty_still("1")), output_of(detected("1", "f")))
    assert found.total.visitors == Count(0, 1)
    assert found.total.false_detections == 1
    assert list(found.locations) == ["a"]


def test_ids_meet_as_uuid_as_text_and_as_bytes():
    image = UUID(int=7)
    for there, here in [(image, str(image)), (str(image), image.bytes), (image.bytes, image)]:
        found = score(truth_of(true_face(there, "ann")), output_of(detected(here, UUID(int=1)))).total
        assert found.found_faces == 1


def test_order_of_rows_does_not_matter():
    truth = truth_of(*(true_face(str(n), f"p{n % 5}") for n in range(30)))
    output = output_of(*(detected(str(n), f"f{n % 7}") for n in range(30)))
    assert score(truth.sample(frac=1, random_state=1), output.sample(frac=1, random_state=2)) == score(truth, output)


def test_missing_columns_are_named():
    with pytest.raises(UserMistake, match="no visible"):
        score(truth_of(true_face("1", "ann")).drop(columns="visible"), output_of())
    with pytest.raises(UserMistake, match="in the output, found no face_id"):
        score(truth_of(true_face("1", "ann")), output_of().drop(columns="face_id"))


def test_empty_truth_is_refused():
    with pytest.raises(UserMistake, match=r"truth\.parquet"):
        score(truth_of(), output_of())


def test_json_has_the_agreed_keys():
    truth = truth_of(true_face("1", "ann"), true_face("2", "bob"))
    document = json.loads(to_json(score(truth, output_of(detected("1", "f")))))
    assert set(document) == {"total", "locations", "faces_outside_truth", "min_iou"}
    agreed = {
        "true_visitors": 2,
        "reported_visitors": 1,
        "visitor_error_percent": -50.0,
        "true_appearances": 2,
        "reported_appearances": 1,
        "true_visits": 2,
        "reported_visits": 1,
        "detection_recall": 0.5,
        "bcubed_precision": 1.0,
        "bcubed_recall": 1.0,
        "bcubed_f1": 1.0,
    }
    assert document["total"] == document["total"] | agreed
    assert document["locations"]["a"] == document["total"]


def test_table_has_the_total_and_each_location():
    truth = truth_of(true_face("1", "ann"), true_face("2", "bob", place="b"), true_face("3", "cy", visible=False))
    lines = to_table(score(truth, output_of(detected("1", "f")))).splitlines()
    total = "Total 2 / 1 (-50.0 %) 2 / 1 (-50.0 %) 2 / 1 (-50.0 %) 0.5000 1.0000 / 1.0000 / 1.0000 0 0"
    assert " ".join(lines[1].split()) == total
    assert [line.split()[0] for line in lines[2:4]] == ["a", "b"]
    assert "- / - / -" in lines[3]
    assert lines[5] == "People never visible: 1, not among the true visitors."
