from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest

from footfall_assets.contracts.schemas import FACES
from footfall_assets.evaluation.collect import collect_output

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
ANN = UUID(int=100)


@pytest.fixture
def visitors():
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table fct_appearances(
                appearance_id uuid, face_id uuid, camera_id varchar, location_id varchar, business_day date,
                started_at timestamptz, ended_at timestamptz
            );
            create table fct_sightings(
                face_id uuid, face_image_id uuid, camera_id varchar, location_id varchar, captured_at timestamptz
            );
            """
        )
        yield connection


def face(number, at, box=(1, 2, 3, 4)):
    texts = {"camera_id": "door", "location_id": "a", "captured_at": at, "crop": None}
    numbers = dict.fromkeys(("score", "size_px", "sharpness", "yaw", "pitch", "roll", "quality"), 1.0)
    ids = {"face_image_id": UUID(int=number).bytes, "image_id": UUID(int=number + 1000).bytes}
    return ids | texts | numbers | {"box": list(box), "landmarks": [0.0] * 10}


def faces_table(*rows):
    return pa.Table.from_pylist(list(rows), schema=FACES)


def appear(connection, number, first, last):
    row = [UUID(int=number), ANN, "door", "a", date(2024, 1, 5), first, last]
    connection.execute("insert into fct_appearances values (?, ?, ?, ?, ?, ?, ?)", row)


def sight(connection, number, at, face_id=ANN):
    connection.execute("insert into fct_sightings values (?, ?, 'door', 'a', ?)", [face_id, UUID(int=number), at])


def test_faces_get_their_visitor_appearance_and_visit(visitors):
    times = [START, START + timedelta(seconds=5), START + timedelta(hours=1), START + timedelta(hours=6)]
    appear(visitors, 1, times[0], times[1])
    appear(visitors, 2, times[2], times[2])
    appear(visitors, 3, times[3], times[3])
    for number, at in enumerate(times):
        sight(visitors, number, at)
    found = collect_output(faces_table(*(face(n, at) for n, at in enumerate(times))), visitors)
    assert found["face_id"].tolist() == [str(ANN)] * 4
    assert found["appearance_id"].map(lambda each: UUID(each).int).tolist() == [1, 1, 2, 3]
    assert found["visit_id"].nunique() == 2
    assert found["visit_id"].iloc[0] == found["visit_id"].iloc[2] != found["visit_id"].iloc[3]
    assert found[["box_x1", "box_y1", "box_x2", "box_y2"]].iloc[0].tolist() == [1, 2, 3, 4]
    assert found["image_id"].iloc[0] == str(UUID(int=1000))


def test_faces_without_visitor_stay(visitors):
    sight(visitors, 1, START, face_id=None)
    found = collect_output(faces_table(face(1, START), face(2, START)), visitors)
    assert len(found) == 2
    assert found[["face_id", "appearance_id", "visit_id"]].isna().all(axis=None)


def test_no_faces(visitors):
    assert collect_output(faces_table(), visitors).empty
