"""Appearances and visits of a random crowd, against the rules written down once more in plain Python."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

APPEARANCE_GAP = timedelta(seconds=60)
APPEARANCE_GAP_INTERVALS = 4
VISIT_GAP = timedelta(hours=3)


def crowd_runs(home):
    """Return the times of every visitor at every camera and business day."""
    people = {local: row["face_id"] for found in home.identities.values() for local, row in found.items()}
    runs = defaultdict(list)
    for day, rows in home.sightings.items():
        for row in rows:
            if row["local_visitor_id"] is not None:
                face_id = people[row["local_visitor_id"]]
                runs[face_id, row["location_id"], day, row["camera_id"]].append(row["captured_at"])
    return runs


def expected_appearances(home):
    intervals = {camera["camera_id"]: camera["interval_s"] for camera in home.cameras}
    for (face_id, location_id, day, camera_id), times in crowd_runs(home).items():
        longest = max(APPEARANCE_GAP, APPEARANCE_GAP_INTERVALS * timedelta(seconds=intervals[camera_id]))
        run = []
        for moment in sorted(times):
            if run and moment - run[-1] > longest:
                yield face_id, location_id, day, camera_id, run[0], run[-1], len(run)
                run = []
            run.append(moment)
        yield face_id, location_id, day, camera_id, run[0], run[-1], len(run)


def expected_visits(home):
    stays = defaultdict(list)
    for face_id, location_id, day, _camera, started, ended, sightings in expected_appearances(home):
        stays[face_id, location_id, day].append((started, ended, sightings))
    for key, appearances in stays.items():
        visits = []
        for started, ended, sightings in sorted(appearances):
            if not visits or started - visits[-1][1] > VISIT_GAP:
                visits.append([started, ended, 0, 0])
            visits[-1][1] = max(visits[-1][1], ended)
            visits[-1][2] += 1
            visits[-1][3] += sightings
        for visit in visits:
            yield (*key, *visit)


def test_appearances_follow_the_rule(built):
    found = built.rows(
        "select face_id, location_id, business_day, camera_id, started_at, ended_at, sightings from fct_appearances"
    )
    assert sorted(found, key=str) == sorted(expected_appearances(built.home), key=str)
    assert len(found) > 900


def test_visits_follow_the_rule(built):
    found = built.rows(
        "select face_id, location_id, business_day, started_at, ended_at, appearances, sightings from fct_visits"
    )
    assert sorted(found, key=str) == sorted(expected_visits(built.home), key=str)
    assert len(found) > 300


def test_the_crowd_meets_every_boundary(built):
    """The comparison means little unless gaps at and around both limits occur inside one run."""
    gaps = {
        (later - earlier).total_seconds()
        for times in crowd_runs(built.home).values()
        for earlier, later in pairwise(sorted(times))
    }
    assert {60.0, 60.000001, 160.0, 160.000001, 10800.0} <= gaps
