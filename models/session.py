"""The only door to ONNX Runtime: pinned bytes in, checked contract, explicit threads, time accounted for."""

import time
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models._protobuf import refers_to_other_files
from models.cache import require_sha256
from models.contract import Axis, InputContract, OutputContract
from models.errors import ContractMismatch
from models.manifest import ModelSpec

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8] | NDArray[np.float16] | NDArray[np.float32]

_PROVIDERS = ("CPUExecutionProvider",)
_LOG_ERRORS_ONLY = 3
TENSOR_TYPES = {"uint8": "tensor(uint8)", "float16": "tensor(float16)", "float32": "tensor(float)"}
_RESULT_TYPES = ("tensor(float)", "tensor(float16)")


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
        self.spec = spec
        self.threads = threads
        self._seconds_in_model = 0.0
        self._session = open_session(spec.name, content, threads=threads)
        self._input_name = _check_input(spec, self._session.get_inputs())
        self._output_names = _check_outputs(spec, self._session.get_outputs())

    @property
    def seconds_in_model(self) -> float:
        """Monotonic seconds spent inside the model so far."""
        return self._seconds_in_model

    @property
    def takes_batches(self) -> bool:
        """Whether the model's first axis is free, and its entry does not say one at a time."""
        free = not isinstance(self._session.get_inputs()[0].shape[0], int)
        return free and self.spec.input.batch != "fixed_one"

    def run(self, batch: Pixels) -> tuple[Floats, ...]:
        """Return the outputs in the order of the manifest.

        Args:
            batch: in the layout and type of the input contract.

        Raises:
            ContractMismatch: the batch does not fit the contract, the model cannot compute it, or its results have
                other shapes than declared.
        """
        declared = self.spec.input
        if batch.dtype != np.dtype(declared.dtype) or not _fits(batch.shape, declared.axes, fixed_only=True):
            raise ContractMismatch(
                f"model {self.spec.name!r} takes {declared.dtype} {declared.axes}, got {batch.dtype} {batch.shape}"
            )
        started = time.perf_counter()
        try:
            outputs = self._session.run(self._output_names, {self._input_name: batch})
        except Exception as error:
            raise ContractMismatch(
                f"model {self.spec.name!r} fails on {batch.dtype} {batch.shape}: {_on_one_line(error)}"
            ) from error
        self._seconds_in_model += time.perf_counter() - started
        for contract, output in zip(self.spec.outputs, outputs, strict=True):
            if not _fits(output.shape, contract.shape, fixed_only=True):
                raise ContractMismatch(
                    f"model {self.spec.name!r}: expected an output {contract.shape}, got {output.shape} for an input"
                    f" {batch.shape}; correct outputs.shape, or choose another output"
                )
        return tuple(np.asarray(output, dtype=np.float32) for output in outputs)


def open_session(name: str, content: bytes, *, threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Return ONNX Runtime's own session for the bytes of a model.

    Raises:
        ContractMismatch: the model keeps data outside its file, or does not load.
    """
    if refers_to_other_files(content):
        raise ContractMismatch(
            f"model {name!r}: expected one file with everything in it, got tensors kept in other files"
            " (external data), which is refused; save the model again as a single file"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _LOG_ERRORS_ONLY
    try:
        return ort.InferenceSession(content, sess_options=options, providers=list(_PROVIDERS))
    except Exception as error:
        raise ContractMismatch(
            f"model {name!r} does not load: {_on_one_line(error)}; expected an ONNX file whose operators and opset ONNX"
            f" Runtime {ort.__version__} knows without further libraries: export it again for an older opset"
        ) from error


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _check_input(spec: ModelSpec, inputs: Any) -> str:  # noqa: ANN401
    if len(inputs) != 1:
        raise ContractMismatch(
            f"model {spec.name!r}: expected one input, got {[found.name for found in inputs]}; export the model with"
            " the image as its only input and the weights inside"
        )
    found, declared = inputs[0], spec.input
    remedy = _remedy(found, declared)
    if remedy:
        raise ContractMismatch(
            f"model {spec.name!r}: expected the input {declared.name!r} {declared.dtype} {declared.axes},"
            f" the file has {found.name!r} {found.type} {found.shape}; {remedy}"
        )
    return str(found.name)


def _remedy(found: Any, declared: InputContract) -> str:  # noqa: ANN401
    """Return what to do about an input that is not as declared; empty where it is."""
    known = {tensor: name for name, tensor in TENSOR_TYPES.items()}
    batch = found.shape[0] if found.shape else None
    checks = (
        (declared.name in ("", found.name), f"set input.name = {found.name!r} or leave it out"),
        (found.type in known, f"export it with an input of {', '.join(TENSOR_TYPES)}"),
        (found.type == TENSOR_TYPES[declared.dtype], f"set input.dtype = {known.get(found.type)!r}"),
        (len(found.shape) == len(declared.axes), f"export it with an image input of {len(declared.axes)} axes"),
        (batch == 1 or not isinstance(batch, int), "export it for one image at a time or with a free first axis"),
        (_fits(found.shape[:1], declared.axes[:1]), "set input.batch = 'fixed_one'"),
        (_fits(found.shape[1:], declared.axes[1:]), "correct input.layout, input.height and input.width"),
    )
    return next((remedy for holds, remedy in checks if not holds), "")


def _check_outputs(spec: ModelSpec, outputs: Any) -> list[str]:  # noqa: ANN401
    return [_output_name(spec, declared, outputs) for declared in spec.outputs]


def _output_name(spec: ModelSpec, declared: OutputContract, outputs: Any) -> str:  # noqa: ANN401
    """Return the name of the file's output that is meant by its name or index; without either, of the only one."""
    called = repr(declared.name) if declared.index is None else f"number {declared.index}"
    what = f"model {spec.name!r}: expected the output {called} {declared.shape}"
    if declared.index is not None:
        candidates = list(outputs)[declared.index : declared.index + 1]
    else:
        only = len(outputs) == len(spec.outputs) == 1 and not declared.name
        candidates = [found for found in outputs if only or found.name == declared.name]
    if not candidates:
        seen = ", ".join(f"{number}: {found.name!r} {found.shape}" for number, found in enumerate(outputs))
        raise ContractMismatch(f"{what}, the file has {seen}; set outputs.name or outputs.index to one of these")
    [found] = candidates
    if found.type not in _RESULT_TYPES or not _fits(found.shape, declared.shape):
        raise ContractMismatch(f"{what}, the file has {found.name!r} {found.type} {found.shape}; correct outputs.shape")
    return str(found.name)


def _fits(shape: Any, axes: tuple[Axis, ...], *, fixed_only: bool = False) -> bool:  # noqa: ANN401
    """Tell whether a shape is as declared; `fixed_only` checks an array, where free axes have a number too."""
    if len(shape) != len(axes):
        return False
    return all(_axis_fits(size, axis, fixed_only=fixed_only) for size, axis in zip(shape, axes, strict=True))


def _axis_fits(size: int | str | None, axis: Axis, *, fixed_only: bool) -> bool:
    if isinstance(axis, int):
        return size == axis or not isinstance(size, int)  # an axis the file leaves free takes the declared number
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
