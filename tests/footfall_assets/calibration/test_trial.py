import numpy as np

from footfall_assets.calibration.fit import f1_of
from footfall_assets.calibration.stores import StorePlan, VisitMix, draw_store
from footfall_assets.calibration.trial import founders, founding_rules, solve_store
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings

WIDE = [0.05, 0.1, 0.3]


def solved(stills, cuts=WIDE, seed=0, founding=None):
    visits = draw_store(stills, np.arange(len(stills.names)), StorePlan(50, VisitMix.UNIFORM, seed))
    may = founders(stills, founding_rules(QualitySettings(), None)) if founding is None else founding
    return visits, solve_store(stills, visits, may, LinkageSettings(local_max_distance=0.1), cuts)


def test_people_who_lie_far_apart_are_told_apart(stills):
    visits, found = solved(stills)
    assert f1_of(visits, found, 2) > 0.99
    assert len(np.unique(found.labels[:, 2])) == 50


def test_a_local_visitor_is_of_one_place_and_day(stills):
    visits, found = solved(stills)
    for number in range(len(found.template)):
        visit = visits.visit[found.local == number]
        assert set(visits.location[visit]) == {found.location[number]}
        assert set(visits.day[visit]) == {found.day[number]}
        assert found.camera[number] in set(visits.camera[found.local == number])


def test_a_higher_cut_only_joins(stills):
    _, found = solved(stills)
    for lower, higher in ((0, 1), (1, 2)):
        for label in np.unique(found.labels[:, lower]):
            assert len(np.unique(found.labels[found.labels[:, lower] == label, higher])) == 1


def test_faces_that_may_not_found_are_nobody_where_nobody_else_is(stills):
    _, found = solved(stills, founding=np.zeros(len(stills), dtype=np.bool_))
    assert len(found.template) == 0
    assert (found.local == -1).all()
