from datetime import UTC, datetime, timedelta

import pytest

from footfall_assets.contracts.errors import QuarantineReason
from footfall_assets.contracts.run_status import RUN_STATUS_KEY, RecentRuns, RunStatus
from streamlit_app.fleet_tables import REASONS


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.fixture
def operations(app):
    def run():
        app.switch_page("pages/operations.py")
        app.run()
        assert not app.exception
        return app

    return run


@pytest.fixture
def covered(stores):
    for day in ("2024-01-31", "2024-02-01", "2024-02-03"):
        stores.covered("store-101-door", day).covered("store-203-door", day, captured=900)
    return stores.covered("store-101-till", "2024-02-02", missing=2)


def test_normal_page(troubled, publish, covered, operations) -> None:
    publish(covered)
    page = operations()
    assert page.title[0].value == "Operations"
    shown = metrics(page)
    assert shown.pop("Data age") == "1 hour"
    assert shown.pop("Since the last publication")
    assert shown == {
        "Devices reporting": "2 of 4",
        "Cameras with pictures": "1 of 4",
        "Batches in spools": "99,000",
        "Stills dropped": "250",
        "Largest clock skew": "95 s",
    }
    problems, devices, cameras, gaps, quarantine = (each.value for each in page.dataframe)
    assert problems[["Device", "Problem"]].to_numpy().tolist() == [
        ["box-ill", "no pictures from box-ill-door"],
        ["box-ill", "refused revision 2: model [x](http://evil.example) is not in the manifest"],
        ["box-ill", "spool 99% full"],
        ["box-ill", "oldest batch in the spool waits for 2 hours 59 minutes"],
        ["box-ill", "dropped 3 batches with 250 stills"],
        ["box-ill", "clock 1 minute ahead"],
        ["box-new", "has not reported yet"],
        ["box-silent", "silent for 2 hours"],
    ]
    assert page.warning[0].value == "Problems: 8, on 3 of 5 devices"
    assert dict(zip(devices["Device"], devices["State"], strict=True)) == {
        "box-well": "reporting",
        "box-ill": "reporting",
        "box-silent": "silent",
        "box-new": "never",
        "box-gone": "revoked",
    }
    assert dict(zip(devices["Device"], devices["Set aside"], strict=True))["box-ill"] == 4
    assert dict(zip(devices["Device"], devices["Set aside"], strict=True))["box-well"] == 0
    assert dict(zip(cameras["Camera"], cameras["State"], strict=True)) == {
        "box-well-door": "ok",
        "box-ill-door": "silent",
        "box-silent-door": "unknown",
        "box-new-door": "unknown",
    }
    [gap] = gaps.to_dict("records")
    assert (gap["Camera"], gap["Batches"], gap["Numbers"]) == ("store-101-till", 2, "2 to 3")
    assert (gap["From (UTC)"], gap["To (UTC)"]) == ("2024-02-02 09:00", "2024-02-02 10:00")
    assert quarantine[["Reason", "Objects"]].to_numpy().tolist() == [
        ["clock", 3],
        ["duplicate", 2],
        ["bad_signature", 1],
    ]


def test_an_outside_text_is_no_markdown(troubled, operations) -> None:
    """What a device says of itself comes from outside: Streamlit made a link of an escaped address, too."""
    assert "evil" not in texts(operations())


def test_empty_home_says_what_to_do(home, operations) -> None:
    page = operations()
    shown = texts(page)
    assert "footfall fleet enroll" in shown
    assert "footfall run" in shown
    assert "Nothing was set aside" in shown
    assert not page.metric
    assert not page.dataframe


def test_stale_data_are_called_old(fleet, publish, covered, operations) -> None:
    fleet.device("box-well").report("box-well")
    publish(covered, last_captured_at=datetime(2024, 2, 3, 20, tzinfo=UTC))
    page = operations()
    assert [warning.value for warning in page.warning if "These data are old" in warning.value]


def test_a_fleet_without_a_problem_says_so(fleet, operations) -> None:
    fleet.device("box-well").report("box-well")
    page = operations()
    assert [each.value for each in page.success] == ["Nothing is wrong."]
    assert "Problem" not in page.dataframe[0].value


def test_a_report_in_another_devices_name_is_not_believed(fleet, operations) -> None:
    fleet.device("box-well").device("box-thief", "store-203")
    fleet.keys["box-well"] = fleet.keys["box-thief"]
    fleet.report("box-well")
    page = operations()
    assert page.dataframe[0].value["Problem"].tolist() == ["has not reported yet", "its report is not signed by it"]
    assert metrics(page)["Devices reporting"] == "0 of 2"


def test_production_shows_nothing(troubled, operations, monkeypatch) -> None:
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    page = operations()
    assert "it has no users" in texts(page)
    assert not page.dataframe
    assert "box-ill" not in texts(page)


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(QuarantineReason)


def test_the_last_runs_lead_into_the_dagster_ui(troubled, publish, covered, operations, monkeypatch) -> None:
    monkeypatch.setenv("FOOTFALL_DAGSTER_URL", "https://dagster.example/")
    started = datetime(2024, 2, 3, 6, tzinfo=UTC)
    runs = [
        RunStatus(
            run_id=name,
            job=job,
            partition="2024-02-03",
            status=state,
            started_at=started,
            ended_at=started + timedelta(seconds=90),
        )
        for name, job, state in (("r-2", "days", "failure"), ("r-1", "places", "success"))
    ]
    document = RecentRuns(at=started, runs=tuple(runs))
    troubled.lake.write(RUN_STATUS_KEY, document.model_dump_json().encode())
    publish(covered)
    page = operations()
    frame = next(each.value for each in page.dataframe if "Dagster UI" in each.value.columns)
    assert frame["Dagster UI"].tolist() == ["https://dagster.example/runs/r-2", "https://dagster.example/runs/r-1"]
    assert frame["Seconds"].tolist() == [90, 90]
    assert "1 of the last 2 runs failed" in texts(page)
    assert metrics(page)["Data age"] == "1 hour"


def test_without_runs_it_says_how_to_start(troubled, publish, covered, operations) -> None:
    publish(covered)
    assert "no run is recorded yet" in texts(operations())
