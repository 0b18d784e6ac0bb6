"""Two publications made by hand, differing in a known way, and any two ways to name the same faces."""

import json
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.calibration import Calibration, CountWeights, Evaluation
from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.events import EventDraft, EventKind
from footfall_assets.contracts.ids import face_image_id, sha256_hex
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, PublishedFile, publication_key
from footfall_assets.contracts.schemas import FACES
from footfall_assets.contracts.version_causes import VersionCauses, dotted, version_causes_key
from footfall_assets.reporting.comparison import LIMIT, SightingFlow, VisitorChange, compare
from footfall_assets.reporting.comparison_formats import (
    comparison_to_json,
    comparison_to_table,
    publications_to_table,
)
from footfall_assets.reporting.difference_causes import Cause
from footfall_assets.reporting.kept_publications import find_publication, kept_publications
from footfall_assets.storage.event_store import EventStore
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.partitions import PartitionPlace, PartitionStore

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
DAY = START.date()
BOX = (10.0, 10.0, 50.0, 60.0)


TABLES = """
create table dim_locations as select 'store-101' as location_id, $mode as mode, 'UTC' as timezone;
create table dim_cameras as select 'door' as camera_id, 'store-101' as location_id, 5.0::double as interval_s;
create table publication_header as
select 60 as appearance_gap_s, 4 as appearance_gap_intervals, $visit_gap_s as visit_gap_s;
create table fct_sightings(
    face_image_id uuid, image_id uuid, location_id varchar, linkage_window varchar, business_day date,
    visitor_id varchar, unidentified_reason varchar
);
create table footfall_daily(
    location_id varchar, business_day date, unique_visitors bigint, visits bigint, appearances bigint,
    sightings bigint, unidentified_sightings bigint
);
"""


@pytest.fixture
def publication(tmp_path):
    """Publish faces by name: `{(still, box): visitor}`; a name that starts with `-` is a reason for being nobody's.

    A still is an hour. `staff` are visitors in the log and in no count; without it, the file is of the time before.
    """

    def build(
        lake,
        faces,
        *,
        versions=None,
        daily=(),
        visit_gap_s=10800,
        mode="unique",
        published_at=START,
        faces_version=None,
        staff=None,
        calibration=None,
    ):
        path = tmp_path / f"{uuid.uuid4()}.duckdb"
        with duckdb.connect(path) as connection:
            for statement in TABLES.split(";\n"):
                given = {"mode": mode, "visit_gap_s": visit_gap_s}
                connection.execute(statement, {name: given[name] for name in given if f"${name}" in statement})
            rows = [_row(still, box, visitor) for (still, box), visitor in sorted(faces.items())]
            connection.executemany("insert into fct_sightings values (?, ?, ?, ?, ?, ?, ?)", rows)
            for row in daily:
                connection.execute("insert into footfall_daily values (?, ?, ?, ?, ?, ?, ?)", row)
            if staff is not None:
                connection.execute("alter table fct_sightings add column is_excluded boolean default false")
                connection.execute("alter table fct_sightings add column excluded_reason varchar")
                connection.execute(
                    "update fct_sightings set is_excluded = true, excluded_reason = 'staff' where visitor_id in $1",
                    [staff],
                )
            if calibration is not None:
                connection.execute("create table count_calibration(digest varchar, document varchar)")
                connection.execute(
                    "insert into count_calibration values ($1, $2)",
                    [calibration.digest, calibration.model_dump_json()],
                )
        if faces_version:
            _store_faces(lake, faces, faces_version)
        return _published(lake, path, versions or {}, published_at)

    return build


def _row(still, box, visitor):
    image, moment = uuid.UUID(int=still), START + timedelta(hours=still)
    known, reason = (None, visitor[1:]) if visitor.startswith("-") else (visitor, None)
    return (face_image_id(image, box), image, "store-101", f"{moment:%Y-%m}", moment.date(), known, reason)


def _published(lake, path, versions, published_at):
    data = path.read_bytes()
    digest = sha256_hex(data)
    file = PublishedFile(
        key=f"publications/both-{digest}.duckdb", sha256=digest, content_hash=digest, size_bytes=len(data)
    )
    lake.write(file.key, data)
    made = Publication(
        publication_id=sha256_hex(f"{digest}{versions}{published_at}".encode()),
        published_at=published_at,
        environment="development",
        aggregates=file,
        visitors=file,
        inputs_hash="0" * 64,
        asset_versions=versions,
        first_day=DAY,
        last_day=DAY,
        last_captured_at=START,
    )
    lake.write(publication_key(made.publication_id), made.model_dump_json().encode())
    lake.write(CURRENT_KEY, made.publication_id.encode())
    return made


def _store_faces(lake, faces, version):
    """Write the rows of the `faces` asset that boxes are read from."""
    by_day = {}
    for (still, box), _ in sorted(faces.items()):
        image = uuid.UUID(int=still)
        moment = START + timedelta(hours=still)
        row = dict.fromkeys(("score", "size_px", "sharpness", "yaw", "pitch", "roll_deg", "quality"), 0.5)
        row |= {"face_image_id": face_image_id(image, box).bytes, "image_id": image.bytes, "box": list(box)}
        row |= {"camera_id": "store-101-door", "location_id": "store-101", "captured_at": moment}
        by_day.setdefault(moment.date(), []).append(row | {"landmarks": [0.0] * 10, "crop": None})
    store = PartitionStore(lake)
    for day, rows in by_day.items():
        place = PartitionPlace("faces", version, day, "store-101")
        part = store.write_part(place, "faces", "a", pa.Table.from_pylist(rows, schema=FACES))
        store.commit(place, "0" * 64, [part])


def seen(**visitors):
    """Return faces of visitors by the stills they are in: `seen(ada=[1, 2])`; one box a still and visitor."""
    return {
        (still, (40.0 * number, 10.0, 40.0 * number + 30, 50.0)): name.replace("_", "-", 1) if name[0] == "_" else name
        for number, (name, stills) in enumerate(visitors.items())
        for still in stills
    }


BEFORE = seen(ada=[1, 2, 3], bob=[4, 5, 6], cid=[7, 8], dan=[9], eve=[10, 11], fay=[12], _too_small=[13, 14])


def renamed(faces, **names):
    """Return the same faces under other names; `ada=["x", "x", "y"]` by still, `ada="x"` for all of them."""
    counted = Counter()
    after = {}
    for key, name in sorted(faces.items()):
        new = names.get(name.lstrip("-"), name)
        after[key] = new if isinstance(new, str) else new[counted[name]]
        counted[name] += 1
    return after


# Ada becomes two, Cid and Dan one, Bob keeps one face less, Eve is lost, one nobody becomes Gus, Fay is as she was.
AFTER = renamed(
    BEFORE,
    ada=["A1", "A1", "A2"],
    bob=["B", "B", "-too_blurred"],
    cid="C",
    dan="C",
    eve="-low_score",
    fay="F",
    too_small=["G", "-too_small"],
)


@pytest.fixture
def compared(lake, publication):
    return compare(lake, publication(lake, BEFORE), publication(lake, AFTER))


def test_every_visitor_is_accounted_for(compared) -> None:
    [window] = compared.windows
    assert window == VisitorChange(
        "2024-01",
        before=6,
        after=6,
        unchanged=1,
        adjusted=1,
        new=1,
        gone=1,
        split=1,
        more_by_split=1,
        merged=1,
        fewer_by_merge=1,
    )


def test_changes_name_the_visitors_and_what_they_share(compared) -> None:
    found = {(change.kind, change.visitor_id): (change.sightings, change.others) for change in compared.changes}
    assert found == {
        ("split", "ada"): (3, (("A1", 2), ("A2", 1))),
        ("merged", "C"): (3, (("cid", 2), ("dan", 1))),
        ("new", "G"): (1, ()),
        ("gone", "eve"): (2, ()),
    }


def test_sightings_say_which_way_they_went_and_why(compared) -> None:
    assert set(compared.flows) == {
        SightingFlow("visitor_in_both", None, 9),
        SightingFlow("visitor_only_before", "too_blurred", 1),
        SightingFlow("visitor_only_before", "low_score", 2),
        SightingFlow("visitor_only_after", "too_small", 1),
        SightingFlow("no_visitor_in_both", None, 1),
    }


def test_a_publication_and_itself(lake, publication) -> None:
    made = publication(lake, BEFORE)
    same = compare(lake, made, made)
    assert same.is_same
    assert (same.changes, same.days, same.causes) == ((), (), ())
    assert same.windows[0].unchanged == same.windows[0].before == same.windows[0].after == 6
    assert "Nothing differs" in comparison_to_table(same)
    assert json.loads(comparison_to_json(same))["is_same"]


def test_other_names_alone_are_no_change(lake, publication) -> None:
    names = {name: name.upper() for name in ("ada", "bob", "cid", "dan", "eve", "fay")}
    found = compare(lake, publication(lake, BEFORE), publication(lake, renamed(BEFORE, **names)))
    assert found.windows[0].unchanged == 6
    assert found.changes == ()


def test_a_visitor_with_a_face_more_is_not_unchanged(lake, publication) -> None:
    faces = seen(ada=[1, 2], _too_small=[3])
    pair = publication(lake, faces), publication(lake, renamed(faces, too_small="ada"))
    for one, other in (pair, pair[::-1]):
        [window] = compare(lake, one, other).windows
        assert (window.unchanged, window.adjusted) == (0, 1)


def test_stills_that_came_later(lake, publication) -> None:
    later = BEFORE | seen(hal=[30, 31])
    found = compare(lake, publication(lake, BEFORE), publication(lake, later))
    assert SightingFlow("still_only_after", None, 2) in found.flows
    assert [(change.kind, change.visitor_id) for change in found.changes] == [("new", "hal")]
    assert "data: one has stills that the other has not" in comparison_to_table(found)
    back = compare(lake, find_publication(lake, found.after.publication_id), found.before)
    assert SightingFlow("still_only_before", None, 2) in back.flows
    assert [(change.kind, change.visitor_id) for change in back.changes] == [("gone", "hal")]


def shifted(faces, pixels):
    return {(still, (x1 + pixels, y1, x2 + pixels, y2)): name for (still, (x1, y1, x2, y2)), name in faces.items()}


def test_boxes_of_another_detector_are_matched_by_overlap(lake, publication) -> None:
    before = publication(lake, BEFORE, versions={"faces": "v1"}, faces_version="v1")
    moved = shifted(BEFORE, 5)
    after = publication(lake, moved, versions={"faces": "v2"}, faces_version="v2")
    found = compare(lake, before, after)
    assert found.windows[0].unchanged == 6
    assert SightingFlow("matched_by_overlap", None, len(BEFORE)) in found.flows


def test_boxes_that_hardly_overlap_are_two_faces(lake, publication) -> None:
    before = publication(lake, BEFORE, versions={"faces": "v1"}, faces_version="v1")
    after = publication(lake, shifted(BEFORE, 20), versions={"faces": "v2"}, faces_version="v2")
    found = compare(lake, before, after)
    assert (found.windows[0].new, found.windows[0].gone) == (6, 6)
    assert {flow.state for flow in found.flows} == {"face_only_before", "face_only_after"}


def test_each_box_is_matched_once_and_to_the_nearest(lake, publication) -> None:
    """Two people side by side, and a second detector that draws both boxes further to the right."""
    near, far = (0.0, 0.0, 100.0, 100.0), (30.0, 0.0, 130.0, 100.0)
    before = publication(lake, {(1, near): "ada", (1, far): "bob"}, versions={"faces": "v1"}, faces_version="v1")
    moved = {(1, (10.0, 0.0, 110.0, 100.0)): "A", (1, (40.0, 0.0, 140.0, 100.0)): "B"}
    found = compare(lake, before, publication(lake, moved, versions={"faces": "v2"}, faces_version="v2"))
    assert (found.windows[0].unchanged, found.changes) == (2, ())


def test_two_boxes_are_never_one(lake, publication) -> None:
    """A second detector that misses one of two: its one box is that of the nearer, the other face is gone."""
    faces = {(1, (0.0, 0.0, 100.0, 100.0)): "ada", (1, (30.0, 0.0, 130.0, 100.0)): "bob"}
    before = publication(lake, faces, versions={"faces": "v1"}, faces_version="v1")
    after = {(1, (25.0, 0.0, 125.0, 100.0)): "B"}
    [window] = compare(lake, before, publication(lake, after, versions={"faces": "v2"}, faces_version="v2")).windows
    assert (window.unchanged, window.gone, window.merged) == (1, 1, 0)


def test_without_the_faces_nothing_is_guessed(lake, publication) -> None:
    """Retention may have removed the faces: what has another box is then another face, and said to be so."""
    before = publication(lake, BEFORE, versions={"faces": "v1"})
    found = compare(lake, before, publication(lake, shifted(BEFORE, 1), versions={"faces": "v2"}))
    assert {flow.state for flow in found.flows} == {"face_only_before", "face_only_after"}


def test_a_period_only(lake, publication) -> None:
    """Stills 14 and later lie on the day after."""
    faces = seen(ada=[1, 2, 20, 21], bob=[22])
    after = renamed(faces, ada=["A", "A", "B", "B"])
    pair = publication(lake, faces), publication(lake, after)
    assert compare(lake, *pair).windows[0].split == 1
    first = compare(lake, *pair, last_day=DAY)
    assert (first.windows[0].before, first.windows[0].split) == (1, 0)
    second = compare(lake, *pair, first_day=DAY + timedelta(days=1))
    assert (second.windows[0].before, second.windows[0].after) == (2, 2)
    assert compare(lake, *pair, first_day=date(2030, 1, 1)).windows == ()


def test_windows_are_apart(lake, publication) -> None:
    faces = seen(ada=[1, 24 * 40])
    found = compare(lake, publication(lake, faces), publication(lake, renamed(faces, ada=["A", "B"])))
    assert [(each.linkage_window, each.unchanged) for each in found.windows] == [("2024-01", 1), ("2024-02", 1)]


def whole_day(day, uniques, sightings=90):
    return ("store-101", day, uniques, uniques + 1, uniques * 3, sightings, 4)


def test_staff_leave_the_visitors_and_say_so(lake, publication) -> None:
    """Before there were exclusions a file had no column for them: it is compared all the same."""
    pair = publication(lake, BEFORE), publication(lake, BEFORE, staff=["ada"])
    found = compare(lake, *pair)
    assert (found.windows[0].before, found.windows[0].after, found.windows[0].gone) == (6, 5, 1)
    assert [(change.kind, change.visitor_id) for change in found.changes] == [("gone", "ada")]
    assert SightingFlow("visitor_only_before", "staff", 3) in found.flows
    assert SightingFlow("visitor_only_after", "staff", 3) in compare(lake, *reversed(pair)).flows


def test_days_that_differ(lake, publication) -> None:
    days = [DAY + timedelta(days=number) for number in range(5)]
    before = [whole_day(days[0], 7), whole_day(days[1], 7), whole_day(days[2], 5), whole_day(days[3], 5)]
    after = [whole_day(days[0], 7), whole_day(days[1], 3), whole_day(days[2], 6), whole_day(days[4], 2)]
    pair = publication(lake, BEFORE, daily=before), publication(lake, BEFORE, daily=after)
    found = compare(lake, *pair)
    assert [(each.business_day, each.before[0], each.after[0]) for each in found.days] == [
        (days[3], 5, None),
        (days[1], 7, 3),
        (days[4], None, 2),
        (days[2], 5, 6),
    ]
    assert found.days_changed == 4
    cut = compare(lake, *pair, limit=2)
    assert (cut.days, cut.days_changed) == (found.days[:2], 4)
    text = comparison_to_table(cut)
    assert "store-101: unique visitors 7 -> 3, visits 8 -> 4, appearances 21 -> 9\n  and 2 more" in text


def test_lists_of_changes_are_cut_at_the_limit(lake, publication) -> None:
    faces = {(still, BOX): f"v{still // 2}" for still in range(2, 14)}
    after = {key: f"{name}{key[0] % 2}" for key, name in faces.items()}
    found = compare(lake, publication(lake, faces), publication(lake, after), limit=3)
    assert (found.windows[0].split, len(found.changes)) == (6, 3)


VERSIONS = {"faces": "v1", "face_embeddings": "e1"}


def recorded(lake, versions, **causes):
    record = VersionCauses.of(versions, dotted("setting", causes))
    lake.write(version_causes_key(versions), record.model_dump_json().encode())


def test_causes_have_names(lake, publication) -> None:
    other = VERSIONS | {"face_embeddings": "e2"}
    recorded(lake, VERSIONS, embedding={"embedder": "dlib", "mirror": True})
    recorded(lake, other, embedding={"embedder": "arcface", "mirror": True}, staff={"schedule": []})
    before = publication(lake, BEFORE, versions=VERSIONS)
    after = publication(lake, BEFORE, versions=other, visit_gap_s=60, mode="count_only")
    causes = compare(lake, before, after).causes
    assert causes == (
        Cause("setting", "embedding.embedder", "dlib", "arcface"),
        Cause("setting", "staff.schedule", None, "[]"),
        Cause("rule", "visit_gap_s", "10800", "60"),
        Cause("registry", "location store-101.mode", "unique", "count_only"),
        Cause("version", "face_embeddings", "e1", "e2"),
    )
    text = comparison_to_table(compare(lake, before, after))
    assert "setting: embedding.embedder: dlib -> arcface" in text
    assert "setting: staff.schedule: not there -> []" in text


def calibrated_on(origin):
    nothing = CountWeights(
        centre=(), scale=(), weight=(), intercept=0, spread=(0, 0, 0), low={}, high={}, listed=(1, 2), feature_ranges=()
    )
    return Calibration(
        embedder="dlib",
        origin=origin,
        made_on=DAY,
        window_max_distance=0.06,
        cuts=tuple(0.03 + 0.005 * number for number in range(11)),
        probe=None,
        count=nothing,
        evaluation=Evaluation(people=1, stores=1, median_error=0, coverage={}, median_width=0, false_match_rate=1e-4),
    )


def test_another_calibration_is_a_cause(lake, publication) -> None:
    old, new = calibrated_on("photos"), calibrated_on("audits")
    pair = publication(lake, BEFORE, calibration=old), publication(lake, BEFORE, calibration=new)
    found = compare(lake, *pair)
    assert found.causes == (
        Cause("calibration", "digest", old.digest, new.digest),
        Cause("calibration", "origin", "photos", "audits"),
    )
    assert "calibration: origin: photos -> audits" in comparison_to_table(found)
    assert compare(lake, pair[0], pair[0]).causes == ()


def test_a_first_calibration_is_a_cause(lake, publication) -> None:
    """A file of before there were calibrations has no table for them."""
    known = calibrated_on("photos")
    causes = compare(lake, publication(lake, BEFORE), publication(lake, BEFORE, calibration=known)).causes
    assert [(cause.name, cause.before) for cause in causes] == [
        (name, None) for name in ("digest", "origin", "made_on", "embedder", "window_max_distance")
    ]


def test_versions_without_a_record(lake, publication) -> None:
    before = publication(lake, BEFORE, versions=VERSIONS)
    after = publication(lake, BEFORE, versions=VERSIONS | {"faces": "v2"})
    kinds = [cause.kind for cause in compare(lake, before, after).causes]
    assert kinds == ["record", "record", "version"]
    recorded(lake, VERSIONS, embedding={"embedder": "dlib"})
    key = version_causes_key(VERSIONS)
    for spoilt in (b"{}", lake.read(key).replace(b"dlib", b"glib")):
        lake.write(key, spoilt)
        with pytest.raises(CorruptObject, match="record of what decided versions"):
            compare(lake, before, after)


def test_corrections_between_the_two_are_causes(lake, publication, tmp_path) -> None:
    side = ({"location_id": "store-101", "day": DAY, "image_id": uuid.UUID(int=1), "box": BOX},)
    draft = EventDraft(
        created_at=START,
        author="ann",
        reason="one person",
        kind=EventKind.EXCLUDE,
        linkage_window="2024-01",
        sides=(side,),
    )
    events = EventStore(lake)
    for hour in (0, 2, 9):
        events.append(draft.model_copy(update={"created_at": START + timedelta(hours=hour)}), tmp_path)
    pair = [publication(lake, BEFORE, published_at=START + timedelta(hours=hour)) for hour in (1, 3)]
    [cause] = compare(lake, *pair).causes
    assert (cause.kind, cause.name, cause.after) == ("correction", "exclude by ann: one person", "event 2")
    assert compare(lake, *reversed(pair)).causes == (cause,)
    assert "correction: exclude by ann: one person (event 2)" in comparison_to_table(compare(lake, *pair))


def test_json_holds_everything(lake, publication) -> None:
    found = compare(lake, publication(lake, BEFORE), publication(lake, AFTER, daily=[whole_day(DAY, 3)]))
    said = json.loads(comparison_to_json(found))
    assert said["before"]["publication_id"] == found.before.publication_id
    assert said["windows"][0]["more_by_split"] == 1
    assert said["changes"][0]["others"] == [{"visitor_id": "A1", "sightings": 2}, {"visitor_id": "A2", "sightings": 1}]
    assert said["days"][0]["after"]["unique_visitors"] == 3
    assert {"state": "visitor_only_before", "reason": "low_score", "sightings": 2} in said["sightings"]
    assert "key" not in str(said)


def test_the_table_adds_up(compared) -> None:
    text = comparison_to_table(compared)
    assert "2024-01: 6 -> 6 = 6 + 1 new - 1 gone + 1 by splits - 1 by merges" in text
    assert "2024-01 ada (3 sightings): split into A1 (2), A2 (1)" in text
    assert "2024-01 C (3 sightings): merged from cid (2), dan (1)" in text
    assert "2  of a visitor before, not after (low_score)" in text
    assert "no version, rule, registry entry or correction differs\n\n" in text


def test_changes_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="changes that lead to 6, got 5"):
        VisitorChange("2024-01", 4, 6, 4, 0, new=1, gone=0, split=0, more_by_split=0, merged=0, fewer_by_merge=0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"limit": 0}, "limit of at least 1"),
        ({"first_day": date(2024, 2, 1), "last_day": DAY}, "starts before it ends"),
    ],
)
def test_what_cannot_be_asked_for(lake, publication, options, complaint) -> None:
    made = publication(lake, BEFORE)
    with pytest.raises(UserMistake, match=complaint):
        compare(lake, made, made, **options)


NAMES = st.sampled_from(["a", "b", "c", "d", "-too_small"])
NAMINGS = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=14)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(namings=NAMINGS)
def test_any_two_namings_add_up(publication, tmp_path_factory, namings) -> None:
    """Checked against a count in plain Python; that the change leads from one number to the other checks itself."""
    lake = FolderLake(tmp_path_factory.mktemp("lake"))
    before, after = ({(n + 1, BOX): pair[side] for n, pair in enumerate(namings)} for side in (0, 1))
    found = compare(lake, publication(lake, before), publication(lake, after))
    links = {pair for pair in namings if not any(name.startswith("-") for name in pair)}
    old, new = ({name for name in faces.values() if not name.startswith("-")} for faces in (before, after))
    degrees = [Counter(link[side] for link in links) for side in (0, 1)]
    windows = {each.linkage_window: each for each in found.windows}
    if not old and not new:
        assert windows == {}
        return
    [window] = windows.values()
    assert (window.before, window.after) == (len(old), len(new))
    assert (window.gone, window.new) == (len(old - set(degrees[0])), len(new - set(degrees[1])))
    assert window.split == sum(count > 1 for count in degrees[0].values())
    assert window.merged == sum(count > 1 for count in degrees[1].values())
    ones = [link for link in links if degrees[0][link[0]] == degrees[1][link[1]] == 1]
    same = [link for link in ones if all(pair == link for pair in namings if link[0] == pair[0] or link[1] == pair[1])]
    assert (window.unchanged, window.adjusted) == (len(same), len(ones) - len(same))


def test_publications_are_found_by_their_first_digits(lake, publication) -> None:
    first = publication(lake, BEFORE)
    second = publication(lake, AFTER, published_at=START + timedelta(hours=1))
    assert find_publication(lake, first.publication_id[:8]) == first
    assert find_publication(lake, "current") == second
    assert kept_publications(lake) == [second, first]
    shown = publications_to_table(kept_publications(lake), second.publication_id).splitlines()
    assert [line[0] for line in shown] == ["*", " "]
    assert first.publication_id[:12] in shown[1]


@pytest.mark.parametrize("name", ["ffffffff", "abc", "../../x", "CURRENT", "", "g" * 8])
def test_a_publication_that_is_not_kept(lake, publication, name) -> None:
    made = publication(lake, BEFORE)
    with pytest.raises(UserMistake, match=f"kept: {made.publication_id[:12]}"):
        find_publication(lake, name)


def test_nothing_published(lake) -> None:
    for name in ("current", "abcdef"):
        with pytest.raises(NoData, match="footfall run"):
            find_publication(lake, name)


def test_a_file_that_was_changed_is_not_compared(lake, publication) -> None:
    made = publication(lake, BEFORE)
    lake.write(made.visitors.key, b"damaged")
    with pytest.raises(CorruptObject, match="expected sha256"):
        compare(lake, made, made, limit=LIMIT)
