import re
import tomllib
from importlib import resources

import pytest
from pydantic import ValidationError

from models.alignment import ARCFACE_112
from models.errors import ManifestError
from models.manifest import Manifest, ModelKind, ModelSpec, load_manifest, parse_manifest


def test_shipped_manifest_has_the_default_models() -> None:
    manifest = load_manifest()
    assert [spec.name for spec in manifest.required()] == ["centerface", "dlib_resnet_v1"]
    assert manifest.get("dlib_resnet_v1", ModelKind.FACE_EMBEDDER).embedding_dim == 128


def test_shipped_manifest_names_no_package_registry() -> None:
    text = resources.files("models").joinpath("manifest.toml").read_text("utf-8")
    hosts = set(re.findall(r"https?://([^/\"]+)", text))
    assert hosts == {"github.com"}


def test_every_embedder_that_ships_has_a_threshold_or_says_why_not() -> None:
    for spec in load_manifest().models:
        if spec.kind is ModelKind.FACE_EMBEDDER:
            assert spec.threshold or "no threshold" in spec.notes


def test_unknown_key_is_an_error(entry) -> None:
    with pytest.raises(ValidationError, match="colour_space"):
        ModelSpec.model_validate(entry(colour_space="rgb"))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"onnx_sha256": "0" * 64}, "must be equal"),
        ({"onnx_sha256": "A" * 64}, "onnx_sha256"),
        ({"embedding_dim": None}, "needs embedding_dim"),
        ({"alignment": None}, "needs embedding_dim, metric and alignment"),
        ({"alignment": "dlib_151"}, "unknown template 'dlib_151'"),
        ({"alignment": "arcface_112"}, "the crop is 112 px but the input 16 x 16"),
        ({"name": "../evil"}, "name"),
        ({"outputs": []}, "outputs"),
    ],
)
def test_contradictions_are_refused(entry, changes, complaint) -> None:
    with pytest.raises(ValidationError, match=complaint):
        ModelSpec.model_validate(entry(**changes))


@pytest.mark.parametrize("path", ["../weights.bin", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_source_paths_stay_inside_the_archive(entry, path) -> None:
    given = entry()
    given["source"]["files"][0]["path"] = path
    with pytest.raises(ValidationError, match=r"relative path"):
        ModelSpec.model_validate(given)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"height": None}, "both height and width"),
        ({"dtype": "uint8", "mean": [1, 1, 1]}, "cannot carry a mean"),
        ({"layout": "hwc"}, "layout"),
        ({"scale": 0}, "greater than 0"),
    ],
)
def test_input_contract_is_checked(entry, change, complaint) -> None:
    given = entry()
    given["input"] |= change
    with pytest.raises(ValidationError, match=complaint):
        ModelSpec.model_validate(given)


def test_registry_and_archive_kind_must_fit(entry) -> None:
    source = {
        "kind": "registry",
        "registry": "npm",
        "package": "some-package",
        "version": "1.0",
        "archive": "wheel",
        "archive_sha256": "0" * 64,
        "files": entry()["source"]["files"],
    }
    with pytest.raises(ValidationError, match="does not carry archives of kind 'wheel'"):
        ModelSpec.model_validate(entry(source=source))


def test_https_source_must_be_https(entry) -> None:
    source = {"kind": "https", "url": "http://example.org/a.onnx", "files": entry()["source"]["files"]}
    with pytest.raises(ValidationError, match="url"):
        ModelSpec.model_validate(entry(source=source))


def test_template_may_be_named(entry) -> None:
    given = entry(alignment="arcface_112")
    given["input"] |= {"height": 112, "width": 112}
    assert ModelSpec.model_validate(given).alignment == ARCFACE_112


def test_identity_follows_what_changes_the_result(entry) -> None:
    plain = ModelSpec.model_validate(entry())
    other_scale = entry()
    other_scale["input"] |= {"scale": 0.5}
    assert ModelSpec.model_validate(other_scale).identity != plain.identity
    assert ModelSpec.model_validate(entry(b"other")).identity != plain.identity


def test_identity_ignores_words(entry) -> None:
    plain = ModelSpec.model_validate(entry())
    assert ModelSpec.model_validate(entry(licence="CC0-1.0", notes="x", name="renamed")).identity == plain.identity


def test_specs_are_frozen(entry) -> None:
    spec = ModelSpec.model_validate(entry())
    with pytest.raises(ValidationError, match="frozen"):
        spec.version = "2"


def test_repeated_name_is_refused(entry) -> None:
    with pytest.raises(ValidationError, match="repeated: mean_colour"):
        Manifest.model_validate({"models": [entry(), entry()]})


def test_unknown_model_lists_the_known(entry) -> None:
    manifest = Manifest.model_validate({"models": [entry()]})
    with pytest.raises(ManifestError, match="known: mean_colour"):
        manifest.get("meen_colour")
    with pytest.raises(ManifestError, match="no face_detector named 'mean_colour'"):
        manifest.get("mean_colour", ModelKind.FACE_DETECTOR)


@pytest.mark.parametrize("text", ["models = ", "", "[[models]]\nname = 'x'", "models = []"])
def test_broken_text_is_a_manifest_error(text) -> None:
    with pytest.raises(ManifestError, match="model manifest is not valid"):
        parse_manifest(text)


def test_missing_file_is_a_manifest_error(tmp_path) -> None:
    with pytest.raises(ManifestError, match="cannot read"):
        load_manifest(tmp_path / "none.toml")


def test_manifest_from_a_path_equals_the_shipped_one(tmp_path) -> None:
    text = resources.files("models").joinpath("manifest.toml").read_text("utf-8")
    assert tomllib.loads(text)
    (tmp_path / "manifest.toml").write_text(text, "utf-8")
    assert load_manifest(tmp_path / "manifest.toml") == load_manifest()
