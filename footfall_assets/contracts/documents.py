"""JSON documents: from outside with a cap on their size, one value a name and a schema; our own with a schema."""

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from footfall_assets.contracts.errors import CorruptObject, InvalidDocument

_Record = TypeVar("_Record", bound=BaseModel)


def parse_document(document: bytes, record: type[_Record], *, most_bytes: int) -> _Record:
    """Return the record that a UTF-8 JSON `document` holds.

    Raises:
        InvalidDocument: more than `most_bytes`, no JSON, a name given twice, or not what `record` takes.
    """
    if len(document) > most_bytes:
        raise InvalidDocument(f"expected at most {most_bytes} bytes of JSON, got {len(document)} or more")
    try:
        parsed = record.model_validate_json(document)  # its parser is bounded in depth, so what follows is too
        json.loads(document, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError) as error:
        summary = " ".join(str(error).splitlines()[:3])[:400]
        raise InvalidDocument(f"expected a document of {record.__name__}, got: {summary}") from error
    return parsed


def parse_stored(document: bytes, record: type[_Record], what: str) -> _Record:
    """Return the record that a JSON document of our own holds; `what` names it in the message.

    Raises:
        CorruptObject: it is not what was written.
    """
    try:
        return record.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CorruptObject(f"{what}: expected {record.__name__}, got {field}: {first['msg']}; restore it") from error


def without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object; readers differ in which of two values for one name they take, so none may be given."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("expected every name once in each JSON object")
    return found
