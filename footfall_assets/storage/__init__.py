"""The lake: one interface, a folder or S3 behind it."""

from pathlib import Path

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.lake import FolderLake, LakeStore


def open_lake(settings: PlatformSettings) -> LakeStore:
    """Return the lake that the settings name: a folder, or a bucket for an `s3://` address.

    Raises:
        UserMistake: an `s3://` address of another form, or boto3 is not installed.
    """
    return open_lake_at(settings.lake_root, cache=settings.home / "lake_cache")


def open_lake_at(address: str, *, cache: Path, attempts: int | None = None) -> LakeStore:
    """Return the lake at a folder's path or an `s3://` address; `attempts` bounds those of one request to S3.

    Raises:
        UserMistake: an `s3://` address of another form, or boto3 is not installed.
    """
    if not address.startswith("s3://"):
        return FolderLake(Path(address))
    try:
        from footfall_assets.storage.s3 import MOST_ATTEMPTS, S3Lake  # noqa: PLC0415 - boto3 is an optional extra
    except ModuleNotFoundError as error:
        raise UserMistake(f"{error}: a lake on S3 needs the extra s3: pip install 'footfall[s3]'") from error
    return S3Lake.from_address(address, cache=cache, attempts=attempts or MOST_ATTEMPTS)
