import pytest
from pydantic import BaseModel

from footfall_assets.contracts.settings import PlatformSettings, Shift
from footfall_assets.contracts.versions import AssetVersions, asset_versions

CHAIN = ("images", "faces", "face_embeddings", "local_visitors", "identities", "sightings")
ASSETS = (*CHAIN, "face_attributes")  # beside the chain: made of vectors and the gate, and nothing is made of it
FROM = {
    name: set(CHAIN[number:]) | ({"face_attributes"} if number <= 2 else set()) for number, name in enumerate(CHAIN)
}
MODELS = {"detector": "a", "crop": "b", "embedder": "c"}


@pytest.fixture
def settings(tmp_path):
    return PlatformSettings(home=tmp_path)


def versions(settings, **models):
    return asset_versions(settings, **MODELS | models)


def changed(before, after):
    return {name for name in ASSETS if before.as_dict()[name] != after.as_dict()[name]}


def altered(settings, group, name):
    """The settings with one of them changed to another value that is allowed."""
    nested = getattr(settings, group)
    old = getattr(nested, name)
    new = {
        bool: lambda: not old,
        str: lambda: old + "-2",
        int: lambda: old + 1,
        float: lambda: old * 1.01,
        type(None): lambda: 6.0,  # hours
        tuple: lambda: [Shift(starts="09:00", ends="17:00")],
    }[type(old)]()
    fields = type(nested).model_validate(nested.model_dump() | {name: new})
    return settings.model_copy(update={group: fields})


def every_setting():
    for group, touched in {
        "intake": FROM["images"],
        "detection": FROM["faces"],
        "embedding": FROM["face_embeddings"],
        "quality": FROM["local_visitors"] | {"face_attributes"},
        "linkage": FROM["local_visitors"],
        "staff": {"identities"},
        "counting": set(),
    }.items():
        for name in PlatformSettings.model_fields[group].annotation.model_fields:
            yield group, name, {"identities"} if name == "window_max_distance" else touched


@pytest.mark.parametrize(("group", "name", "touched"), list(every_setting()))
def test_a_setting_changes_what_it_decides_and_what_comes_after_it(settings, group, name, touched):
    assert changed(versions(settings), versions(altered(settings, group, name))) == touched


@pytest.mark.parametrize(
    ("model", "touched"),
    [("detector", FROM["faces"]), ("crop", FROM["faces"]), ("embedder", FROM["face_embeddings"])],
)
def test_a_model_changes_what_it_computes_and_what_comes_after_it(settings, model, touched):
    assert changed(versions(settings), versions(settings, **{model: "other"})) == touched


def test_a_calibration_changes_what_it_decides(settings):
    probed = FROM["local_visitors"] | {"face_attributes"}
    assert changed(versions(settings), versions(settings, probe="weights")) == probed
    assert changed(versions(settings), versions(settings, cuts=(0.05, 0.06))) == {"identities"}


def test_models_of_attributes_change_nothing_else(settings):
    assert changed(versions(settings), versions(settings, attributes="other")) == {"face_attributes"}


def test_models_that_change_places_are_other_models(settings):
    assert changed(versions(settings, detector="x", crop="y"), versions(settings, detector="y", crop="x"))


@pytest.mark.parametrize(
    "change",
    [
        {"home": "/elsewhere"},
        {"lake": "s3://bucket/x"},
        {"threads": 7},
        {"environment": "production"},
        {"model_cache": "/elsewhere"},
        {"warehouse_memory": "1GB"},
        {"app_port": 9000},
        {"audit": {"role": "auditor", "crop_reserve": True}},
        {"fleet": {"clock_skew_s": 5}},
    ],
)
def test_where_and_how_it_runs_changes_no_version(settings, change, tmp_path):
    elsewhere = PlatformSettings(**{"home": tmp_path} | change)
    assert changed(versions(settings), versions(elsewhere)) == set()


def test_every_group_of_settings_was_thought_of(settings):
    groups = {name for name in PlatformSettings.model_fields if isinstance(getattr(settings, name), BaseModel)}
    how_it_runs = {"access", "audit", "fleet", "imports", "reports"}
    in_the_inputs_hash = {"counters", "protection", "provisional"}  # of the warehouse, of a day's identities
    only_shown = {"staffing"}
    assert groups == {group for group, _, _ in every_setting()} | how_it_runs | in_the_inputs_hash | only_shown


def test_a_version_is_sixteen_digits_and_each_asset_has_its_own(settings):
    found = versions(settings).as_dict()
    assert tuple(found) == ASSETS == tuple(AssetVersions.__dataclass_fields__)
    assert len(set(found.values())) == len(ASSETS)
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in found.values())
