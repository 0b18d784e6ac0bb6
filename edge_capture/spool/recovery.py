"""What the spool finds on disk when it opens: files without rows, rows without files, numbers given before."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge_capture.errors import DamagedItem
from edge_capture.spool.item import SUFFIX, Label, read_label
from footfall_assets.storage.lake import written_whole

_NUMBER: Final = re.compile(r"[0-9]{1,18}\n")


@dataclass
class Changes:
    """How the folder differs from the index."""

    adopted: list[Label] = field(default_factory=list)  # whole files without a row, in the order of their times
    damaged: dict[str, DamagedItem] = field(default_factory=dict)  # by file name
    unfinished: list[Path] = field(default_factory=list)  # never acknowledged: written half, or not an item at all


def find_changes(folder: Path, expected: Mapping[str, int]) -> Changes:
    """Compare the item files in `folder` with the sizes by name that the index expects; payloads are not read."""
    changes = Changes()
    with os.scandir(folder) as entries:
        sizes = {entry.name: entry.stat().st_size for entry in entries if entry.is_file(follow_symlinks=False)}
    for name, size in expected.items():
        if name not in sizes:
            changes.damaged[name] = DamagedItem("missing_file", f"{name}: expected a file, found none")
        elif sizes[name] != size:
            changes.damaged[name] = DamagedItem("truncated", f"{name}: expected {size} bytes, got {sizes[name]}")
    for name in sizes.keys() - expected.keys():
        _look_at(folder / name, changes)
    changes.adopted.sort(key=lambda label: (label.facts.first_at, label.facts.camera_id, label.facts.sequence))
    return changes


def _look_at(path: Path, changes: Changes) -> None:
    if not path.name.endswith(SUFFIX):
        changes.unfinished.append(path)
        return
    try:
        label = read_label(path)
        if label.facts.name != path.name:
            raise DamagedItem("wrong_name", f"{path.name}: its label says {label.facts.name[:120]!r}")  # noqa: TRY301
    except DamagedItem as error:
        changes.damaged[path.name] = error
    else:
        changes.adopted.append(label)


def write_number(folder: Path, camera_id: str, number: int) -> None:
    """Keep the last number of a camera, whole or not at all."""
    with written_whole(folder / camera_id) as partial:
        partial.write(f"{number}\n".encode())


def read_numbers(folder: Path) -> dict[str, int]:
    """Return the last number of each camera; a file that holds no number is left out."""
    found = {}
    for path in folder.iterdir():
        if path.name.startswith("."):
            path.unlink(missing_ok=True)
            continue
        text = path.read_bytes()[:32].decode("ascii", "replace")
        if _NUMBER.fullmatch(text):
            found[path.name] = int(text)
    return found
