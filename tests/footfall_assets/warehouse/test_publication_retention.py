"""Publications of three days in a lake, and what is left of them later."""

from datetime import UTC, datetime, timedelta

import pytest

from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, PublishedFile, publication_key
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.publication_retention import remove_passed_publications

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path)


def published(lake, moment, *, visitors):
    """Publish files whose content is told by `visitors`; aggregates are the same everywhere."""

    def file(kind, content):
        key = f"publications/{kind}-{sha256_hex(content.encode())}.duckdb"
        lake.write(key, content.encode())
        digest = sha256_hex(content.encode())
        return PublishedFile(key=key, sha256=digest, content_hash=digest, size_bytes=len(content))

    made = Publication(
        publication_id=sha256_hex(f"{moment}".encode()),
        published_at=moment,
        environment="development",
        aggregates=file("aggregates", "same"),
        visitors=file("visitors", visitors),
        inputs_hash="0" * 64,
        asset_versions={},
        first_day=None,
        last_day=None,
        last_captured_at=None,
    )
    lake.write(publication_key(made.publication_id), made.model_dump_json().encode())
    lake.write(CURRENT_KEY, made.publication_id.encode())
    return made


def test_the_last_of_a_day_stays_the_others_go_after_a_day(lake):
    morning = published(lake, MONDAY + timedelta(hours=6), visitors="a")
    evening = published(lake, MONDAY + timedelta(hours=18), visitors="b")
    tuesday = published(lake, MONDAY + timedelta(hours=30), visitors="c")
    later = published(lake, MONDAY + timedelta(hours=40), visitors="d")
    assert remove_passed_publications(lake, now=MONDAY + timedelta(hours=30)) == ()  # exactly 24 hours
    removed = remove_passed_publications(lake, now=MONDAY + timedelta(hours=31))
    assert removed == (morning.publication_id,)
    assert not lake.exists(morning.visitors.key)
    assert not lake.exists(publication_key(morning.publication_id))
    assert lake.exists(morning.aggregates.key)  # the others have it too
    for kept in (evening, tuesday, later):
        assert lake.exists(kept.visitors.key)
    assert remove_passed_publications(lake, now=MONDAY + timedelta(days=9)) == (tuesday.publication_id,)


def test_the_current_one_stays_whatever_its_age(lake):
    first = published(lake, MONDAY + timedelta(hours=6), visitors="a")
    last = published(lake, MONDAY + timedelta(hours=18), visitors="b")
    lake.write(CURRENT_KEY, first.publication_id.encode())  # an older content that came back
    assert remove_passed_publications(lake, now=MONDAY + timedelta(days=9)) == ()
    assert lake.exists(first.visitors.key)
    assert lake.exists(last.visitors.key)


def test_nothing_goes_while_a_manifest_cannot_be_read(lake):
    published(lake, MONDAY + timedelta(hours=6), visitors="a")
    spoilt = published(lake, MONDAY + timedelta(hours=12), visitors="b")
    published(lake, MONDAY + timedelta(hours=18), visitors="c")
    lake.write(publication_key(spoilt.publication_id), b"{}")
    before = lake.list_keys("publications")
    assert remove_passed_publications(lake, now=MONDAY + timedelta(days=9)) == ()
    assert lake.list_keys("publications") == before
