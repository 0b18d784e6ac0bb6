"""Runs `footfall` as a person would, in this process and in a home of the test's own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from footfall_assets.cli.main import main


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of a mistake."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("footfall: ")
        return lines[0].removeprefix("footfall: ")


@pytest.fixture
def home(tmp_path: Path, own_environment: pytest.MonkeyPatch) -> Path:
    """A fresh home without models."""
    folder = tmp_path / "home"
    own_environment.setenv("FOOTFALL_HOME", str(folder))
    own_environment.setenv("FOOTFALL_MODEL_CACHE", str(tmp_path / "models"))
    own_environment.setenv("FOOTFALL_THREADS", "1")
    own_environment.setenv("COLUMNS", "200")
    own_environment.chdir(tmp_path)
    return folder


@pytest.fixture
def footfall(home: Path, own_environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Call the command line and return what it said."""

    def call(*arguments: object) -> Said:
        own_environment.setattr("sys.argv", ["footfall", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return call
