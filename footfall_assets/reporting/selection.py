"""Which cameras a request selects, and how their locations are called in a report.

A directory of 10,000 stores takes a tenth of a second to read, and every question needs it. A published file never
changes, so a process keeps the directories of the last few.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import duckdb

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.request import ReportRequest

_NAMED_IN_MESSAGES: Final = 20  # known ids a message lists before it only counts the rest

_KEPT: Final = 8  # directories
_PUBLISHED_FILE: Final = re.compile(r"[a-z]+-[0-9a-f]{64}\.duckdb")  # named by its content
_PATH_SQL: Final = "select path from duckdb_databases() where database_name = current_database()"
_LOCATIONS_SQL: Final = "select location_id, name, timezone, mode, is_current from dim_locations order by location_id"
_CAMERAS_SQL: Final = "select camera_id, location_id, name, is_current from dim_cameras order by camera_id"
_COUNTED_SQL: Final = "select distinct location_id from counted_traffic_daily"
_GROUPS_SQL: Final = """
select group_id, min(name), list(camera_id order by camera_id)
from dim_camera_groups
group by group_id
order by group_id
"""


@dataclass(frozen=True)
class LocationInfo:
    """A store as reports name it; `label` is unique among all locations."""

    location_id: str
    label: str
    timezone: str
    mode: str
    is_current: bool


@dataclass(frozen=True)
class CameraInfo:
    """A camera and the store it hangs in."""

    camera_id: str
    location_id: str
    name: str
    is_current: bool


@dataclass(frozen=True)
class CameraGroupInfo:
    """A named set of cameras."""

    group_id: str
    name: str
    camera_ids: tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """The locations, cameras and camera groups of a publication that somebody may know of, by id.

    `counted_ids` are the locations of which a door counter or another source says something. `is_restricted`: others
    may exist; then all means all of these, and what the registry has forgotten is left out.
    """

    locations: Mapping[str, LocationInfo]
    cameras: Mapping[str, CameraInfo]
    groups: Mapping[str, CameraGroupInfo]
    counted_ids: frozenset[str] = frozenset()
    is_restricted: bool = False

    def label(self, location_id: str) -> str:
        """Return a location's name in reports; its id where the registry no longer knows it."""
        info = self.locations.get(location_id)
        return info.label if info else location_id


@dataclass(frozen=True)
class Selection:
    """The cameras of a request: `camera_ids` is None for all, including those the registry has forgotten.

    `location_ids` are the places of the cameras and those of `counted_only_ids`, where people are counted without one.
    """

    camera_ids: tuple[str, ...] | None
    location_ids: tuple[str, ...]
    group_name: str | None
    counted_only_ids: tuple[str, ...] = ()

    @property
    def parameter(self) -> list[str] | None:
        """The value to bind where a query selects cameras."""
        return None if self.camera_ids is None else list(self.camera_ids)

    @property
    def camera_place_ids(self) -> tuple[str, ...]:
        """The locations at which there is a camera."""
        return tuple(key for key in self.location_ids if key not in self.counted_only_ids)


_directories: OrderedDict[tuple[object, ...], Directory] = OrderedDict()
_directories_lock = Lock()


def read_directory(connection: duckdb.DuckDBPyConnection, *, allowed: Iterable[str] | None = None) -> Directory:
    """Return the dimensions of a published file, of the locations that are `allowed`; None for all of them."""
    directory = _kept_directory(connection)
    return directory if allowed is None else restricted(directory, allowed)


def restricted(directory: Directory, allowed: Iterable[str]) -> Directory:
    """Return what is left of `directory` for somebody who may see the locations `allowed`, and no other name.

    This is the one place where what is allowed meets what there is; `select_cameras` then takes what is asked from it.
    """
    places = frozenset(allowed)
    cameras = {key: each for key, each in directory.cameras.items() if each.location_id in places}
    groups = {
        key: CameraGroupInfo(key, each.name, tuple(camera for camera in each.camera_ids if camera in cameras))
        for key, each in directory.groups.items()
    }
    return Directory(
        locations={key: each for key, each in directory.locations.items() if key in places},
        cameras=cameras,
        groups={key: each for key, each in groups.items() if each.camera_ids},
        counted_ids=directory.counted_ids & places,
        is_restricted=True,
    )


def _kept_directory(connection: duckdb.DuckDBPyConnection) -> Directory:
    key = _content_key(connection)
    if key is None:
        return _whole_directory(connection)
    with _directories_lock:
        if key not in _directories:
            _directories[key] = _whole_directory(connection)
            while len(_directories) > _KEPT:
                _directories.popitem(last=False)
        _directories.move_to_end(key)
        return _directories[key]


def _content_key(connection: duckdb.DuckDBPyConnection) -> tuple[object, ...] | None:
    """Return what names the content of an open published file; None for a database that may change."""
    [(text,)] = fetch_rows(connection, _PATH_SQL, {})
    if text is None or not _PUBLISHED_FILE.fullmatch(Path(text).name):
        return None
    state = Path(text).stat()
    return text, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def _whole_directory(connection: duckdb.DuckDBPyConnection) -> Directory:
    locations = fetch_rows(connection, _LOCATIONS_SQL, {})
    times_used = Counter(name for _, name, *_ in locations)
    return Directory(
        locations={
            location_id: LocationInfo(
                location_id,
                label=name if times_used[name] == 1 else f"{name} ({location_id})",
                timezone=timezone,
                mode=mode,
                is_current=is_current,
            )
            for location_id, name, timezone, mode, is_current in locations
        },
        cameras={row[0]: CameraInfo(*row) for row in fetch_rows(connection, _CAMERAS_SQL, {})},
        groups={
            row[0]: CameraGroupInfo(row[0], row[1], tuple(row[2])) for row in fetch_rows(connection, _GROUPS_SQL, {})
        },
        counted_ids=_counted_ids(connection),
    )


def _counted_ids(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    if not has_table(connection, "counted_traffic_daily"):  # one file holds it, and publications of before none
        return frozenset()
    return frozenset(location_id for (location_id,) in fetch_rows(connection, _COUNTED_SQL, {}))


def select_cameras(directory: Directory, request: ReportRequest) -> Selection:
    """Return the cameras that satisfy every filter of `request`.

    Raises:
        UserMistake: an unknown location, camera or camera group (the known ones are named), or no camera is left.
    """
    _check_known("location", request.location_ids, {key: each.label for key, each in directory.locations.items()})
    _check_known("camera", request.camera_ids, {key: each.name for key, each in directory.cameras.items()})
    groups = (request.camera_group,) if request.camera_group else ()
    _check_known("camera group", groups, {key: each.name for key, each in directory.groups.items()})
    counted_only = _counted_only(directory, request)
    if request.selects_all and not directory.is_restricted:
        places = tuple(sorted({*_places_in_use(directory), *counted_only}))
        return Selection(camera_ids=None, location_ids=places, group_name=None, counted_only_ids=counted_only)
    group = directory.groups[request.camera_group] if request.camera_group else None
    chosen = [camera for camera in directory.cameras.values() if _matches(camera, request, group)]
    if not chosen and not counted_only:
        raise UserMistake(
            "expected at least one camera that satisfies all filters, found none; "
            "drop a location, a camera or the camera group. Without a camera nobody knows who came to a location: "
            "unique visitors are not available there"
        )
    return Selection(
        camera_ids=tuple(sorted(camera.camera_id for camera in chosen)),
        location_ids=tuple(sorted({*(camera.location_id for camera in chosen), *counted_only})),
        group_name=group.name if group else None,
        counted_only_ids=counted_only,
    )


def _matches(camera: CameraInfo, request: ReportRequest, group: CameraGroupInfo | None) -> bool:
    return (
        (not request.location_ids or camera.location_id in request.location_ids)
        and (not request.camera_ids or camera.camera_id in request.camera_ids)
        and (group is None or camera.camera_id in group.camera_ids)
    )


def _counted_only(directory: Directory, request: ReportRequest) -> tuple[str, ...]:
    """Return the locations without any camera at which people are counted; who asks for cameras asks for none."""
    if request.camera_ids or request.camera_group:
        return ()
    counted = directory.counted_ids.difference(camera.location_id for camera in directory.cameras.values())
    asked = counted.intersection(request.location_ids or counted)
    return tuple(sorted(key for key in asked if key in directory.locations and directory.locations[key].mode != "off"))


def _places_in_use(directory: Directory) -> tuple[str, ...]:
    in_use = {camera.location_id for camera in directory.cameras.values() if camera.is_current}
    return tuple(sorted(key for key in in_use if key in directory.locations and directory.locations[key].mode != "off"))


def _check_known(kind: str, asked: Iterable[str], known: Mapping[str, str]) -> None:
    unknown = sorted(set(asked) - set(known))
    if unknown:
        shown = ", ".join(f"{key} ({known[key]})" for key in sorted(known)[:_NAMED_IN_MESSAGES]) or "none"
        more = f" and {len(known) - _NAMED_IN_MESSAGES} more" if len(known) > _NAMED_IN_MESSAGES else ""
        raise UserMistake(f"unknown {kind} {', '.join(unknown[:_NAMED_IN_MESSAGES])}; known: {shown}{more}")
