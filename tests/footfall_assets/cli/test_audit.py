"""`footfall audit`, from the draw to the threshold, on a drawn home and with the answers that truth gives."""

import csv
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.settings import LinkageSettings

DAY = "2024-01-06"


def _load(path):
    spec = importlib.util.spec_from_file_location("audited_home_of_the_command_line", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


AUDITED = _load(Path(__file__).parents[1] / "audit" / "conftest.py")
LINKAGE = LinkageSettings(window_max_distance=0.03, **AUDITED.LINKAGE)


@pytest.fixture(scope="module")
def built(settings_of, tmp_path_factory):
    made = AUDITED.AuditHome(settings_of(tmp_path_factory.mktemp("audited") / "home", linkage=LINKAGE), {})
    made.fill(60, 1)
    return made


@pytest.fixture
def audited(home, settings_of, built, own_environment):
    shutil.copytree(built.platform.settings.home, home)
    own_environment.setenv("FOOTFALL_LINKAGE", LINKAGE.model_dump_json())
    return AUDITED.AuditHome(settings_of(home, linkage=LINKAGE), built.person_of_face)


@pytest.fixture
def drawn(audited, footfall):
    said = footfall("audit", "sample", "--from", DAY, "--to", DAY, "--pairs", 120)
    assert said.code == 0, said.err
    return audited.store.sample(said.out.strip())


@pytest.fixture
def answers(audited, drawn, tmp_path):
    path = tmp_path / "answers.csv"
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["question", "answer"])
        writer.writerows((number, str(answer)) for number, answer in audited.true_answers(drawn).items())
    return path


def test_label_says_where_to_go_and_opens_nothing(drawn, footfall) -> None:
    said = footfall("audit", "label", drawn.sample_id)
    assert said.code == 0
    assert said.out.strip() == f"http://localhost:8501/audit?sample={drawn.sample_id}"
    assert "not labelled yet" in footfall("audit", "list").out


def test_from_answers_to_the_setting_to_use(drawn, answers, footfall, audited) -> None:
    said = footfall("audit", "label", drawn.sample_id, "--answers", answers, "--labeller", "ann")
    assert (said.code, said.out.split()[0]) == (0, str(len(drawn.questions)))
    assert footfall("audit", "label", drawn.sample_id, "--answers", answers, "--labeller", "ann").out.startswith("0 ")
    scored = footfall("audit", "score", drawn.sample_id, "--format", "json", "--refit")
    found = json.loads(scored.out)
    assert found["told"] == found["asked"]
    assert found["suggestion"]["threshold"] > 0.03
    assert f"FOOTFALL_LINKAGE__WINDOW_MAX_DISTANCE={found['suggestion']['threshold']:.4f}" in scored.err
    pairs = pq.read_table(audited.platform.lake.local_path(f"audits/{drawn.sample_id}/labelled_pairs.parquet"))
    assert pairs.num_rows == found["told"]
    table = footfall("audit", "score", drawn.sample_id)
    assert f"{found['people']:.1f}" in table.out
    assert "1 lines" in footfall("audit", "verify").out


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("question,answer\n1,maybe\n", "line 2"),
        ("question,answer\n99999,same\n", "line 2"),
        ("question,answer\n" + "9" * 5000 + ",same\n", "line 2"),
        ("number,said\n1,same\n", "question, answer"),
        ("", "question, answer"),
        ("question,answer\n\xff,same\n", "line 2"),
    ],
)
def test_a_file_of_answers_that_is_none(drawn, footfall, tmp_path, content, names) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(content, encoding="utf-8")
    said = footfall("audit", "label", drawn.sample_id, "--answers", path)
    assert said.code == 2
    assert names in said.complaint


def test_mistakes_are_one_line(audited, footfall, tmp_path) -> None:
    assert "no audit sample" in footfall("audit", "score", "audit-2024-01-06-ffffffffffff").complaint
    assert "CROP_RESERVE" in footfall("audit", "sample", "--from", "2024-01-05", "--to", DAY).complaint
    assert "linkage window" in footfall("audit", "sample", "--from", "2023-12-31", "--to", DAY).complaint


def test_purge_says_what_it_destroyed(audited, footfall) -> None:
    assert footfall("audit", "purge").out.strip() == "0 days destroyed"
