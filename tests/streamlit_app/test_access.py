import itertools

import pytest

from streamlit_app.access import AccessDenied, CropScope, Scope, decide_crop_scope, decide_scope, may_see_crops

ENVIRONMENTS = ("development", "production", "staging", "", None)


@pytest.mark.parametrize(("home", "publication"), list(itertools.product(ENVIRONMENTS, repeat=2)))
def test_every_combination_but_one_is_denied(home, publication):
    if (home, publication) == ("development", "development"):
        assert decide_scope(home=home, publication=publication) == Scope("development")
    else:
        with pytest.raises(AccessDenied, match="identity provider"):
            decide_scope(home=home, publication=publication)


ROLES = ("viewer", "auditor", "operator", "", None)


@pytest.mark.parametrize(("home", "role"), list(itertools.product(ENVIRONMENTS, ROLES)))
def test_only_an_auditor_of_a_development_home_may_see_crops(home, role):
    if (home, role) == ("development", "auditor"):
        assert decide_crop_scope(home=home, role=role) == CropScope("auditor")
    else:
        with pytest.raises(AccessDenied):
            decide_crop_scope(home=home, role=role)


@pytest.mark.parametrize(("role", "seen"), [(None, False), ("viewer", False), ("auditor", True), ("nonsense", False)])
def test_by_default_nobody_may(role, seen, monkeypatch):
    monkeypatch.delenv("FOOTFALL_AUDIT__ROLE", raising=False)
    if role:
        monkeypatch.setenv("FOOTFALL_AUDIT__ROLE", role)
    assert may_see_crops() is seen
