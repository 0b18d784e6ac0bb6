"""`footfall simulate`: what lands is what cameras of an open store would send."""

from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.batch import unpack_batch
from footfall_assets.contracts.settings import IntakeLimits, load_settings
from footfall_assets.storage import open_lake

TICKS = 11 * 3600 // 5  # from 09:00 to 20:00, every 5 s


@pytest.fixture
def landed(footfall, own_environment, pulled_models, home):
    """Simulate a store on one day, and return the manifests by camera in the order of their numbers."""
    own_environment.setenv("FOOTFALL_MODEL_CACHE", str(pulled_models))
    said = footfall("simulate", "--locations", 1, "--days", 1, "--visitors", 2)
    assert said.code == 0, said.err
    lake = open_lake(load_settings())
    manifests = [unpack_batch(lake.read(key), IntakeLimits()).manifest for key in lake.list_keys("landing")]
    found = {}
    for manifest in sorted(manifests, key=lambda each: each.sequence):
        found.setdefault(manifest.camera_id, []).append(manifest)
    return said.out, found, pq.read_table(home / "truth.parquet")


@pytest.mark.weights
def test_an_empty_store_is_information(landed) -> None:
    """Every tick of the opening hours is in a batch, with a picture or without: hours without visitors are zeros."""
    out, by_camera, truth = landed
    assert len(by_camera) == 3
    for batches in by_camera.values():
        assert [each.sequence for each in batches] == list(range(1, len(batches) + 1))
        assert sum(each.frames_expected for each in batches) == sum(each.frames_captured for each in batches)
        assert TICKS <= sum(each.frames_captured for each in batches) <= TICKS + 1 + 100 * 60 // 5
        gaps = [(later.opened_at - earlier.closed_at).total_seconds() for earlier, later in pairwise(batches)]
        assert set(gaps) == {5.0}
        assert any(each.frames_kept == 0 for each in batches)
    kept = {str(entry.image_id) for batches in by_camera.values() for each in batches for entry in each.images}
    assert 0 < len(kept) <= len(set(truth["image_id"].to_pylist())) < 100
    assert kept <= set(truth["image_id"].to_pylist())
    assert "2 people" in out
