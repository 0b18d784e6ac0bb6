from datetime import date

import pyarrow as pa
import pytest

from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.partitions import PartitionPlace, PartitionStore


@pytest.fixture
def folder_lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def store(folder_lake):
    return PartitionStore(folder_lake)


@pytest.fixture
def place():
    return PartitionPlace("faces", "0123456789abcdef", date(2024, 1, 1), "store-101")


@pytest.fixture
def rows():
    return pa.table({"name": ["a", "b", "c"] * 40, "number": list(range(120))})
