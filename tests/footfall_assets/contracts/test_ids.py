from datetime import UTC, date, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.contracts import ids
from footfall_assets.contracts.errors import InvalidIdentifier

MOMENT = datetime(2024, 1, 1, 9, 30, 0, 250_000, tzinfo=UTC)
DIGEST = "ab" * 32
FOUNDER = UUID(int=1)
HOSTILE = [
    "",
    "../x",
    "..%2f",
    "%00",
    "a\x00",
    "\\",
    "/abs",
    ".",
    "CON",
    "a" * 65,
    "a" * 5000,
    "a\u202eb",
    "a\u200bb",
    "\u0430bc",
    "s1'--",
    "a\n",
    "\na",
    "{{7*7}}",
    "<script>",
    "=cmd()",
    "a b",
    "-a",
    "_a",
    "A",
    "é",
    "٣",
    "a.b",
]


@pytest.mark.parametrize(
    ("made", "pinned"),
    [
        (ids.image_id("door", MOMENT, DIGEST), "90bccfe4-bf6c-8cc2-8306-100f746ef121"),
        (ids.batch_id("door", MOMENT, (UUID(int=1), UUID(int=2))), "1c9e40db-b631-81d5-ae97-7d2648bb25c6"),
        (ids.batch_id("door", MOMENT, ()), "41e14835-7e99-8c73-a478-3ae356fdd927"),
        (ids.face_image_id(UUID(int=1), (10.0, 20.25, 110.5, 140.0)), "25cb9d59-f6b3-8035-915c-593df6e96ee8"),
        (ids.local_visitor_id("store-101", date(2024, 1, 1), FOUNDER), "5f7b7ceb-57b5-890a-8dc7-6e581938b2c7"),
        (ids.minted_face_id("2024-01", date(2024, 1, 1), FOUNDER), "724fb950-2802-806a-9a24-4aa75951bd49"),
    ],
)
def test_ids_stay_what_they_were_in_every_lake_that_exists(made, pinned):
    assert made == UUID(pinned)
    assert made.version == 8
    assert made.variant == RFC_4122


def test_hashes_stay_what_they_were():
    assert ids.sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ids.digest_of() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert ids.digest_of("a", "b") == "3c9d591045bc8876f9d0399bbfb05c6a412096e906f73278f98406cd5dca86df"


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_only_the_same_list_has_the_same_digest(left, right):
    assert (ids.digest_of(*left) == ids.digest_of(*right)) == (left == right)


def test_a_part_moved_over_its_border_gives_another_digest():
    assert len({ids.digest_of(*parts) for parts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["", "abc"])}) == 5


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_an_id_knows_the_moment_and_not_the_zone_it_was_written_in(naive, hours):
    moment = naive.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert ids.image_id("door", elsewhere, DIGEST) == ids.image_id("door", moment, DIGEST)
    assert ids.image_id("door", moment + timedelta(microseconds=1), DIGEST) != ids.image_id("door", moment, DIGEST)


def test_a_time_without_a_zone_has_no_id():
    with pytest.raises(ValueError, match="time zone"):
        ids.image_id("door", MOMENT.replace(tzinfo=None), DIGEST)


def test_everything_that_goes_into_an_id_counts():
    image = {
        ids.image_id(camera, moment, digest)
        for camera in ("door", "gate")
        for moment in (MOMENT, MOMENT + timedelta(seconds=1))
        for digest in (DIGEST, "cd" * 32)
    }
    assert len(image) == 8
    one, two = UUID(int=1), UUID(int=2)
    assert len({ids.batch_id("door", MOMENT, each) for each in ((), (one,), (one, two), (two, one))}) == 4
    kinds = {ids.local_visitor_id("x", date(2024, 1, 1), one), ids.minted_face_id("x", date(2024, 1, 1), one)}
    assert len(kinds) == 2


def test_a_box_counts_to_a_tenth_of_a_pixel():
    box = (10.0, 20.0, 30.0, 40.0)
    assert ids.face_image_id(FOUNDER, (10.04, 20.0, 30.0, 40.0)) == ids.face_image_id(FOUNDER, box)
    assert ids.face_image_id(FOUNDER, (10.06, 20.0, 30.0, 40.0)) != ids.face_image_id(FOUNDER, box)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_id_is_refused_with_a_short_line(text):
    with pytest.raises(InvalidIdentifier, match="rename it") as caught:
        ids.parse_slug(text)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True))
def test_every_id_of_the_agreed_form_passes(text):
    assert ids.parse_slug(text) == text


@given(st.text(max_size=10))
def test_what_passes_is_a_safe_part_of_a_path(text):
    try:
        ids.parse_slug(text)
    except InvalidIdentifier:
        return
    assert text.isascii()
    assert not set(text) & set("./\\%: \n\0")
