import pytest
from pydantic import ValidationError

from footfall_assets.contracts.version_causes import VersionCauses, dotted, version_causes_key
from footfall_assets.contracts.versions import code_contracts

VERSIONS = {"faces": "v1", "identities": "v2"}


def test_nested_settings_become_dotted_names() -> None:
    nested = {"embedder": "dlib", "mirror": True, "limits": {"faces": 200, "none": None, "list": [1, 2]}}
    assert dotted("setting.embedding", nested) == {
        "setting.embedding.embedder": "dlib",
        "setting.embedding.mirror": "true",
        "setting.embedding.limits.faces": "200",
        "setting.embedding.limits.none": "null",
        "setting.embedding.limits.list": "[1, 2]",
    }


def test_the_key_depends_on_each_version_and_not_on_their_order() -> None:
    key = version_causes_key(VERSIONS)
    assert version_causes_key(dict(reversed(VERSIONS.items()))) == key
    assert version_causes_key(VERSIONS | {"faces": "v3"}) != key


def test_a_record_comes_back_as_it_was() -> None:
    record = VersionCauses.of(VERSIONS, {"setting.a": "1"})
    assert VersionCauses.model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("change", [{"causes": {"setting.a": "2"}}, {"asset_versions": {}}])
def test_a_changed_record_is_refused(change) -> None:
    said = VersionCauses.of(VERSIONS, {"setting.a": "1"}).model_dump() | change
    with pytest.raises(ValidationError, match="expected the content hash"):
        VersionCauses.model_validate(said)


def test_every_asset_has_a_code_contract() -> None:
    assert {"images", "faces", "face_embeddings", "local_visitors", "identities", "sightings"} <= set(code_contracts())
