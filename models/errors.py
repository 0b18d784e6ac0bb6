"""What can go wrong between a line in the manifest and the first result of a model."""


class ModelError(Exception):
    """Any failure of this package; the message says what to do next."""


class ManifestError(ModelError):
    """The manifest does not parse, contradicts itself, or lacks the model asked for."""


class ModelMissing(ModelError):
    """The cache does not hold the model yet."""


class HashMismatch(ModelError):
    """Bytes differ from the ones the manifest pins."""


class ContractMismatch(ModelError):
    """A model, or what is fed to it, has other names, shapes or types than the manifest declares."""


class FetchFailed(ModelError):
    """No source could deliver a file."""


class ConversionFailed(ModelError):
    """A source file could not be turned into the pinned ONNX file."""
