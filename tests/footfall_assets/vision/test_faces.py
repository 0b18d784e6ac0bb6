from datetime import UTC, datetime, timedelta
from uuid import UUID

import cv2
import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.schemas import FACES, IMAGES, face_embeddings
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import simulate
from footfall_assets.storage.lake import FolderLake
from footfall_assets.vision.face_embeddings import embeddings_of_faces, usable
from footfall_assets.vision.faces import decode_crop, faces_of_images
from models.alignment import DLIB_150, CropTemplate
from models.catalog import load_face_detector, load_face_embedder
from models.detector import Faces
from models.manifest import ModelKind, load_manifest

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
LANDMARKS = np.array([[10, 12], [22, 12], [16, 18], [11, 24], [21, 24]], np.float32)
OTHER_POSE = CropTemplate(
    name="small", side_px=32, points=((10.0, 10.0), (22.0, 10.0), (16.0, 16.0), (11.0, 22.0), (21.0, 22.0))
)


class OneFacePerHundred:
    """A face detector that finds a face for every full 100 grey levels of a picture's mean, side by side."""

    spec = load_manifest().get("centerface", ModelKind.FACE_DETECTOR)
    seconds_in_model = 0.0

    def detect(self, images):
        return [self._faces(int(image.mean() // 100)) for image in images]

    def _faces(self, count: int) -> Faces:
        offsets = np.arange(count, dtype=np.float32) * 32
        boxes = np.stack([offsets + 4, offsets * 0 + 4, offsets + 28, offsets * 0 + 28], axis=1)
        landmarks = LANDMARKS + np.stack([offsets, offsets * 0], axis=1)[:, None, :]
        scores = np.linspace(0.9, 0.8, count, dtype=np.float32)
        return Faces(boxes, landmarks, scores, dropped=count)


class MeanColour:
    """An embedder whose vector is the mean colour of a crop, made unit length; black gives zero, white NaN."""

    spec = load_manifest().get("dlib_resnet_v1", ModelKind.FACE_EMBEDDER)
    dim = 3
    seconds_in_model = 0.0

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], bool]] = []

    def embed(self, crops, *, mirror=True):
        self.asked.append((crops.shape, mirror))
        colour = crops.reshape(len(crops), -1, 3).mean(axis=1).astype(np.float32)
        vectors = colour / np.maximum(np.linalg.norm(colour, axis=1, keepdims=True), 1)
        vectors[(colour > 250).all(axis=1)] = np.nan
        return vectors


def jpeg_of(picture) -> bytes:
    return cv2.imencode(".jpg", picture)[1].tobytes()


def picture(*, level: int, colour: tuple[int, int, int] = (1, 1, 1)) -> np.ndarray:
    return (np.full((48, 96, 3), 1) * np.array(colour) * level).clip(0, 255).astype(np.uint8)


@pytest.fixture
def lake(tmp_path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


def stored(lake, jpegs, *, size=(96, 48)) -> pa.Table:
    """Write stills into one object and return their rows of `images`."""
    lake.write("batches/b.tar", b"header" + b"".join(jpegs))
    offsets = np.cumsum([6, *(len(jpeg) for jpeg in jpegs)]).tolist()
    rows = [
        {
            "image_id": UUID(int=number + 1).bytes,
            "camera_id": "door",
            "location_id": "store-101",
            "captured_at": START + timedelta(seconds=number),
            "batch_id": UUID(int=99).bytes,
            "width": size[0],
            "height": size[1],
            "filter": "none",
            "zones": [],
            "sha256": sha256_hex(jpeg),
            "object": "batches/b.tar",
            "offset": offsets[number],
            "length": len(jpeg),
        }
        for number, jpeg in enumerate(jpegs)
    ]
    return pa.Table.from_pylist(rows, schema=IMAGES)


def found_in(lake, images, *, keep_crops=True):
    return faces_of_images(images, lake, OneFacePerHundred(), DLIB_150, keep_crops=keep_crops)


def test_one_row_per_face_in_the_order_of_stills(lake) -> None:
    images = stored(lake, [jpeg_of(picture(level=level)) for level in (220, 20, 120)])
    part = found_in(lake, images)
    table = part.table()
    assert table.schema.equals(FACES)
    ids = images["image_id"].to_pylist()
    assert table["image_id"].to_pylist() == [ids[0], ids[0], ids[2]]
    assert table["captured_at"].to_pylist() == [START, START, START + timedelta(seconds=2)]
    assert table["box"].to_pylist() == [[4, 4, 28, 28], [36, 4, 60, 28], [4, 4, 28, 28]]
    assert table["landmarks"].to_pylist()[0] == LANDMARKS.ravel().tolist()
    assert len(set(table["face_image_id"].to_pylist())) == 3
    assert table["size_px"].to_pylist()[0] > 0
    assert part.faces_beyond_limit == 3


def test_many_stills_are_all_looked_at(lake) -> None:
    """More than are held in memory at a time, and not a multiple of it."""
    images = stored(lake, [jpeg_of(picture(level=120)) for _ in range(19)])
    assert found_in(lake, images).table()["image_id"].to_pylist() == images["image_id"].to_pylist()


def test_crops_are_in_the_pose_of_the_template(lake) -> None:
    table = found_in(lake, stored(lake, [jpeg_of(picture(level=120))])).table()
    crop = decode_crop(table["crop"][0].as_py())
    assert crop.shape == (150, 150, 3)
    assert abs(float(crop.mean()) - 120) < 2


def test_where_a_location_only_counts_no_picture_of_a_face_is_kept(lake) -> None:
    images = stored(lake, [jpeg_of(picture(level=220))])
    table = found_in(lake, images, keep_crops=False).table()
    assert table.num_rows == 2
    assert table["crop"].null_count == 2
    kept = [name for name in FACES.names if name != "crop"]
    assert table.select(kept).equals(found_in(lake, images).table().select(kept))


UNDECODABLE = {
    "another size than the row says": lambda: jpeg_of(picture(level=120)[:40]),
    "only the first bytes": lambda: jpeg_of(picture(level=120))[:20],
    "no picture": lambda: b"\xff\xd8\xff" + bytes(100),
}


@pytest.mark.parametrize("spoilt", UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_a_still_that_does_not_decode_is_set_aside(lake, spoilt) -> None:
    bad = spoilt()
    images = stored(lake, [jpeg_of(picture(level=120)), bad, jpeg_of(picture(level=120))])
    part = found_in(lake, images)
    ids = images["image_id"].to_pylist()
    assert part.table()["image_id"].to_pylist() == [ids[0], ids[2]]
    assert part.quarantined == {"undecodable": 1}
    [key, note] = lake.list_keys("quarantine/undecodable")
    assert lake.read(key) == bad
    assert str(ids[1]).encode() in lake.read(note)


def test_bytes_that_changed_in_the_lake_are_not_looked_at(lake) -> None:
    images = stored(lake, [jpeg_of(picture(level=120))])
    data = bytearray(lake.read("batches/b.tar"))
    data[-40] ^= 1
    lake.write("batches/b.tar", bytes(data))
    with pytest.raises(CorruptObject, match="restore"):
        found_in(lake, images)


def test_no_stills_no_faces(lake) -> None:
    part = found_in(lake, IMAGES.empty_table())
    assert part.table().equals(FACES.empty_table())
    assert not part.quarantined


RED, GREEN, BLACK, WHITE = (0, 0, 1), (0, 1, 0), (0, 0, 0), (1, 1, 1)


def faces_of_colours(colours) -> pa.Table:
    """Return rows of `faces` whose crops have these colours; None for no crop."""
    rows = [
        {
            "face_image_id": UUID(int=number + 1).bytes,
            "image_id": UUID(int=1).bytes,
            "camera_id": "door",
            "location_id": "store-101",
            "captured_at": START,
            "box": [0.0] * 4,
            "landmarks": [0.0] * 10,
            **dict.fromkeys(("score", "size_px", "sharpness", "yaw", "pitch", "roll_deg"), 0.5),
            "quality": (number + 1) / 8,
            "crop": None if colour is None else cv2.imencode(".png", crop_of(colour))[1].tobytes(),
        }
        for number, colour in enumerate(colours)
    ]
    return pa.Table.from_pylist(rows, schema=FACES)


def crop_of(colour) -> np.ndarray:
    level = 255 if colour == WHITE else 200
    return np.full((150, 150, 3), np.array(colour) * level, np.uint8)


def test_one_vector_per_crop_in_the_order_of_faces() -> None:
    faces = faces_of_colours([RED, GREEN, RED])
    part = embeddings_of_faces(faces, MeanColour(), DLIB_150, mirror=True)
    assert part.table.schema.equals(face_embeddings(3))
    assert part.table["face_image_id"].to_pylist() == faces["face_image_id"].to_pylist()
    np.testing.assert_allclose(part.table["vector"].to_pylist(), [[0, 0, 1], [0, 1, 0], [0, 0, 1]], atol=1e-6)
    assert part.table["quality"].to_pylist() == faces["quality"].to_pylist()
    assert part.table["model"].to_pylist() == ["dlib_resnet_v1"] * 3
    assert part.invalid == 0


@pytest.mark.parametrize("bad", [BLACK, WHITE], ids=["zero", "NaN"])
def test_a_vector_that_is_none_is_left_out_and_counted(bad) -> None:
    faces = faces_of_colours([RED, bad, GREEN])
    part = embeddings_of_faces(faces, MeanColour(), DLIB_150, mirror=True)
    ids = faces["face_image_id"].to_pylist()
    assert part.table["face_image_id"].to_pylist() == [ids[0], ids[2]]
    np.testing.assert_allclose(part.table["vector"].to_pylist(), [[0, 0, 1], [0, 1, 0]], atol=1e-6)
    assert part.table["quality"].to_pylist() == [0.125, 0.375]
    assert part.invalid == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda vectors: vectors[:, :2],
        lambda vectors: np.repeat(vectors, 2, axis=1),
        lambda vectors: vectors[:-1],
        lambda vectors: vectors[0],
        lambda vectors: vectors * 1.01,
    ],
    ids=["too short", "too long", "one too few", "one for all", "not of length one"],
)
def test_vectors_of_another_shape_are_left_out_and_counted(monkeypatch, answer) -> None:
    """A table of one vector length takes no other; which of too few vectors belongs to which face is unknown."""
    right = MeanColour.embed
    monkeypatch.setattr(MeanColour, "embed", lambda *asked, mirror: answer(right(*asked, mirror=mirror)))
    part = embeddings_of_faces(faces_of_colours([RED, GREEN]), MeanColour(), DLIB_150, mirror=True)
    assert part.table.equals(face_embeddings(3).empty_table())
    assert part.invalid == 2


@pytest.mark.parametrize("colours", [[], [None, None]], ids=["no faces", "no crops"])
def test_without_crops_no_vectors(colours) -> None:
    part = embeddings_of_faces(faces_of_colours(colours), MeanColour(), DLIB_150, mirror=True)
    assert part.table.equals(face_embeddings(3).empty_table())
    assert part.invalid == 0


def test_a_face_without_a_crop_is_no_invalid_vector() -> None:
    faces = faces_of_colours([None, RED])
    part = embeddings_of_faces(faces, MeanColour(), DLIB_150, mirror=True)
    assert part.table["face_image_id"].to_pylist() == faces["face_image_id"].to_pylist()[1:]
    assert part.invalid == 0


def test_crops_are_brought_into_the_pose_of_the_embedder() -> None:
    embedder = MeanColour()
    small = faces_of_colours([RED])
    crop = cv2.imencode(".png", crop_of(RED)[:32, :32])[1].tobytes()
    small = small.set_column(small.schema.get_field_index("crop"), FACES.field("crop"), pa.array([crop], pa.binary()))
    embeddings_of_faces(small, embedder, OTHER_POSE, mirror=False)
    side = embedder.spec.alignment.side_px
    assert embedder.asked == [((1, side, side, 3), False)]


@pytest.mark.parametrize(("wanted", "helps"), [(True, True), (True, False), (False, True), (False, False)])
def test_mirror_images_are_averaged_where_wanted_and_of_use(monkeypatch, wanted, helps) -> None:
    embedder = MeanColour()
    monkeypatch.setattr(embedder, "spec", embedder.spec.model_copy(update={"mirror_helps": helps}), raising=False)
    embeddings_of_faces(faces_of_colours([RED]), embedder, DLIB_150, mirror=wanted)
    assert [mirror for _, mirror in embedder.asked] == [wanted and helps]


def test_only_finite_vectors_of_length_one_are_usable() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 0], [1.01, 0], [0.99, 0], [np.nan, 1], [np.inf, 0]], np.float32)
    assert usable(vectors).tolist() == [True, True, False, False, False, False, False]


@pytest.mark.weights
def test_two_drawn_people_are_found_and_told_apart(lake, pulled_models) -> None:
    """Two simulated scenes: every visible face is found, and one person's vectors lie closer than two people's."""
    simulation = simulate(SimulationPlan(locations=1, days=1, visitors=2, seed=1), procedural_cast(2))
    stills = [still for day in simulation.camera_days() for still in day.stills()]
    alone = [still for still in stills if len(still.truth) == 1 and still.truth[0].visible]
    people = sorted({still.truth[0].person_id for still in alone})
    chosen = [still for person in people for still in [each for each in alone if each.truth[0].person_id == person][:2]]
    assert len(chosen) == 4
    images = stored(lake, [jpeg_of(still.image) for still in chosen], size=(640, 480))
    detector = load_face_detector(cache=pulled_models)
    embedder = load_face_embedder(cache=pulled_models)
    faces = faces_of_images(images, lake, detector, embedder.spec.alignment, keep_crops=True).table()
    assert faces["image_id"].to_pylist() == images["image_id"].to_pylist()
    for box, still in zip(faces["box"].to_pylist(), chosen, strict=True):
        x1, y1, x2, y2 = still.truth[0].box
        assert x1 < (box[0] + box[2]) / 2 < x2
        assert y1 < (box[1] + box[3]) / 2 < y2
    part = embeddings_of_faces(faces, embedder, embedder.spec.alignment, mirror=True)
    vectors = np.array(part.table["vector"].to_pylist())
    distance = 1 - vectors @ vectors.T
    assert part.invalid == 0
    assert max(distance[0, 1], distance[2, 3]) < distance[:2, 2:].min()
