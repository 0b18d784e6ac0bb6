from datetime import date

import numpy as np
import pytest

from footfall_assets.calibration.fit import FitPlan, calibrate, fit_probe, probe_of, strangers_of
from footfall_assets.calibration.labelled_people import StillKind
from footfall_assets.calibration.trial import founders, founding_rules
from footfall_assets.contracts.calibration import Calibration
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from tests.footfall_assets.calibration.conftest import people_of_numbers

LITTLE = FitPlan(seed=1, threshold_stores=3, count_stores=9, fold_stores=6, evaluation_stores=4)


def test_a_probe_turns_away_spoilt_faces_of_people_it_has_not_seen(stills):
    fitted, others = np.arange(60), np.arange(60, 90)
    probe = probe_of(fit_probe(stills, fitted))
    seen = np.isin(stills.person, others)
    passed = probe.recognisable(stills.vector)
    assert passed[seen & (stills.kind == StillKind.CLEAN)].mean() > 0.75
    assert passed[seen & (stills.kind != StillKind.CLEAN)].mean() < 0.05


def test_there_is_no_probe_where_nobody_was_spoilt():
    assert fit_probe(people_of_numbers(10, spoilt=False), np.arange(10)) is None
    assert probe_of(None) is None


@pytest.mark.parametrize(("distance", "expected"), [(-0.01, 0.0), (2.0, 1.0)])
def test_the_false_match_rate_is_of_strangers(stills, distance, expected):
    may = founders(stills, founding_rules(QualitySettings(), None))
    assert strangers_of(stills, np.arange(90), may, distance).rate == expected


def test_the_false_match_rate_leaves_out_photographs_of_one_person():
    few = people_of_numbers(2, photos=2, between=10.0, apart=0.01)
    may = np.ones(len(few), dtype=np.bool_)
    assert strangers_of(few, np.arange(2), may, 0.01).rate == 0.0


def test_a_calibration_is_made_of_its_parts_and_can_be_read_again(stills):
    found = calibrate(
        stills,
        embedder="numbers",
        origin="people made of numbers",
        today=date(2026, 1, 2),
        quality=QualitySettings(),
        linkage=LinkageSettings(),
        plan=LITTLE,
        window_max_distance=0.08,
    )
    assert Calibration.model_validate_json(found.model_dump_json()) == found
    assert found.window_max_distance == 0.08
    assert found.window_max_distance in found.cuts
    assert list(found.cuts) == sorted(found.cuts)
    assert found.evaluation.people == 30
    assert 0 < found.evaluation.median_error < 0.3


def test_the_same_labels_and_seed_give_the_same_calibration_and_other_seeds_other_ones(stills):
    def made(seed):
        return calibrate(
            stills,
            embedder="numbers",
            origin="x",
            today=date(2026, 1, 2),
            quality=QualitySettings(),
            linkage=LinkageSettings(),
            plan=FitPlan(seed=seed, threshold_stores=2, count_stores=4, fold_stores=3, evaluation_stores=2),
        ).digest

    assert made(1) == made(1) != made(2)
