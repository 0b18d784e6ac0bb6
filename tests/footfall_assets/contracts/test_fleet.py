import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from footfall_assets.contracts.camera_settings import parse_polygon
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.fleet import (
    DesiredCamera,
    DesiredConfiguration,
    EnrolmentToken,
    enrolment_proof,
    handover_key,
    secret_hash,
)
from footfall_assets.storage.lake import check_key

TOKEN = EnrolmentToken("box-1", bytes(range(32)), "A" * 43 + "=")


def test_a_token_is_one_word_and_comes_back() -> None:
    assert re.fullmatch(r"footfall1\.box-1\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}", TOKEN.text)
    assert EnrolmentToken.parse(f"  {TOKEN.text}\n") == TOKEN


def test_a_token_does_not_print_its_secret() -> None:
    assert repr(TOKEN) == "EnrolmentToken('box-1')"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "footfall1",
        "footfall2" + TOKEN.text[9:],
        TOKEN.text[:-1],
        TOKEN.text + ".more",
        TOKEN.text.replace("box-1", "../box"),
        TOKEN.text.replace("box-1", ""),
        TOKEN.text + "é",
        "a" * 1_000_000,
    ],
)
def test_what_is_no_token_is_refused_and_not_repeated(text) -> None:
    with pytest.raises(UserMistake, match="enrolment token") as refused:
        EnrolmentToken.parse(text)
    assert len(str(refused.value)) < 200
    assert len(text) < 20 or text not in str(refused.value)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_proof_needs_the_secret(right, wrong) -> None:
    proof = enrolment_proof(secret_hash(right), "box-1", "k" * 44)
    assert (proof == enrolment_proof(secret_hash(wrong), "box-1", "k" * 44)) == (right == wrong)
    assert proof != enrolment_proof(secret_hash(right), "box-2", "k" * 44)
    assert proof != enrolment_proof(secret_hash(right), "box-1", "l" * 44)


def test_the_keys_of_the_fleet_area_are_keys() -> None:
    """A public key holds / and +, which no key of the lake may."""
    check_key(handover_key("/+" * 22))


ADDRESSES = {
    "rtsp://user:secret@10.0.0.7/s1": False,
    "rtsp://user@10.0.0.7/s1": False,
    "http://10.0.0.7/still?user=a&pwd=b": False,
    "http://10.0.0.7/still?PASSWORD=": False,
    "rtsp://[::1": False,
    "rtsp://10.0.0.7/s1\nrtsp://evil": False,
    "": False,
    "rtsp://10.0.0.7:554/s1": True,
    "http://10.0.0.7/still?size=large": True,
    "rtsps://[fe80::1]/s1": True,
    "0": True,
    "/data/clips/door@night.mp4": True,
}


@pytest.mark.parametrize(("address", "fits"), ADDRESSES.items())
def test_no_address_holds_credentials(address, fits) -> None:
    camera = {"camera_id": "door", "kind": "network", "address": address}
    if fits:
        assert DesiredCamera.model_validate(camera).address == address
    else:
        with pytest.raises(ValidationError) as refused:
            DesiredCamera.model_validate(camera)
        assert "secret" not in refused.value.errors()[0]["msg"].replace("secrets file", "")


def test_a_camera_is_named_once_in_a_configuration() -> None:
    camera = DesiredCamera(camera_id="door", kind="usb", address="0")
    fields = {"device_id": "box-1", "revision": 1, "location_id": "store", "timezone": "UTC"}
    with pytest.raises(ValidationError, match="every camera once"):
        DesiredConfiguration(**fields, issued_at=datetime.now(UTC), cameras=(camera, camera))


@pytest.mark.parametrize("text", ["", "0.1", "0.1,0.2,0.3", "a,b/c,d/e,f", "0.1,0.2 0.3,0.4"])
def test_corners_are_pairs_of_numbers(text) -> None:
    with pytest.raises(UserMistake, match="corners"):
        parse_polygon(text)


def test_corners_come_in_order() -> None:
    assert parse_polygon("0,0/1,0/0.5,1") == ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
