"""Each setting of quality and linkage changes who is who: moved across what was measured, another answer comes out."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from footfall_assets.domain.founding import Probe
from footfall_assets.identity.local_visitors import day_faces, solve_day
from footfall_assets.identity.resolve import NO_NAMES, solve
from footfall_assets.identity.window import WindowVisitors
from footfall_assets.platform import Platform

DIM = 16


@pytest.fixture
def day(footage, linkage):
    """Solve one location's day; faces may lie at a cosine distance from their person's axis."""

    class Day:
        def __init__(self, location="store-101", *, days=0):
            self.seen = footage(location_id=location, dim=DIM)
            self.seen.day += timedelta(days=days)

        def see(self, at_s, *, away=0.0, side=1, **measured):
            self.seen.see(0, at_s, **measured)
            look = np.zeros(DIM, np.float32)
            look[0], look[side] = 1 - away, (1 - (1 - away) ** 2) ** 0.5
            self.seen.vectors[-1] = look
            return self

        def solved(self, *, quality=None, probe=None, **changed):
            return solve_day(
                day_faces(*self.seen.tables()),
                location_id=self.seen.location_id,
                business_day=self.seen.day,
                interval_s={"door": 5.0},
                quality=quality or QualitySettings(),
                linkage=linkage.model_copy(update=changed),
                probe=probe,
            )

        def visitors(self, **options):
            return self.solved(**options).templates.num_rows

        def unidentified(self, **options):
            return self.solved(**options).assignments["local_visitor_id"].null_count

    return Day


@pytest.fixture
def identities(linkage):
    """Resolve several solved days; return how many people there are."""

    def count(*solved, **changed):
        templates = [each.templates for each in solved]
        settings = linkage.model_copy(update=changed)
        visitors = WindowVisitors.of(templates, settings)
        last = max(pa.concat_tables(templates)["day"].to_pylist())
        return int(solve(visitors, NO_NAMES, last, settings).identity.max()) + 1

    return count


@pytest.mark.parametrize(
    ("field", "measured", "lax", "strict"),
    [
        ("min_size_px", {"size_px": 40.0}, 30.0, 50.0),
        ("min_score", {"score": 0.8}, 0.7, 0.9),
        ("min_sharpness", {"sharpness": 0.3}, 0.2, 0.4),
        ("max_abs_yaw", {"yaw": -0.5}, 0.6, 0.4),
    ],
)
def test_a_gate_decides_who_founds(day, field, measured, lax, strict):
    seen = day().see(0, **measured)
    assert seen.visitors(quality=QualitySettings(**{field: lax})) == 1
    assert seen.visitors(quality=QualitySettings(**{field: strict})) == 0
    assert seen.unidentified(quality=QualitySettings(**{field: strict})) == 1


def test_the_probe_turns_away_what_is_not_recognisable(day, settings_of, tmp_path):
    unlike = Probe(np.array([-1.0] + [0.0] * (DIM - 1), np.float32), 0.5)
    assert day().see(0).visitors(probe=None) == 1
    assert day().see(0).visitors(probe=unlike) == 0
    asked = Platform(settings_of(tmp_path / "asked"))
    unasked = Platform(settings_of(tmp_path / "unasked", quality=QualitySettings(probe=False)))
    assert asked.probe is not None
    assert unasked.probe is None


def test_local_max_distance(day):
    seen = day().see(0).see(3600, away=0.05)
    assert seen.visitors(local_max_distance=0.06) == 1
    assert seen.visitors(local_max_distance=0.04) == 2


def test_join_max_distance(day):
    seen = day().see(0).see(3600, away=0.05, size_px=12.0)
    assert seen.unidentified(join_max_distance=0.06) == 0
    assert seen.unidentified(join_max_distance=0.04) == 1


def test_tracklet_max_distance(day):
    seen = day().see(0).see(5, away=0.12)
    assert seen.visitors(tracklet_max_distance=0.13) == 1
    assert seen.visitors(tracklet_max_distance=0.11) == 2


def test_tracklet_min_iou(day):
    """Boxes 60 px wide, 30 px apart: a third of what both cover is in both."""
    seen = day().see(0).see(5, away=0.12, x=30.0)
    assert seen.visitors(tracklet_min_iou=0.3) == 1
    assert seen.visitors(tracklet_min_iou=0.35) == 2


def test_window_max_distance(day, identities):
    days = [day().see(0).solved(), day(days=1).see(0, away=0.05).solved()]
    assert identities(*days, window_max_distance=0.06) == 1
    assert identities(*days, window_max_distance=0.04) == 2


def test_elsewhere_after_s(day, identities):
    """Seen at one store twice within 20 minutes, and at another in between."""
    between = day("store-203").see(600).solved()

    def people(limit):
        return identities(day().see(0).see(1200).solved(elsewhere_after_s=limit), between)

    assert people(900) == 1
    assert people(1500) == 2


def near_pairs_in_a_window(day, linkage, **changed):
    """How many pairs are compared among 40 looks at one person, a day each."""
    looks = [
        day(days=number).see(0, away=0.001 * number, side=1 + number % 8).solved().templates for number in range(40)
    ]
    settings = linkage.model_copy(update={"window_max_distance": 0.5} | changed)
    return len(WindowVisitors.of(looks, settings).near)


def test_neighbours(day, linkage):
    everybody = 40 * 39 // 2
    assert near_pairs_in_a_window(day, linkage, neighbours=39) == everybody
    assert near_pairs_in_a_window(day, linkage, neighbours=8) < everybody


def test_no_setting_is_without_such_a_test():
    """Whoever adds a setting shows here what it does."""
    tested = {
        QualitySettings: {"min_size_px", "min_score", "min_sharpness", "max_abs_yaw", "probe"},
        LinkageSettings: {
            "local_max_distance",
            "window_max_distance",
            "join_max_distance",
            "tracklet_max_distance",
            "tracklet_min_iou",
            "elsewhere_after_s",
            "exact_neighbours_below",  # test_gallery.py: what is proposed above it, and how much of it is found
            "neighbours",
        },
    }
    assert {settings: set(settings.model_fields) for settings in tested} == tested
