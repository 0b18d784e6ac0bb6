"""What is not what was put there: kept apart by reason, so that it stops nothing and somebody can look."""

from pathlib import Path

from footfall_assets.storage.lake import make_folder, sync_folder


class Quarantine:
    """A folder of damaged files, by reason."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        self.files, self.size_bytes = len(found), sum(found)

    def take(self, path: Path, reason: str) -> None:
        """Move a file here; one of the same name is kept beside it."""
        make_folder(self._folder / reason)
        target = self._folder / reason / path.name
        number = 0
        while target.exists():
            number += 1
            target = target.with_name(f"{path.name}.{number}")
        size = path.stat().st_size
        path.replace(target)
        sync_folder(target.parent)
        sync_folder(path.parent)
        self.files += 1
        self.size_bytes += size

    def trim(self, *, most_files: int, most_bytes: int) -> None:
        """Delete the oldest files beyond these numbers; the newest one always stays."""
        if self.files <= max(most_files, 1) and self.size_bytes <= most_bytes:
            return
        oldest_first = sorted(
            (path for path in self._folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime
        )
        for path in oldest_first[:-1]:
            if self.files <= max(most_files, 1) and self.size_bytes <= most_bytes:
                return
            self.size_bytes -= path.stat().st_size
            self.files -= 1
            path.unlink()
