"""From a name in the manifest and a cache folder to a working model.

Every loader raises the same errors: `ManifestError` where no model of that kind has the name or nothing here can
read its family, `ModelMissing` where it was not pulled yet, `HashMismatch` where the cached file was changed, and
`ContractMismatch` where the file is not what the manifest declares.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.cache import read_model
from models.detector import CenterFace, DetectorOptions, FaceDetector, PersonDetector
from models.embedder import FaceEmbedder, OnnxEmbedder
from models.errors import ManifestError
from models.manifest import Manifest, ModelKind, load_manifest
from models.session import ModelSession
from models.yolox import YoloX
from models.yunet import YuNet

if TYPE_CHECKING:
    from models.attributes import AgeGenderEstimator, ExpressionEstimator

DEFAULT_FACE_DETECTOR = "centerface"
DEFAULT_FACE_EMBEDDER = "dlib_resnet_v1"
DEFAULT_PERSON_DETECTOR = "yolox_nano"
DEFAULT_AGE_GENDER = "age_gender"
DEFAULT_EXPRESSION = "expression"

Reader = TypeVar("Reader")


def load_face_detector(
    name: str = DEFAULT_FACE_DETECTOR,
    *,
    cache: Path,
    threads: int = 1,
    options: DetectorOptions | None = None,
    manifest: Manifest | None = None,
) -> FaceDetector:
    """Load a face detector from the cache (errors: see the module)."""
    session = _open(name, ModelKind.FACE_DETECTOR, cache=cache, threads=threads, manifest=manifest)
    families: dict[str, type[CenterFace | YuNet]] = {"centerface": CenterFace, "yunet": YuNet}
    return _reader(session, families)(session, options)


def load_face_embedder(
    name: str = DEFAULT_FACE_EMBEDDER, *, cache: Path, threads: int = 1, manifest: Manifest | None = None
) -> FaceEmbedder:
    """Load a face embedder from the cache (errors: see the module)."""
    session = _open(name, ModelKind.FACE_EMBEDDER, cache=cache, threads=threads, manifest=manifest)
    return _reader(session, {"image_to_vector": OnnxEmbedder})(session)


def load_person_detector(
    name: str = DEFAULT_PERSON_DETECTOR,
    *,
    cache: Path,
    threads: int = 1,
    options: DetectorOptions | None = None,
    manifest: Manifest | None = None,
) -> PersonDetector:
    """Load a person detector from the cache (errors: see the module)."""
    session = _open(name, ModelKind.PERSON_DETECTOR, cache=cache, threads=threads, manifest=manifest)
    return _reader(session, {"yolox": YoloX})(session, options)


def load_age_gender(
    name: str = DEFAULT_AGE_GENDER, *, cache: Path, threads: int = 1, manifest: Manifest | None = None
) -> "AgeGenderEstimator":
    """Load an age and gender estimator from the cache (errors: see the module)."""
    from models.attributes import FaceApiAgeGender  # noqa: PLC0415 - where switched off, it is never imported

    session = _open(name, ModelKind.AGE_GENDER, cache=cache, threads=threads, manifest=manifest)
    return _reader(session, {"face_api": FaceApiAgeGender})(session)


def load_expression(
    name: str = DEFAULT_EXPRESSION, *, cache: Path, threads: int = 1, manifest: Manifest | None = None
) -> "ExpressionEstimator":
    """Load an expression estimator from the cache (errors: see the module)."""
    from models.attributes import FaceApiExpression  # noqa: PLC0415 - likewise

    session = _open(name, ModelKind.EXPRESSION, cache=cache, threads=threads, manifest=manifest)
    return _reader(session, {"face_api": FaceApiExpression})(session)


def _open(name: str, kind: ModelKind, *, cache: Path, threads: int, manifest: Manifest | None) -> ModelSession:
    spec = (manifest or load_manifest()).get(name, kind)
    return ModelSession(spec, read_model(spec, cache), threads=threads)


def _reader(session: ModelSession, families: Mapping[str, type[Reader]]) -> type[Reader]:
    family = session.spec.family
    if family not in families:
        known = ", ".join(families)
        raise ManifestError(f"model {session.spec.name!r}: nothing reads family {family!r}; known: {known}")
    return families[family]
