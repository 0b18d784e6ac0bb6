import stat

import pytest

from edge_capture.device import load_or_create_key
from edge_capture.errors import UnusableKey


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path) -> None:
    path = tmp_path / "keys" / "device.key"
    made = load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes() == made.private_bytes_raw()
    assert load_or_create_key(path).private_bytes_raw() == made.private_bytes_raw()


def test_every_device_has_its_own_key(tmp_path) -> None:
    first, second = (load_or_create_key(tmp_path / name).private_bytes_raw() for name in ("a.key", "b.key"))
    assert first != second


def test_a_damaged_key_is_not_replaced(tmp_path) -> None:
    """A new key would make this a device that nobody knows, and every batch a forgery."""
    path = tmp_path / "device.key"
    path.write_bytes(b"too short")
    with pytest.raises(UnusableKey, match="restore it"):
        load_or_create_key(path)
    assert path.read_bytes() == b"too short"
