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


def uuid_words(column: pa.ChunkedArray | pa.Array) -> NDArray[np.uint64]:
    """Return a column of UUIDs or of 16 bytes, without nulls, as (n, 2) numbers that sort as the ids do."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    plain = whole.storage if isinstance(whole, pa.ExtensionArray) else whole
    if not len(plain):
        return np.empty((0, 2), dtype=np.uint64)
    words = np.frombuffer(plain.buffers()[1], dtype=">u8").reshape(-1, 2)
    return words[plain.offset : plain.offset + len(plain)].astype(np.uint64)


def words_column(words: NDArray[np.uint64], *, valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return (n, 2) numbers as a column of UUIDs, null where not `valid`."""
    plain = _sixteen_bytes(words)
    if valid is not None:
        plain = plain.take(pa.array(np.arange(len(words)), mask=~valid))
    return pa.ExtensionArray.from_storage(pa.uuid(), plain)


def words_lists(words: NDArray[np.uint64], sizes: NDArray[np.int64]) -> pa.Array:
    """Return (m, 2) numbers as a column of lists of 16 bytes, `sizes` (n,) of them in each row, in order."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _sixteen_bytes(words))


def _sixteen_bytes(words: NDArray[np.uint64]) -> pa.Array:
    buffer = pa.py_buffer(np.ascontiguousarray(words).astype(">u8").tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(words), [None, buffer])
