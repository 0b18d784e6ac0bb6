import os
import subprocess
import sys

from footfall_assets.operations.dagster_home import open_instance, prepare_dagster_home

OPEN = """
import sys
from pathlib import Path
from footfall_assets.contracts.settings import load_settings
from footfall_assets.operations.dagster_home import open_instance
with open_instance(load_settings(home=Path(sys.argv[1]))) as instance:
    print(instance.get_runs_count())
"""


def test_two_processes_may_open_a_fresh_home_at_once(tmp_path) -> None:
    """Without the lock one of them finds half a database."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / "home")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        for _ in range(2)
    ]
    answers = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], answers
    assert [out.strip() for out, _ in answers] == ["0", "0"]


def test_a_home_names_itself_to_children_and_phones_nobody(tmp_path, settings_of, own_environment) -> None:
    settings = settings_of(tmp_path / "home")
    prepare_dagster_home(settings)
    assert os.environ["DAGSTER_HOME"] == str(settings.dagster_home)
    assert os.environ["FOOTFALL_HOME"] == str(settings.home)
    with open_instance(settings) as instance:
        assert not instance.telemetry_enabled
        assert not instance.is_ephemeral
        assert instance.root_directory == str(settings.dagster_home)


def test_settings_of_a_home_that_were_changed_stay(tmp_path, settings_of, own_environment) -> None:
    settings = settings_of(tmp_path / "home")
    prepare_dagster_home(settings)
    configuration = settings.dagster_home / "dagster.yaml"
    changed = configuration.read_text() + "# by hand\n"
    configuration.write_text(changed)
    prepare_dagster_home(settings)
    assert configuration.read_text() == changed
