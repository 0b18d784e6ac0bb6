"""Stills out of the lake, decoded: a range of a batch tar becomes a picture, or a reason why not."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.lake import LakeStore

Item = TypeVar("Item")


@dataclass(frozen=True)
class DecodedStill:
    """A row of `images` with its picture: BGR uint8 (height, width, 3), or None where it does not decode."""

    row: dict[str, Any]
    jpeg: bytes
    picture: NDArray[np.uint8] | None


def decoded_stills(images: pa.Table, lake: LakeStore) -> Iterator[DecodedStill]:
    """Yield the stills of a table of `images` in its order.

    Raises:
        CorruptObject: bytes in the lake are not those that `images` recorded.
    """
    for row in images.to_pylist():
        jpeg = lake.read_range(row["object"], row["offset"], row["length"])
        if sha256_hex(jpeg) != row["sha256"]:
            raise CorruptObject(
                f"{row['object']}: bytes of image {row['image_id']} changed after intake; restore the batch"
            )
        yield DecodedStill(row, jpeg, _decode(jpeg, (row["height"], row["width"])))


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield `items` in order, the next one being made in a thread while the caller works on the last.

    Decoding releases Python's lock, so it costs no time of its own while a model runs.
    """
    source = iter(items)
    end = object()
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, source, end)
        while (item := coming.result()) is not end:
            coming = worker.submit(next, source, end)
            yield cast("Item", item)


def _decode(jpeg: bytes, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if picture is None or picture.shape[:2] != shape:
        return None
    return np.asarray(picture, dtype=np.uint8)
