"""Identity in the lake, from hand-made faces and vectors: what a run computes, and that its order does not matter."""

from datetime import date

import pytest

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.contracts.registry import Camera, Location, LocationMode
from footfall_assets.contracts.schemas import IDENTITIES, SIGHTINGS, VISITOR_NUMBERS
from footfall_assets.domain.visitor_number import is_visitor_id
from footfall_assets.identity.refresh import (
    known_places,
    refresh_identities,
    refresh_local_visitors,
    refresh_sightings,
)
from footfall_assets.identity.visitor_numbers import ledger_place, newest_identities, refresh_visitor_numbers
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.registry_store import change_registry

DAYS = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1)]
JANUARY, FEBRUARY = DAYS[:2], DAYS[2:]
STORES = ["store-101", "store-203"]


def registered(registry, store, mode=LocationMode.UNIQUE, since=DAYS[0]):
    registry = registry.with_first_day(DAYS[0]).with_location(
        Location(
            location_id=store,
            name=store,
            mode=mode,
            legal_basis="development",
            partition_group=store,
            valid_from=since,
        )
    )
    if registry.camera(f"{store}-door", DAYS[0]):
        return registry
    return registry.with_camera(
        Camera(camera_id=f"{store}-door", location_id=store, name="Door", interval_s=5, valid_from=DAYS[0])
    )


class SmallHome:
    """A home whose faces and vectors are written by the test instead of a model."""

    def __init__(self, settings, footage) -> None:
        self.platform = Platform(settings)
        self._footage = footage
        self.seen = {}
        for store in STORES:
            self.register(store)

    def register(self, store, **options):
        home = self.platform.settings.home
        change_registry(self.platform.lake, home, lambda registry: registered(registry, store, **options))

    def see(self, day, store, people):
        """Let people pass the door of a store on a day, one after the other, and write their faces as one more part."""
        place = Place(day, store)
        batch = self._footage(location_id=store, day=day, dim=self.platform.embedding_dim)
        number = len(self.seen.setdefault(place, []))
        for position, person in enumerate(people):
            hour = 3600 * (2 * number + STORES.index(store))
            batch.pass_by(person, hour + 60 * position, camera=f"{store}-door")
        self.seen[place].append(batch)
        for asset, position in (("faces", 0), ("face_embeddings", 1)):
            target = self.platform.place_of(asset, place)
            parts = [
                self.platform.partitions.write_part(target, asset, str(index), each.tables()[position])
                for index, each in enumerate(self.seen[place])
            ]
            self.platform.partitions.commit(target, "0" * 64, parts)
        return place

    def run(self, days=DAYS):
        """Bring everything up to date, in order."""
        for place in sorted(self.seen):
            refresh_local_visitors(self.platform, place)
        for day in days:
            refresh_identities(self.platform, day)
            refresh_sightings(self.platform, day)

    def rows(self, asset, day, schema):
        manifest = self.platform.partitions.manifest(self.platform.day_of(asset, day))
        return self.platform.partitions.read_table(manifest, asset, schema)

    def names(self, day):
        return set(self.rows("identities", day, IDENTITIES)["face_id"].to_pylist())

    def hashes(self):
        """Return the content hash of every partition of identity."""
        found = {}
        for asset in ("local_visitors", "identities", "sightings"):
            for key in self.platform.lake.list_keys(asset):
                if key.endswith("manifest.json"):
                    _, _, day, *rest = key.split("/")
                    place = Place(date.fromisoformat(day[4:]), rest[0][9:]) if len(rest) == 2 else None
                    target = (
                        self.platform.place_of(asset, place)
                        if place
                        else self.platform.day_of(asset, date.fromisoformat(day[4:]))
                    )
                    found[asset, place or day] = self.platform.partitions.manifest(target).content_hash
        return found


@pytest.fixture
def new_home(tmp_path_factory, settings_of, footage, linkage):
    return lambda: SmallHome(settings_of(tmp_path_factory.mktemp("home"), linkage=linkage), footage)


def fill(home):
    home.see(DAYS[0], "store-101", [1, 2])
    home.see(DAYS[0], "store-203", [2, 3])
    home.see(DAYS[1], "store-101", [3, 4])
    home.see(DAYS[2], "store-203", [1, 5])
    return home


@pytest.fixture
def home(new_home):
    home = fill(new_home())
    home.run()
    return home


def test_people_are_counted_once_per_window(home) -> None:
    assert [len(home.names(day)) for day in DAYS] == [3, 4, 2]
    assert home.names(DAYS[0]) < home.names(DAYS[1])
    assert not home.names(DAYS[1]) & home.names(DAYS[2])


def test_sightings_are_those_of_the_day(home) -> None:
    rows = home.rows("sightings", DAYS[0], SIGHTINGS)
    assert rows.num_rows == 12
    assert set(rows["version"].to_pylist()) == {home.platform.versions.local_visitors}
    assert set(rows["embedder"].to_pylist()) == {"dlib_resnet_v1"}
    assert rows["unidentified_reason"].null_count == 12


def test_a_second_run_computes_nothing(home) -> None:
    before = home.hashes()
    for place in known_places(home.platform):
        assert refresh_local_visitors(home.platform, place).parts_computed == 0
    for day in DAYS:
        assert refresh_identities(home.platform, day).parts_computed == 0
        assert refresh_sightings(home.platform, day).parts_computed == 0
    assert home.hashes() == before


def test_days_in_any_order_give_the_same(home, new_home) -> None:
    other = fill(new_home())
    other.run(days=list(reversed(DAYS)))
    assert other.hashes() == home.hashes()


def test_parts_in_any_order_give_the_same_visitors(home, new_home) -> None:
    """The same stills in other batches, the later ones first."""
    other = new_home()
    for place, batches in home.seen.items():
        other.seen[place] = []
        for batch in batches:
            halves = [type(batch)(batch.location_id, batch.day, batch.dim) for _ in range(2)]
            for row, (values, vector) in enumerate(zip(batch.rows, batch.vectors, strict=True)):
                halves[row % 2].rows.append(values)
                halves[row % 2].vectors.append(vector)
            other.seen[place] += reversed(halves)
        other.see(place.day, place.location_id, [])
    other.run()
    assert other.hashes() == home.hashes()


def test_late_data_changes_its_own_day_and_those_after_it(home, new_home) -> None:
    before = home.hashes()
    home.see(DAYS[1], "store-203", [1, 9])
    assert refresh_identities(home.platform, DAYS[1]).parts_computed == 0  # not before its local visitors are there
    home.run()
    changed = {key for key, value in home.hashes().items() if before.get(key) != value}
    assert changed == {
        ("local_visitors", Place(DAYS[1], "store-203")),
        ("identities", f"day={DAYS[1]}"),
        ("sightings", f"day={DAYS[1]}"),
    }
    in_time = fill(new_home())
    in_time.see(DAYS[1], "store-203", [1, 9])
    in_time.run()
    assert in_time.hashes() == home.hashes()


def test_late_data_on_the_first_day_reaches_the_next(home) -> None:
    before = home.names(DAYS[1])
    home.see(DAYS[0], "store-101", [4])
    home.run()
    assert len(home.names(DAYS[0])) == 4
    assert len(home.names(DAYS[1])) == len(before)
    assert len(home.names(DAYS[2])) == 2


def test_a_day_without_data_still_knows_its_window(home) -> None:
    gap = date(2024, 2, 2)
    outcome = refresh_identities(home.platform, gap)
    assert outcome.rows == 2
    assert home.names(gap) == home.names(DAYS[2])
    assert refresh_sightings(home.platform, gap).rows == 0


def test_a_home_without_data(new_home) -> None:
    home = new_home()
    home.run()
    assert [refresh_identities(home.platform, day).rows for day in DAYS] == [0, 0, 0]
    assert refresh_visitor_numbers(home.platform).rows == 0


def test_a_location_that_only_counts_has_no_visitors(home) -> None:
    home.register("store-101", mode=LocationMode.COUNT_ONLY)
    home.run()
    assert home.names(DAYS[0]) == {
        each["face_id"]
        for each in home.rows("identities", DAYS[0], IDENTITIES).to_pylist()
        if each["location_id"] == "store-203"
    }
    counted = [row for row in home.rows("sightings", DAYS[0], SIGHTINGS).to_pylist() if row["location_id"] == STORES[0]]
    assert {row["unidentified_reason"] for row in counted} == {"count_only"}
    assert all(row["match_score"] is None for row in counted)


def test_a_location_that_was_switched_off_must_not_have_faces(home) -> None:
    home.register("store-101", mode=LocationMode.OFF)
    with pytest.raises(PermanentFailure, match="faces"):
        refresh_local_visitors(home.platform, Place(DAYS[0], "store-101"))


def ledger(home, day):
    [window] = [each for each in newest_identities(home.platform) if each.first_day <= day <= each.last_day]
    manifest = home.platform.partitions.manifest(ledger_place(home.platform, window))
    return home.platform.partitions.read_table(manifest, "visitor_numbers", VISITOR_NUMBERS)


def test_every_visitor_of_a_window_has_a_number(home) -> None:
    assert refresh_visitor_numbers(home.platform).rows == 6
    january, february = ledger(home, DAYS[1]), ledger(home, DAYS[2])
    assert set(january["face_id"].to_pylist()) == home.names(DAYS[1])
    assert set(february["face_id"].to_pylist()) == home.names(DAYS[2])
    assert january["ordinal"].to_pylist() == [0, 1, 2, 3]
    assert set(january["linkage_window"].to_pylist()) == {"2024-01"}
    numbers = january["visitor_id"].to_pylist() + february["visitor_id"].to_pylist()
    assert all(is_visitor_id(each) for each in numbers)
    assert len(set(january["visitor_id"].to_pylist())) == 4


def test_a_number_never_changes(home) -> None:
    """The ledger only grows: who comes later, on whatever day, stands behind those who were there."""
    refresh_visitor_numbers(home.platform)
    before = ledger(home, DAYS[1])
    assert refresh_visitor_numbers(home.platform).parts_computed == 0
    home.see(DAYS[0], "store-203", [10, 11])
    home.see(DAYS[1], "store-203", [12])
    home.run()
    outcome = refresh_visitor_numbers(home.platform)
    assert (outcome.parts_computed, outcome.parts_reused) == (1, 1)
    after = ledger(home, DAYS[1])
    assert after.slice(0, before.num_rows).equals(before)
    assert after["ordinal"].to_pylist() == list(range(7))
    assert len(set(after["visitor_id"].to_pylist())) == 7


def test_a_visitor_who_is_gone_keeps_the_number(home) -> None:
    refresh_visitor_numbers(home.platform)
    before = ledger(home, DAYS[1])
    home.register("store-203", mode=LocationMode.COUNT_ONLY)
    home.run()
    refresh_visitor_numbers(home.platform)
    assert ledger(home, DAYS[1]).slice(0, before.num_rows).equals(before)


def test_numbers_of_two_homes_cannot_be_joined(home, new_home) -> None:
    other = fill(new_home())
    other.run()
    for each in (home, other):
        refresh_visitor_numbers(each.platform)
    assert ledger(home, DAYS[1])["face_id"].to_pylist() == ledger(other, DAYS[1])["face_id"].to_pylist()
    assert ledger(home, DAYS[1])["visitor_id"].to_pylist() != ledger(other, DAYS[1])["visitor_id"].to_pylist()


def test_the_key_of_a_window_is_only_for_its_owner(home) -> None:
    refresh_visitor_numbers(home.platform)
    keys = sorted(home.platform.settings.keys_dir.iterdir())
    assert [key.name for key in keys] == ["window-2024-01.key", "window-2024-02.key"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert keys[0].read_bytes() != keys[1].read_bytes()
    assert not [key for key in home.platform.lake.list_keys("visitor_numbers") if key.endswith(".key")]


def test_vectors_of_another_length_never_reach_the_gallery(home) -> None:
    """A batch embedded by another model: its faces stay, counted as without a vector."""
    place = Place(DAYS[1], "store-101")
    short = type(home.seen[place][0])(location_id="store-101", day=DAYS[1], dim=16)
    short.pass_by(1, 9000, camera="store-101-door")
    faces, embeddings = short.tables()
    for asset, rows in (("faces", faces), ("face_embeddings", embeddings)):
        target = home.platform.place_of(asset, place)
        before = home.platform.partitions.manifest(target)
        part = home.platform.partitions.write_part(target, asset, "short", rows)
        home.platform.partitions.commit(target, "1" * 64, [*before.parts, part])
    people = home.names(DAYS[1])
    refresh_local_visitors(home.platform, place)
    refresh_identities(home.platform, DAYS[1])
    refresh_sightings(home.platform, DAYS[1])
    assert home.names(DAYS[1]) == people
    reasons = home.rows("sightings", DAYS[1], SIGHTINGS)["unidentified_reason"].to_pylist()
    assert reasons.count("invalid_vector") == 3
