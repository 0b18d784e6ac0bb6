import itertools

import pytest

from streamlit_app.access import AccessDenied, Scope, decide_scope

ENVIRONMENTS = ("development", "production", "staging", "", None)


@pytest.mark.parametrize(("home", "publication"), list(itertools.product(ENVIRONMENTS, repeat=2)))
def test_every_combination_but_one_is_denied(home, publication):
    if (home, publication) == ("development", "development"):
        assert decide_scope(home=home, publication=publication) == Scope("development")
    else:
        with pytest.raises(AccessDenied, match="identity provider"):
            decide_scope(home=home, publication=publication)
