"""Bringing `local_visitors` of many places up to date on all cores: places are independent of each other."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Final

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.identity.refresh import refresh_local_visitors
from footfall_assets.platform import Outcome, Place, Platform

_FEWEST_PARALLEL: Final = 64  # places; starting a worker costs as much as a few dozen of them
_PLACES_AT_ONCE: Final = 16
_PROCESSES_PER_CORE: Final = 2  # half of a place's time is waiting for the disk to have what was written


def refresh_places(platform: Platform, places: Sequence[Place], *, workers: int | None = None) -> Iterator[Outcome]:
    """Yield what bringing `local_visitors` of each place up to date took, in the order of `places`.

    Args:
        platform: the home.
        places: each once.
        workers: processes; by default as many as the cores keep busy, and none for a few places.
    """
    if workers is None:
        workers = _PROCESSES_PER_CORE * (os.cpu_count() or 1) if len(places) >= _FEWEST_PARALLEL else 0
    if workers == 0:
        yield from (refresh_local_visitors(platform, place) for place in places)
        return
    # A forked worker would inherit the locks of this process's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start) as pool:
        tasks = [(platform.settings, place) for place in places]
        yield from pool.map(_refresh, tasks, chunksize=_PLACES_AT_ONCE)


def _start() -> None:
    threadpool_limits(limits=1)


@cache
def _platform(settings: str) -> Platform:
    return Platform(PlatformSettings.model_validate_json(settings))


def _refresh(task: tuple[PlatformSettings, Place]) -> Outcome:
    settings, place = task
    return refresh_local_visitors(_platform(settings.model_dump_json()), place)
