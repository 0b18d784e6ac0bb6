import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_capture.encryption import KEY_BYTES, BatchSeal, load_or_create_seal
from edge_capture.errors import DamagedItem, UnusableKey

SEAL = BatchSeal(bytes(range(KEY_BYTES)))


@given(st.binary(max_size=2000), st.text(max_size=40))
def test_what_is_sealed_comes_back_and_differs_each_time(plain, name):
    first, second = SEAL.seal(plain, name), SEAL.seal(plain, name)
    assert SEAL.unseal(first, name) == SEAL.unseal(second, name) == plain
    assert first != second


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_changed_bit_anywhere_is_noticed(plain, data):
    sealed = bytearray(SEAL.seal(plain, "a"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedItem):
        SEAL.unseal(bytes(sealed), "a")


@pytest.mark.parametrize("sealed", [b"", b"short", SEAL.seal(b"x", "other"), BatchSeal(bytes(32)).seal(b"x", "name")])
def test_another_name_or_key_or_nothing_at_all_is_noticed(sealed):
    with pytest.raises(DamagedItem, match="not_authentic"):
        SEAL.unseal(sealed, "name")


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "keys" / "spool.key"
    first = load_or_create_seal(path)
    assert load_or_create_seal(path).key_id == first.key_id
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116
    assert first.key_id not in path.read_bytes().hex()
    assert path.read_bytes().hex() not in repr(first)


def test_a_file_that_holds_no_key_is_refused(tmp_path):
    (tmp_path / "spool.key").write_bytes(b"password")
    with pytest.raises(UnusableKey, match="32 bytes"):
        load_or_create_seal(tmp_path / "spool.key")
