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
    if settings.lake_root.startswith("s3://"):
        try:
            from footfall_assets.storage.s3 import S3Lake  # noqa: PLC0415 - boto3 is an optional extra
        except ModuleNotFoundError as error:
            raise UserMistake(f"{error}: a lake on S3 needs the extra s3: pip install 'footfall[s3]'") from error
        return S3Lake.from_address(settings.lake_root, cache=settings.home / "lake_cache")
    return FolderLake(Path(settings.lake_root))
