import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PERIOD = ("--from", "2024-01-01", "--to", "2024-01-02")


@pytest.mark.weights
@pytest.mark.usefixtures("first_run")
class TestPublished:
    """Reports of the drawn home."""

    @pytest.fixture(autouse=True)
    def _at_home(self, home, drawn_home, own_environment):  # noqa: ARG002 - the drawn home is put over it
        own_environment.setenv("FOOTFALL_HOME", str(drawn_home.settings.home))
        own_environment.setenv("FOOTFALL_MODEL_CACHE", str(drawn_home.settings.model_cache))

    def test_a_report(self, footfall) -> None:
        said = footfall("report", *PERIOD)
        assert said.code == 0
        assert said.out.startswith("Unique Visitor Report")
        assert "January 1, 2024 - January 2, 2024" in said.out

    def test_a_report_for_machines(self, footfall, tmp_path) -> None:
        target = tmp_path / "report.json"
        said = footfall("report", *PERIOD, "--format", "json", "--out", target)
        assert (said.code, said.out) == (0, "")
        report = json.loads(target.read_text())
        assert len(report["visitors"]) == report["listed_visitors"] >= 3

    @pytest.mark.parametrize(
        ("more", "names"),
        [
            (("--camera-group", "roofs"), "roofs"),
            (("--location", "store-999"), "store-999"),
            (("--format", "parquet"), "--out"),
            (("--out", "missing/report.txt"), "missing/report.txt"),
        ],
    )
    def test_a_report_that_cannot_be(self, footfall, more, names) -> None:
        said = footfall("report", *PERIOD, *more)
        assert (said.code, said.out) == (2, "")
        assert names in said.complaint

    def test_a_period_without_data(self, footfall) -> None:
        said = footfall("report", "--from", "2020-01-01", "--to", "2020-01-31")
        assert said.code == 2
        assert said.complaint

    def test_truth_that_is_no_table(self, footfall, tmp_path) -> None:
        path = tmp_path / "truth.parquet"
        path.write_bytes(b"nope")
        said = footfall("evaluate", "--truth", path)
        assert said.code == 2
        assert "Parquet" in said.complaint

    def test_truth_of_something_else(self, footfall, tmp_path) -> None:
        """A Parquet file, and not one that `footfall simulate` wrote."""
        path = tmp_path / "truth.parquet"
        pq.write_table(pa.table({"number": [1]}), path)
        said = footfall("evaluate", "--truth", path)
        assert said.code == 2
        assert said.complaint

    def test_an_up_to_date_home_has_nothing_to_run(self, footfall) -> None:
        said = footfall("run")
        assert said.code == 0
        assert "everything is up to date" in said.out

    def test_models_are_listed_and_verified(self, footfall) -> None:
        assert "centerface" in footfall("models", "list").out
        assert "centerface: ok" in footfall("models", "verify").out
