"""Converters from the files that publishers ship to the ONNX files this project runs.

The only part that needs the `onnx` package; the edge receives converted files. A converter is a pure function
of bytes, and its result is pinned by hash, so it may not depend on time, order of dictionaries, or the machine.
"""

from collections.abc import Callable, Mapping

from models.errors import ConversionFailed

Converter = Callable[[Mapping[str, bytes]], bytes]


def convert(name: str, files: Mapping[str, bytes]) -> bytes:
    """Return the ONNX bytes that converter `name` makes of source files, given by base name.

    Raises:
        ConversionFailed: no such converter, `onnx` is not installed, or the files are not what it expects.
    """
    try:
        from models.convert import centerface, dlib_resnet, face_api  # noqa: PLC0415 - onnx is platform-only
    except ImportError as error:
        raise ConversionFailed(
            f"converting a model needs the platform extra, `pip install 'footfall[platform]'` ({error})"
        ) from error
    converters: Mapping[str, Converter] = {
        "centerface": centerface.convert,
        "dlib_resnet": dlib_resnet.convert,
        "face_api_age_gender": face_api.convert_age_gender,
        "face_api_expression": face_api.convert_expression,
    }
    if name not in converters:
        raise ConversionFailed(f"unknown converter {name!r}; known: {', '.join(converters)}")
    return converters[name](files)


def only_file(files: Mapping[str, bytes]) -> bytes:
    """Return the content of the one file.

    Raises:
        ConversionFailed: there is not exactly one.
    """
    if len(files) != 1:
        raise ConversionFailed(f"expected one source file, got {sorted(files) or 'none'}")
    return next(iter(files.values()))
