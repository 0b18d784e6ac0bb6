"""Keeping what decided the versions that are published, beside the publications."""

from pydantic import BaseModel

from footfall_assets.contracts.version_causes import VersionCauses, dotted, version_causes_key
from footfall_assets.contracts.versions import code_contracts
from footfall_assets.platform import Platform
from models.manifest import ModelKind, ModelSpec

_BESIDE_THE_VERSIONS = frozenset({"counting"})  # a rule of the marts, which say it themselves


def record_version_causes(platform: Platform) -> None:
    """Write what decided the active versions, once."""
    versions = platform.versions.as_dict()
    key = version_causes_key(versions)
    if not platform.lake.exists(key):
        record = VersionCauses.of(versions, _causes(platform))
        platform.lake.write(key, record.model_dump_json(indent=1).encode())


def _causes(platform: Platform) -> dict[str, str]:
    settings = platform.settings
    groups = {name: getattr(settings, name) for name in type(settings).model_fields}
    causes: dict[str, str] = {}
    for name, group in groups.items():
        if isinstance(group, BaseModel) and name not in _BESIDE_THE_VERSIONS:
            causes |= dotted(f"setting.{name}", group.model_dump(mode="json"))
    detector = platform.model_manifest.get(settings.detection.detector, ModelKind.FACE_DETECTOR)
    embedder = platform.model_manifest.get(settings.embedding.embedder, ModelKind.FACE_EMBEDDER)
    models = {"detector": _model(detector), "embedder": _model(embedder)}
    return causes | dotted("model", models) | dotted("code", dict(code_contracts()))


def _model(spec: ModelSpec) -> dict[str, str]:
    return {
        "name": f"{spec.name} {spec.version}",
        "sha256": spec.onnx_sha256,
        "contract": spec.identity,
        "alignment": spec.alignment.name if spec.alignment else "none",
    }
