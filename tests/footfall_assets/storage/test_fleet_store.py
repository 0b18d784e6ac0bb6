"""Signed documents: whoever reads one finds what its signer wrote, whenever a writer dies and whatever lies there."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.errors import InvalidDocument
from footfall_assets.contracts.fleet import MOST_DOCUMENT_BYTES, KeyHandover
from footfall_assets.storage.fleet_store import WrongSigner, read_record, read_signed, signature_key, write_signed
from footfall_assets.storage.lake import ObjectMissing

KEY = "fleet/devices/box-1/desired.json"
SIGNER, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
PUBLIC = public_key_text(SIGNER)


def record(number: int) -> KeyHandover:
    return KeyHandover(public_key="a" * 44, next_public_key=f"{number:044}")


def read(lake, public_key=PUBLIC):
    return read_signed(lake, KEY, KeyHandover, public_key)


class Dying:
    """A lake whose writes end after so many."""

    def __init__(self, lake, writes: int) -> None:
        self._lake, self._left = lake, writes

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def write(self, key, data):
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        self._lake.write(key, data)


def test_what_was_written_is_read(folder_lake) -> None:
    for number in (1, 2, 3):
        write_signed(folder_lake, KEY, record(number), SIGNER)
        assert read(folder_lake) == record(number)


def test_nothing_there_is_said_as_such(folder_lake) -> None:
    with pytest.raises(ObjectMissing):
        read(folder_lake)
    assert read_record(folder_lake, KEY, KeyHandover) is None


def test_a_writer_may_die_anywhere_and_again_and_again(folder_lake) -> None:
    """Signature and document are two objects: between their writes a reader found a pair that did not fit."""
    write_signed(folder_lake, KEY, record(0), SIGNER)
    expected = {record(0)}
    for number, writes in enumerate((1, 1, 1, 0, 1, 2, 1), start=1):
        if writes == 2:
            write_signed(folder_lake, KEY, record(number), SIGNER)
            expected = {record(number)}
        else:
            with pytest.raises(KeyboardInterrupt):
                write_signed(Dying(folder_lake, writes), KEY, record(number), SIGNER)
        assert read(folder_lake) in expected


def test_a_reader_between_two_writes_of_a_writer_finds_the_old_one(folder_lake) -> None:
    write_signed(folder_lake, KEY, record(1), SIGNER)
    seen = []

    class Watched(Dying):
        def write(self, key, data):
            super().write(key, data)
            seen.append(read(folder_lake))

    write_signed(Watched(folder_lake, 9), KEY, record(2), SIGNER)
    assert seen == [record(1), record(2)]


def forged(lake):
    write_signed(lake, KEY, record(2), OTHER)


def changed(lake):
    lake.write(KEY, lake.read(KEY).replace(b"aa", b"ab", 1))


def unsigned(lake):
    lake.delete(signature_key(KEY))


def cut(lake):
    lake.write(signature_key(KEY), lake.read(signature_key(KEY))[:63])


def flooded(lake):
    lake.write(KEY, b"{" + b" " * 10_000_000)


@pytest.mark.parametrize("attack", [forged, changed, unsigned, cut, flooded])
def test_what_the_signer_did_not_write_is_refused(folder_lake, attack) -> None:
    write_signed(folder_lake, KEY, record(1), SIGNER)
    attack(folder_lake)
    with pytest.raises(WrongSigner):
        read(folder_lake)


def test_the_signer_may_follow_another_key(folder_lake) -> None:
    """A device that has the new key already, and one that still has the old one, both read while it is replaced."""
    write_signed(folder_lake, KEY, record(1), OTHER)
    with pytest.raises(KeyboardInterrupt):
        write_signed(Dying(folder_lake, 1), KEY, record(2), SIGNER)
    assert read(folder_lake, public_key_text(OTHER)) == record(1)
    write_signed(folder_lake, KEY, record(2), SIGNER)
    assert read(folder_lake) == record(2)


@pytest.mark.parametrize("public_key", ["", "no base64!", "aa", "a" * 44])
def test_a_key_that_is_none_signs_nothing(folder_lake, public_key) -> None:
    write_signed(folder_lake, KEY, record(1), SIGNER)
    with pytest.raises(WrongSigner):
        read(folder_lake, public_key)


HOSTILE = {
    "twice the same name": b'{"public_key": "%s", "public_key": "%s", "next_public_key": "%s"}'
    % (b"a" * 44, b"b" * 44, b"c" * 44),
    "unknown field": b'{"public_key": "%s", "next_public_key": "%s", "more": 1}' % (b"a" * 44, b"c" * 44),
    "missing field": b"{}",
    "list": b"[]",
    "deep": b"[" * 100_000,
    "no UTF-8": b'{"public_key": "\xff"}',
    "not a number": b'{"public_key": NaN}',
    "huge number": b'{"public_key": 1' + b"0" * 5000 + b"}",
    "too large": b" " * (MOST_DOCUMENT_BYTES + 1),
    "empty": b"",
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_signed_document_is_no_more_trusted_than_another(folder_lake, document) -> None:
    folder_lake.write(KEY, document)
    folder_lake.write(signature_key(KEY), SIGNER.sign(document))
    with pytest.raises(InvalidDocument):
        read(folder_lake)
    with pytest.raises(InvalidDocument):
        read_record(folder_lake, KEY, KeyHandover)
