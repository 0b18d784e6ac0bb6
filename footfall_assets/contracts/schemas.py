"""Arrow schemas of the lake's tables. Column order is part of the contract; ids are UUIDs, times UTC microseconds."""

from typing import Final

import pyarrow as pa

from footfall_assets.contracts.attributes import EXPRESSIONS

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_UUID: Final = pa.uuid()
_UUIDS: Final = pa.list_(pa.binary(16))  # PyArrow makes no empty column of lists of its UUID type


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


IMAGES: Final = pa.schema(
    [
        _required("image_id", _UUID),
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("captured_at", _TIMESTAMP),
        _required("batch_id", _UUID),
        _required("width", pa.int32()),  # pixels
        _required("height", pa.int32()),  # pixels
        _required("filter", pa.string()),
        _required("zones", pa.list_(pa.string())),
        _required("sha256", pa.string()),
        _required("object", pa.string()),  # key of the batch tar in the lake
        _required("offset", pa.int64()),  # bytes from the start of that object
        _required("length", pa.int64()),  # bytes
    ]
)

COVERAGE: Final = pa.schema(
    [
        _required("batch_id", _UUID),
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("device_id", pa.string()),
        _required("sequence", pa.int64()),  # per camera and device, from 1: a number that is missing is a lost batch
        _required("day", pa.date32()),
        _required("opened_at", _TIMESTAMP),
        _required("closed_at", _TIMESTAMP),
        _required("interval_s", pa.float64()),
        _required("frames_expected", pa.int64()),
        _required("frames_captured", pa.int64()),
        _required("frames_kept", pa.int64()),
        _required("images_quarantined", pa.int64()),
    ]
)

FACES: Final = pa.schema(
    [
        _required("face_image_id", _UUID),
        _required("image_id", _UUID),
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("captured_at", _TIMESTAMP),
        _required("box", pa.list_(pa.float32(), 4)),  # x1, y1, x2, y2 in pixels of the still
        _required("landmarks", pa.list_(pa.float32(), 10)),  # five (x, y) in pixels of the still
        _required("score", pa.float32()),
        _required("size_px", pa.float32()),
        _required("sharpness", pa.float32()),
        _required("yaw", pa.float32()),
        _required("pitch", pa.float32()),
        _required("roll_deg", pa.float32()),
        _required("quality", pa.float32()),  # 0 to 1
        pa.field("crop", pa.binary()),  # aligned JPEG; null where the location counts only
    ]
)


def face_embeddings(dim: int) -> pa.Schema:
    """Return the schema of `face_embeddings` for vectors of `dim` numbers."""
    return pa.schema(
        [
            _required("face_image_id", _UUID),
            _required("model", pa.string()),
            _required("vector", pa.list_(pa.float32(), dim)),  # unit length
            _required("quality", pa.float32()),
        ]
    )


# What faces look like, where a location has it switched on; null where it has not. One row is one face.
FACE_ATTRIBUTES: Final = pa.schema(
    [
        _required("face_image_id", _UUID),
        _required("models", pa.string()),  # identities, as `Platform.attribute_models`
        pa.field("age_years", pa.float32()),
        pa.field("female", pa.float32()),  # probability
        *(pa.field(name, pa.float32()) for name in EXPRESSIONS),  # probabilities, they add up to 1
    ]
)

LOCAL_VISITORS: Final = pa.schema(
    [
        _required("face_image_id", _UUID),
        _required("image_id", _UUID),
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("captured_at", _TIMESTAMP),
        pa.field("local_visitor_id", _UUID),
        pa.field("match_score", pa.float32()),  # cosine to the visitor's template
        pa.field("unidentified_reason", pa.string()),
    ]
)


def local_visitor_templates(dim: int) -> pa.Schema:
    """Return the schema of the table of templates beside `local_visitors`; one row is one local visitor."""
    return pa.schema(
        [
            _required("local_visitor_id", _UUID),
            _required("location_id", pa.string()),
            _required("day", pa.date32()),
            _required("vector", pa.list_(pa.float32(), dim)),  # unit length
            _required("faces", pa.int32()),
            _required("quality", pa.float32()),
            _required("stay_starts", pa.list_(_TIMESTAMP)),  # spans in which it certainly was there
            _required("stay_ends", pa.list_(_TIMESTAMP)),
            _required("conflicts", _UUIDS),  # local visitors it shared an image with
        ]
    )


IDENTITIES: Final = pa.schema(
    [
        _required("local_visitor_id", _UUID),
        _required("face_id", _UUID),
        _required("location_id", pa.string()),
        _required("day", pa.date32()),  # the local visitor's day
        _required("match_score", pa.float32()),  # cosine to the identity's template
        _required("minted_on", pa.date32()),
        _required("merged_from", _UUIDS),  # names of the day before that this identity took over
        pa.field("split_from", _UUID),  # the name of the day before that it lost
        pa.field("excluded_reason", pa.string()),  # why the identity leaves all counts; null where it counts
    ]
)

# Beside `identities`, where embedder and threshold are calibrated: in which cluster of its window each local visitor is
# at each cut of the merge tree, so that any part of them can be counted anew. One row is one local visitor.
CUT_COLUMNS: Final = tuple(f"cut_{number:02}" for number in range(1, 12))
CUTS: Final = pa.schema(
    [_required("local_visitor_id", _UUID), *(_required(column, pa.int32()) for column in CUT_COLUMNS)]
)

# Beside `identities`: how often local visitors who certainly are different people look alike, one row.
STRANGERS: Final = pa.schema(
    [
        _required("pairs", pa.int64()),  # in one still, or at two locations at once
        _required("matches", pa.int64()),  # of these, as near as the threshold of the window
    ]
)

# Beside `identities`, on provisional days only: what the day rests on, one row.
PROVISIONAL: Final = pa.schema(
    [
        _required("day", pa.date32()),  # the provisional day itself
        _required("sealed_day", pa.date32()),  # the newest day before it that was solved over the whole window
        _required("local_visitors", pa.int64()),  # since then
        _required("attached", pa.int64()),  # of these, to an identity of the sealed day
        _required("index_used", pa.bool_()),  # whether an index proposed the candidates; else all were compared
        _required("splits_waiting", pa.int64()),  # pairs that a correction parts only once the window is solved again
    ]
)

# Beside `identities`, where correction events touch its window: what became of each.
CORRECTIONS: Final = pa.schema(
    [
        _required("sequence", pa.int64()),  # of the event
        _required("kind", pa.string()),  # merge, split, exclude
        _required("status", pa.string()),  # applied, unmatched, superseded, impossible
        _required("anchors", pa.int64()),  # up to the day of the map
        _required("matched", pa.int64()),  # of these, anchors that a face with a visitor overlaps
        _required("superseded_pairs", pa.int64()),  # pairs of local visitors that a later event overruled
        _required("impossible_pairs", pa.int64()),  # pairs that were in one still or at two locations at once
    ]
)

SIGHTINGS: Final = pa.schema(
    [
        _required("face_image_id", _UUID),
        _required("image_id", _UUID),
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("captured_at", _TIMESTAMP),
        pa.field("local_visitor_id", _UUID),
        pa.field("match_score", pa.float32()),
        pa.field("unidentified_reason", pa.string()),
        _required("detector", pa.string()),
        pa.field("embedder", pa.string()),
        _required("version", pa.string()),  # of the local visitors it comes from
        pa.field("zone", pa.string()),  # the drawn area of the picture that holds the face's centre; null where none
    ]
)

VISITOR_NUMBERS: Final = pa.schema(
    [
        _required("linkage_window", pa.string()),
        _required("face_id", _UUID),
        _required("ordinal", pa.int64()),  # place in the window's append-only ledger
        _required("visitor_id", pa.string()),
    ]
)
