"""Just enough of the protocol buffer wire format to see whether an ONNX file refers to other files.

The edge has no `onnx` package, and ONNX Runtime follows such references in some releases.
Source: protobuf.dev, "Encoding"; field numbers from onnx.proto3 (onnx 1.19).
"""

from collections.abc import Iterator

from models.errors import ContractMismatch

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10

# Message fields that can lead to a tensor, by message type: field number -> type of what it holds.
_PATHS_TO_TENSORS = {
    "Model": {7: "Graph", 20: "TrainingInfo", 25: "Function"},
    "TrainingInfo": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14
_LOCATION_IN_FILE = 0


def refers_to_other_files(model: bytes) -> bool:
    """Tell whether any tensor of an ONNX model keeps its values outside the model.

    Raises:
        ContractMismatch: the bytes are not a protocol buffer.
    """
    return _has_external_tensor(memoryview(model), "Model")


def _has_external_tensor(message: memoryview, kind: str) -> bool:
    children = _PATHS_TO_TENSORS[kind]
    for number, value in _fields(message):
        if kind == "Tensor" and _marks_external(number, value):
            return True
        child = children.get(number)
        if child and isinstance(value, memoryview) and _has_external_tensor(value, child):
            return True
    return False


def _marks_external(number: int, value: int | memoryview) -> bool:
    return number == _TENSOR_EXTERNAL_DATA or (number == _TENSOR_DATA_LOCATION and value != _LOCATION_IN_FILE)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field's number and its integer or bytes."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        size, position = _payload(message, position, wire_type)
        if position + size > len(message):
            raise ContractMismatch("the model is cut short: a field is longer than the file")
        yield number, message[position : position + size]
        position += size


def _payload(message: memoryview, position: int, wire_type: int) -> tuple[int, int]:
    if wire_type == _BYTES:
        return _varint(message, position)
    if wire_type in (_FIXED64, _FIXED32):
        return (8 if wire_type == _FIXED64 else 4), position
    raise ContractMismatch(f"the model is not an ONNX file: unknown wire type {wire_type}")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the high bit says that another byte follows
            return value, position + index + 1
    raise ContractMismatch("the model is not an ONNX file: it ends inside a number")
