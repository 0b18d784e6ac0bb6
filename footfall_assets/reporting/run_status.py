"""The platform's newest runs, read from the document that it leaves in the lake."""

from pydantic import ValidationError

from footfall_assets.contracts.errors import CorruptObject, NoData
from footfall_assets.contracts.run_status import RUN_STATUS_KEY, RecentRuns
from footfall_assets.storage.lake import LakeStore


def recent_runs(lake: LakeStore) -> RecentRuns:
    """Return the newest runs.

    Raises:
        NoData: the platform has not written any yet.
        CorruptObject: the document is not what it writes.
    """
    if not lake.exists(RUN_STATUS_KEY):
        raise NoData("no run is recorded yet; start the platform: footfall up, or footfall run")
    try:
        return RecentRuns.model_validate_json(lake.read(RUN_STATUS_KEY))
    except ValidationError as error:
        raise CorruptObject(f"expected the newest runs at {RUN_STATUS_KEY!r}, got {error}; run footfall run") from error
