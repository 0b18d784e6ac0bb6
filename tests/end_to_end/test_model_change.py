"""Another embedder by a manifest of the user's own: its results lie beside the old ones, and the old ones come back."""

import copy
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from footfall_assets.contracts.publication import CURRENT_KEY
from footfall_assets.contracts.schemas import face_embeddings
from footfall_assets.contracts.settings import EmbeddingSettings
from footfall_assets.identity.refresh import refresh_local_visitors
from footfall_assets.platform import Place, Platform
from footfall_assets.reporting.comparison import compare
from footfall_assets.reporting.comparison_formats import comparison_to_json, comparison_to_table
from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.kept_publications import find_publication, kept_publications
from footfall_assets.reporting.provenance import provenance_of
from footfall_assets.reporting.publication import current_publication, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report
from footfall_assets.vision.refresh import refresh_face_embeddings, refresh_faces
from models.cache import cached_path
from models.manifest import load_manifest
from models.probe import Conventions, describe_embedder
from models.pull import pull

pytestmark = [pytest.mark.weights, pytest.mark.slow]

FIRST, SECOND = date(2024, 1, 1), date(2024, 1, 2)
SIDE, BLOCK, DIM = 112, 28, 24
OF_VECTORS = ("face_embeddings", "local_visitors", "identities", "sightings", "visitor_numbers")


def small_embedder(last: str = "Identity") -> bytes:
    """ArcFace's contract in miniature: 112 x 112 BGR planes in, a vector of their blocks' means out."""
    blocks = 3 * (SIDE // BLOCK) ** 2
    weights = np.random.default_rng(5).normal(size=(blocks, DIM)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["face"], ["blocks"], kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2),
        helper.make_node("Flatten", ["blocks"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["mixed"]),
        helper.make_node(last, ["mixed"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIM])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


@pytest.fixture(scope="module")
def own_models(tmp_path_factory, pulled_models) -> dict[str, Path]:
    """A manifest of two models of one's own and a cache that holds them, the shipped ones beside them."""
    folder = tmp_path_factory.mktemp("own")
    entries = []
    for name, content in (("small", small_embedder()), ("silent", small_embedder("Log"))):
        (folder / f"{name}.onnx").write_bytes(content)
        entries.append(describe_embedder(folder / f"{name}.onnx", Conventions(name, colour="bgr")))
    (folder / "models.toml").write_text("\n".join(entries), "utf-8")
    cache = folder / "cache"
    for spec in load_manifest().required():
        path = cached_path(spec, cache)
        path.parent.mkdir(parents=True)
        path.symlink_to(cached_path(spec, pulled_models))
    for spec in load_manifest(extra=folder / "models.toml").models[-2:]:
        pull(spec, cache=cache)
    return {"model_manifest": folder / "models.toml", "model_cache": cache}


@pytest.fixture(scope="module")
def home(drawn_home, first_run, own_models, tmp_path_factory, settings_of):
    """A copy of the drawn home with what its run left."""
    folder = tmp_path_factory.mktemp("changed") / "home"
    for part in ("lake", "keys", "dbt_target"):
        shutil.copytree(drawn_home.settings.home / part, folder / part)
    copied = copy.copy(drawn_home)
    copied.settings = settings_of(folder, **own_models)
    return copied


def with_embedder(home, name):
    changed = copy.copy(home)
    changed.settings = home.settings.model_copy(update={"embedding": EmbeddingSettings(embedder=name)})
    return changed


def reports(home) -> list[bytes]:
    """Return the report of both days in every form that is text, at one moment."""
    publication = current_publication(home.platform.lake)
    with open_visitors(home.platform.lake, publication) as connection:
        found = visitor_report(connection, ReportRequest(FIRST, SECOND))
    provenance = provenance_of(publication, now=datetime(2024, 1, 3, tzinfo=UTC))
    return [render(found, provenance, form=form) for form in ReportFormat]


@pytest.fixture(scope="module")
def before(home):
    run = home.run()
    return run, reports(home)


@pytest.fixture(scope="module")
def changed(home, before):
    other = with_embedder(home, "small")
    return other, other.run()


@pytest.fixture(scope="module")
def back(home, changed):
    return home.run(), reports(home)


def test_both_versions_lie_side_by_side(before, changed) -> None:
    run = changed[1]
    for key, content in before[0].hashes.items():
        assert run.hashes[key] == content
    added = {key for key in run.hashes if key not in before[0].hashes}
    assert {key.split("/")[0] for key in added} == {"faces", *OF_VECTORS}  # crops are kept in the embedder's own pose
    for asset in ("faces", *OF_VECTORS):
        old, new = (
            {key.split("/", 2)[2] for key in keys if key.startswith(f"{asset}/")} for keys in (before[0].hashes, added)
        )
        assert old == new


def test_vectors_are_never_mixed(home, changed) -> None:
    """Each version holds vectors of one length by one model."""
    for platform, dim, model in ((home.platform, 128, "dlib_resnet_v1"), (changed[0].platform, DIM, "small")):
        places = platform.partitions.places("face_embeddings", platform.versions.face_embeddings)
        manifests = [platform.partitions.manifest(place) for place in places]
        tables = [platform.partitions.read_table(each, "face_embeddings", face_embeddings(dim)) for each in manifests]
        assert sum(table.num_rows for table in tables) > 20
        assert {name for table in tables for name in table["model"].to_pylist()} == {model}


def test_a_publication_is_of_one_version(home, before, changed) -> None:
    other, run = changed
    assert run.publication != before[0].publication
    lake = home.platform.lake
    for publication_id, platform, model in (
        (before[0].publication, home.platform, "dlib_resnet_v1"),
        (run.publication, other.platform, "small"),
    ):
        publication = find_publication(lake, publication_id)
        assert publication.asset_versions == platform.versions.as_dict()
        with duckdb.connect(lake.local_path(publication.visitors.key), read_only=True) as connection:
            assert connection.execute(
                "select distinct embedder from fct_sightings where face_id is not null"
            ).fetchall() == [(model,)]


def test_switching_back_computes_nothing(before, back) -> None:
    run, _ = back
    assert set(run.computed.values()) <= {0}
    assert set(run.summary.runs) == {"warehouse"}


def test_switching_back_gives_the_same_report(home, before, changed, back) -> None:
    run, told = back
    assert run.publication == before[0].publication == home.platform.lake.read(CURRENT_KEY).decode()
    assert told == before[1]
    assert run.hashes == changed[1].hashes


def test_the_comparison_says_which_model_changed(home, before, changed, back) -> None:
    lake = home.platform.lake
    old, new = (find_publication(lake, run.publication[:10]) for run in (before[0], changed[1]))
    found = compare(lake, old, new)
    causes = {(cause.kind, cause.name): (cause.before, cause.after) for cause in found.causes}
    assert causes["setting", "embedding.embedder"] == ("dlib_resnet_v1", "small")
    assert causes["model", "embedder.alignment"] == ("dlib_150_tight", "arcface_112")
    assert {name for kind, name in causes if kind == "version"} == set(OF_VECTORS[:-1]) | {"faces", "face_attributes"}
    assert {kind for kind, _ in causes} == {"calibration", "version", "setting", "model"}  # the small one has none
    flows = {flow.state: flow.sightings for flow in found.flows}
    assert not [state for state in flows if state.startswith(("face_only", "still_only", "matched"))]
    [window] = found.windows
    assert window.before == json.loads(before[1][2])["listed_visitors"]
    assert "setting: embedding.embedder: dlib_resnet_v1 -> small" in comparison_to_table(found)
    assert json.loads(comparison_to_json(found))["windows"][0]["after"] == window.after
    assert len(kept_publications(lake)) >= 2


def test_a_model_that_says_nothing_mints_nobody(home, before) -> None:
    """The logarithm of a negative number: every vector holds NaN. They are counted, kept out, and the day goes on."""
    platform = Platform(with_embedder(home, "silent").settings)
    place = Place(FIRST, "store-101")
    faces = refresh_faces(platform, place)
    vectors = refresh_face_embeddings(platform, place)
    assert (vectors.rows, vectors.left_out["invalid_vector"]) == (0, faces.rows)
    assert faces.rows > 0
    refresh_local_visitors(platform, place)
    manifest = platform.manifest("local_visitors", place)
    assert manifest
    assigned = [platform.partitions.read_part(part) for part in manifest.parts if part.table == "local_visitors"]
    reasons = [reason for table in assigned for reason in table["unidentified_reason"].to_pylist()]
    assert reasons == ["invalid_vector"] * faces.rows
    assert manifest.rows("templates") == 0
