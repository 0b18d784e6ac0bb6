"""The table of known truth that an evaluation compares the pipeline's output with."""

from collections.abc import Iterable, Mapping

import pyarrow as pa

TRUTH_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("location_id", pa.string(), nullable=False),
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("captured_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("box_x1", pa.float32()),
        pa.field("box_y1", pa.float32()),
        pa.field("box_x2", pa.float32()),
        pa.field("box_y2", pa.float32()),
        pa.field("person_id", pa.string()),
        pa.field("appearance_id", pa.string()),
        pa.field("visit_id", pa.string()),
        pa.field("visible", pa.bool_()),
    ]
)


def truth_table(rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Rows of `simulation.truth_rows` as the table that is written to truth.parquet."""
    return pa.Table.from_pylist(list(rows), schema=TRUTH_SCHEMA)
