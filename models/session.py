"""The only door to ONNX Runtime: pinned bytes in, checked contract, explicit threads, time accounted for."""

import time
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models._protobuf import refers_to_other_files
from models.cache import require_sha256
from models.errors import ContractMismatch
from models.manifest import Axis, ModelSpec

Floats = NDArray[np.float32]

_PROVIDERS = ("CPUExecutionProvider",)
_LOG_ERRORS_ONLY = 3
_TENSOR_TYPES = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}


class ModelSession:
    """A loaded model with one image input.

    Not for use by several threads at once: `seconds_in_model` would count wrongly.

    Raises:
        HashMismatch: the bytes are not the ones the manifest pins.
        ContractMismatch: the model keeps data outside its file, does not load, or its inputs and outputs are not
            the declared ones.
    """

    def __init__(self, spec: ModelSpec, content: bytes, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        require_sha256(content, spec.onnx_sha256, what=f"model {spec.name!r}", remedy="pull the model again")
        if refers_to_other_files(content):
            raise ContractMismatch(f"model {spec.name!r} keeps tensors in other files; such models are refused")
        self.spec = spec
        self.threads = threads
        self._seconds_in_model = 0.0
        self._session = _open(spec, content, threads=threads)
        self._input_name = _check_input(spec, self._session.get_inputs())
        self._output_names = _check_outputs(spec, self._session.get_outputs())

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside the model so far."""
        return self._seconds_in_model

    @property
    def takes_batches(self) -> bool:
        """Whether the model's first axis is free."""
        return not isinstance(self._session.get_inputs()[0].shape[0], int)

    def run(self, batch: NDArray[np.uint8] | Floats) -> tuple[Floats, ...]:
        """Return the outputs in the order of the manifest.

        Args:
            batch: in the layout and type of the input contract.

        Raises:
            ContractMismatch: the batch does not fit the contract.
        """
        declared = self.spec.input
        if batch.dtype != np.dtype(declared.dtype) or not _fits(batch.shape, declared.axes, fixed_only=True):
            raise ContractMismatch(
                f"model {self.spec.name!r} takes {declared.dtype} {declared.axes}, got {batch.dtype} {batch.shape}"
            )
        started = time.perf_counter()
        outputs = self._session.run(self._output_names, {self._input_name: batch})
        self._seconds_in_model += time.perf_counter() - started
        return tuple(np.asarray(output, dtype=np.float32) for output in outputs)


def _open(spec: ModelSpec, content: bytes, *, threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _LOG_ERRORS_ONLY
    try:
        return ort.InferenceSession(content, sess_options=options, providers=list(_PROVIDERS))
    except Exception as error:
        raise ContractMismatch(f"model {spec.name!r} does not load: {error}") from error


def _check_input(spec: ModelSpec, inputs: Any) -> str:  # noqa: ANN401
    if len(inputs) != 1:
        raise ContractMismatch(f"model {spec.name!r}: expected one input, got {[found.name for found in inputs]}")
    found, declared = inputs[0], spec.input
    named = declared.name in ("", found.name)
    typed = found.type == _TENSOR_TYPES[declared.dtype]
    if not (named and typed and _fits(found.shape, declared.axes)):
        raise ContractMismatch(
            f"model {spec.name!r}: expected the input {declared.name!r} {declared.dtype} {declared.axes},"
            f" the file has {found.name!r} {found.type} {found.shape}"
        )
    return str(found.name)


def _check_outputs(spec: ModelSpec, outputs: Any) -> list[str]:  # noqa: ANN401
    by_name = {found.name: found for found in outputs}
    if len(spec.outputs) == 1 and not spec.outputs[0].name and len(outputs) == 1:
        by_name[""] = outputs[0]
    for declared in spec.outputs:
        found = by_name.get(declared.name)
        if found is None or found.type != "tensor(float)" or not _fits(found.shape, declared.shape):
            seen = found.shape if found else f"only {[output.name for output in outputs]}"
            raise ContractMismatch(
                f"model {spec.name!r}: expected the output {declared.name!r} {declared.shape}, the file has {seen}"
            )
    return [str(by_name[declared.name].name) for declared in spec.outputs]


def _fits(shape: Any, axes: tuple[Axis, ...], *, fixed_only: bool = False) -> bool:  # noqa: ANN401
    """Tell whether a shape is as declared; `fixed_only` checks an array, where free axes have a number too."""
    if len(shape) != len(axes):
        return False
    return all(_axis_fits(size, axis, fixed_only=fixed_only) for size, axis in zip(shape, axes, strict=True))


def _axis_fits(size: int | str | None, axis: Axis, *, fixed_only: bool) -> bool:
    if isinstance(axis, int):
        return size == axis
    return fixed_only or axis == "any" or not isinstance(size, int)


class SessionBacked:
    """What every model around a session shares: its manifest entry, and the time spent inside it."""

    def __init__(self, session: ModelSession) -> None:
        self._session = session

    @property
    def spec(self) -> ModelSpec:
        """The manifest entry behind the results."""
        return self._session.spec

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside ONNX Runtime so far."""
        return self._session.seconds_in_model
