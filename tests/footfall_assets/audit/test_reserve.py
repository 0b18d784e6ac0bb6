"""The reserve of a day: nothing without opting in, the same bytes on every run, gone after seven days."""

from datetime import timedelta

import pytest

from footfall_assets.audit.period import good_faces
from footfall_assets.audit.reserve import refresh_crop_reserve
from footfall_assets.contracts.settings import AuditSettings
from footfall_assets.storage.crop_reserve import open_reserve


def files(home, folder):
    root = home.platform.settings.home
    return {path: path.read_bytes() for path in (root / folder).rglob("*") if path.is_file()}


def refresh(home, days, now):
    return [refresh_crop_reserve(home.platform, day, now=now) for day in days]


def test_without_opting_in_nothing_is_written(audit_home, days, now):
    home = audit_home()
    before = files(home, ".")
    assert [each.rows for each in refresh(home, days, now)] == [0, 0]
    assert files(home, ".") == before


def test_everybody_selected_is_kept_and_nothing_lies_open(audit_home, days, now, opted_in):
    home = audit_home(audit=opted_in)
    outcomes = refresh(home, days, now)
    assert sum(each.rows for each in outcomes) == len(home.persons())
    assert all(b"\xff\xd8\xff" not in content for content in files(home, "lake/crop_reserve").values())
    reserve = open_reserve(home.platform.settings, home.platform.lake, days[1])
    sides = {each.left for each in home.sample().questions}
    crops = [reserve.get(side.day, side.local_visitor_id) for side in sides]
    assert all(crop.startswith(b"\xff\xd8\xff") for found in crops for crop in found.values())
    assert all(set(side.faces) == set(found) for side, found in zip(sides, crops, strict=True))


def test_a_rerun_writes_the_same_bytes(audit_home, days, now, opted_in):
    home = audit_home(audit=opted_in)
    first = refresh(home, days, now)
    before = files(home, "lake/crop_reserve")
    again = refresh(home, days, now)
    assert files(home, "lake/crop_reserve") == before
    assert [each.content_hash for each in again] == [each.content_hash for each in first]
    assert sum(each.parts_computed for each in again) == 0


def test_few_are_kept_and_their_nearest_with_them(audit_home, days, now):
    audit = AuditSettings(crop_reserve=True, reserve_share=0.1, reserve_candidates=2)
    home = audit_home(audit=audit)
    refresh(home, days, now)
    reserve = open_reserve(home.platform.settings, home.platform.lake, days[1])
    day_of = {}
    for place in home.places:
        day_of |= dict.fromkeys(good_faces(home.platform, place), place.day)
    selected = {each for each in day_of if reserve.selects(each, 0.1)}
    held = {each for each, day in day_of.items() if reserve.holds(day, each)}
    assert selected < held
    assert len(held) <= len(selected) * (1 + 2 * len(days))
    assert len(held) < len(day_of)


def test_after_seven_days_nothing_is_left(audit_home, days, now, opted_in):
    home = audit_home(audit=opted_in)
    settings = home.platform.settings
    kept = settings.model_copy(update={"audit": AuditSettings(crop_reserve=True, reserve_share=0.01)})
    assert kept.audit.reserve_days == 7
    refresh(home, days, now)
    assert files(home, "lake/crop_reserve")
    later = home.with_settings(environment="production", audit=kept.audit)
    refresh_crop_reserve(later.platform, days[1], now=now + timedelta(days=6))
    assert {path.parent.name for path in files(home, "lake/crop_reserve")} == {f"day={days[1]}"}
    outcome = refresh_crop_reserve(later.platform, days[1], now=now + timedelta(days=7))
    assert (outcome.rows, outcome.left_out["reserve_days_purged"]) == (0, 1)
    assert files(home, "lake/crop_reserve") == {}
    assert [path.name for path in files(home, "keys/crop-reserve")] == ["selection.key"]


def test_opting_out_destroys_what_was_kept(audit_home, days, now, opted_in):
    home = audit_home(audit=opted_in)
    refresh(home, days, now)
    out = home.with_settings(audit=AuditSettings())
    refresh_crop_reserve(out.platform, days[1], now=now)
    assert files(home, "lake/crop_reserve") == {}


def test_a_place_that_only_counts_has_nothing_to_keep(audit_home, days, now, opted_in):
    home = audit_home(audit=opted_in)
    assert refresh_crop_reserve(home.platform, days[0] - timedelta(days=1), now=now).rows == 0


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_is_a_share(share):
    with pytest.raises(ValueError, match="reserve_share"):
        AuditSettings(reserve_share=share)
