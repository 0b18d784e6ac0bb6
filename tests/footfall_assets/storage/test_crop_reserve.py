"""The reserve of crops: whom it keeps, that nothing lies open, that a destroyed key is the end of a day."""

from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.settings import AuditSettings, PlatformSettings
from footfall_assets.storage.crop_reserve import CropExpired, CropReserve, open_reserve

TODAY = date(2024, 1, 10)
MARK = b"\xff\xd8 this would be a face \xff\xd9"
SPACE = UUID(int=7)


def visitor(number):
    return uuid5(SPACE, f"visitor {number}")


def face(number):
    return uuid5(SPACE, f"face {number}")


@pytest.fixture
def reserve_on(folder_lake, tmp_path):
    return lambda today=TODAY, days=7: CropReserve(folder_lake, tmp_path / "keys", days=days, today=today)


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_kept_can_be_had_again(reserve_on):
    crops = {face(1): MARK, face(2): b"another"}
    assert reserve_on().put(TODAY, visitor(1), crops)
    assert reserve_on().holds(TODAY, visitor(1))
    assert reserve_on().get(TODAY, visitor(1)) == crops
    assert reserve_on().get(TODAY, visitor(2)) == {}
    assert not reserve_on().holds(TODAY, visitor(2))


def test_no_crop_and_no_id_lies_open_on_disk(reserve_on, tmp_path):
    for number in range(20):
        reserve_on().put(TODAY, visitor(number), {face(number): MARK * 3})
    for path, content in files(tmp_path).items():
        assert MARK not in content
        for number in range(20):
            for each in (visitor(number), face(number)):
                assert each.bytes not in content
                assert str(each) not in str(path)
                assert each.hex not in str(path)


def test_writing_again_changes_nothing(reserve_on, tmp_path):
    reserve_on().put(TODAY, visitor(1), {face(1): MARK, face(2): b"x"})
    before = files(tmp_path)
    assert not reserve_on().put(TODAY, visitor(1), {face(2): b"x", face(1): MARK})
    assert files(tmp_path) == before


def test_no_nonce_is_used_for_two_contents(reserve_on, folder_lake):
    """GCM loses everything where a nonce comes twice under one key."""
    nonces = set()
    for number in range(50):
        reserve_on().put(TODAY, visitor(number % 5), {face(1): b"%d" % number})
        nonces |= {folder_lake.read(key)[:12] for key in folder_lake.list_keys("crop_reserve")}
    assert len(nonces) == 50


def test_the_hash_selects_one_in_a_hundred_and_always_the_same(reserve_on):
    ids = [visitor(number) for number in range(20_000)]
    chosen = [each for each in ids if reserve_on().selects(each, 0.01)]
    assert 150 <= len(chosen) <= 250  # 200 expected, standard deviation 14
    later = reserve_on(TODAY + timedelta(days=20))
    assert [each for each in ids if later.selects(each, 0.01)] == chosen
    assert set(chosen) <= {each for each in ids if later.selects(each, 0.02)}


def test_another_home_selects_others(reserve_on, folder_lake, tmp_path):
    """The key decides, or anybody could compute who is kept."""
    elsewhere = CropReserve(folder_lake, tmp_path / "other", days=7, today=TODAY)
    ids = [visitor(number) for number in range(20_000)]
    one, other = ({each for each in ids if home.selects(each, 0.01)} for home in (reserve_on(), elsewhere))
    assert len(one & other) < 10


class TestAfterSevenDays:
    """What is over."""

    def test_nothing_opens_and_nothing_is_left(self, reserve_on, folder_lake, tmp_path):
        reserve_on().put(TODAY, visitor(1), {face(1): MARK})
        (key,) = folder_lake.list_keys("crop_reserve")
        sealed, secret = folder_lake.read(key), (tmp_path / f"keys/crop-reserve/day-{TODAY}.key").read_bytes()
        assert AESGCM(secret).decrypt(sealed[:12], sealed[12:], key.encode())  # until then it does
        last, over = TODAY + timedelta(days=6), TODAY + timedelta(days=7)
        assert reserve_on(last).purge() == ()
        assert reserve_on(last).get(TODAY, visitor(1)) == {face(1): MARK}
        assert reserve_on(over).purge() == (TODAY,)
        assert folder_lake.list_keys("crop_reserve") == []
        # A copy of the object that somebody kept: the key that opened it is nowhere.
        assert all(secret not in content for content in files(tmp_path).values())
        folder_lake.write(key, sealed)
        assert reserve_on().get(TODAY, visitor(1)) == {}
        with pytest.raises(CropExpired):
            reserve_on(over).get(TODAY, visitor(1))

    def test_even_before_the_purge(self, reserve_on):
        reserve_on().put(TODAY, visitor(1), {face(1): MARK})
        with pytest.raises(CropExpired):
            reserve_on(TODAY + timedelta(days=7)).get(TODAY, visitor(1))
        assert not reserve_on(TODAY + timedelta(days=7)).holds(TODAY, visitor(1))

    def test_it_cannot_be_written_again(self, reserve_on, tmp_path):
        with pytest.raises(CropExpired):
            reserve_on(TODAY + timedelta(days=7)).put(TODAY, visitor(1), {face(1): MARK})
        assert not (tmp_path / "lake").exists()

    def test_the_key_goes_before_the_objects(self, reserve_on, folder_lake, monkeypatch, tmp_path):
        """A purge that is killed halfway has still deleted."""
        reserve_on().put(TODAY, visitor(1), {face(1): MARK})

        def killed(key):
            raise KeyboardInterrupt

        monkeypatch.setattr(folder_lake, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            reserve_on(TODAY + timedelta(days=7)).purge()
        assert not (tmp_path / f"keys/crop-reserve/day-{TODAY}.key").exists()
        assert folder_lake.list_keys("crop_reserve")
        monkeypatch.undo()
        assert reserve_on(TODAY + timedelta(days=7)).purge() == (TODAY,)
        assert folder_lake.list_keys("crop_reserve") == []

    def test_other_days_stay(self, reserve_on):
        for day in (TODAY, TODAY + timedelta(days=1)):
            reserve_on(day).put(day, visitor(1), {face(1): MARK})
        later = reserve_on(TODAY + timedelta(days=7))
        assert later.purge() == (TODAY,)
        assert later.get(TODAY + timedelta(days=1), visitor(1)) == {face(1): MARK}


def test_switching_it_off_purges_everything(reserve_on, folder_lake):
    reserve_on().put(TODAY, visitor(1), {face(1): MARK})
    assert reserve_on().purge(everything=True) == (TODAY,)
    assert folder_lake.list_keys("crop_reserve") == []


def test_an_object_opens_in_its_own_place_only(reserve_on, folder_lake):
    for number in (1, 2):
        reserve_on().put(TODAY, visitor(number), {face(number): MARK})
    one, other = folder_lake.list_keys("crop_reserve")
    folder_lake.write(one, folder_lake.read(other))
    moved = [number for number in (1, 2) if _fails(reserve_on(), visitor(number))]
    assert len(moved) == 1


def test_a_changed_byte_is_noticed(reserve_on, folder_lake):
    reserve_on().put(TODAY, visitor(1), {face(1): MARK})
    (key,) = folder_lake.list_keys("crop_reserve")
    sealed = bytearray(folder_lake.read(key))
    sealed[20] ^= 1
    folder_lake.write(key, bytes(sealed))
    assert _fails(reserve_on(), visitor(1))


def _fails(reserve, each):
    try:
        reserve.get(TODAY, each)
    except CorruptObject:
        return True
    return False


def test_production_keeps_one_in_a_hundred_at_most(tmp_path, folder_lake):
    audit = AuditSettings(crop_reserve=True, reserve_share=0.02)
    settings = PlatformSettings(home=tmp_path, environment="production", audit=audit)
    with pytest.raises(UserMistake, match="RESERVE_SHARE"):
        open_reserve(settings, folder_lake, TODAY)


def test_it_is_off_by_default():
    assert not PlatformSettings().audit.crop_reserve
    assert PlatformSettings().audit.role == "viewer"
    with pytest.raises(ValueError, match="less than or equal to 7"):
        AuditSettings(reserve_days=8)
