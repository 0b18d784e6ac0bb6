import pytest

from models.cache import cached_path
from models.catalog import load_face_detector, load_face_embedder
from models.errors import HashMismatch, ManifestError, ModelMissing
from models.manifest import Manifest


@pytest.fixture
def manifest(mean_colour, entry) -> Manifest:
    return Manifest.model_validate({"models": [entry(mean_colour)]})


@pytest.fixture
def cache(mean_colour, manifest, tmp_path):
    path = cached_path(manifest.models[0], tmp_path)
    path.parent.mkdir()
    path.write_bytes(mean_colour)
    return tmp_path


def test_any_embedder_of_the_manifest_loads(manifest, cache) -> None:
    embedder = load_face_embedder("mean_colour", cache=cache, threads=2, manifest=manifest)
    assert embedder.spec.name == "mean_colour"
    assert embedder.dim == 3


def test_empty_cache(tmp_path) -> None:
    with pytest.raises(ModelMissing, match="run `footfall models pull`"):
        load_face_detector(cache=tmp_path)


def test_changed_file(manifest, cache) -> None:
    cached_path(manifest.models[0], cache).write_bytes(b"changed")
    with pytest.raises(HashMismatch):
        load_face_embedder("mean_colour", cache=cache, manifest=manifest)


def test_model_of_another_kind(manifest, cache) -> None:
    with pytest.raises(ManifestError, match="no face_detector named 'mean_colour'"):
        load_face_detector("mean_colour", cache=cache, manifest=manifest)


def test_unknown_family(mean_colour, entry, cache) -> None:
    manifest = Manifest.model_validate({"models": [entry(mean_colour, family="transformer")]})
    with pytest.raises(ManifestError, match="nothing reads family 'transformer'; known: image_to_vector"):
        load_face_embedder("mean_colour", cache=cache, manifest=manifest)
