"""Between Arrow columns and numpy arrays."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Return a column of fixed-size lists of float32 as an (n, d) array."""
    width = column.type.list_size
    flat = column.combine_chunks().flatten() if len(column) else pa.array([], pa.float32())
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, width)


def list_column(vectors: NDArray[np.float32], width: int) -> pa.Array:
    """Return an (n, width) array as a column of fixed-size lists."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel(), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, width)


def uuid_column(values: Sequence[UUID | None]) -> pa.Array:
    """Return Python UUIDs as a column."""
    return pa.array([None if value is None else value.bytes for value in values], pa.uuid())


def uuid_lists(values: Sequence[Sequence[UUID]]) -> pa.Array:
    """Return lists of Python UUIDs as a column of lists of 16 bytes."""
    return pa.array([[each.bytes for each in several] for several in values], pa.list_(pa.binary(16)))


def microseconds(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return a timestamp column as microseconds since the epoch."""
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def codes(values: Sequence[object]) -> NDArray[np.int64]:
    """Return a number for each value, equal for equal values, in the order of first appearance."""
    seen: dict[object, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], dtype=np.int64)
