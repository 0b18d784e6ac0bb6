import pytest

from footfall_assets.operations.interfaces import chosen_interfaces


def test_all_listen_on_this_machine_only(settings_of, tmp_path) -> None:
    chosen = chosen_interfaces(settings_of(tmp_path), dagster=True, app=True, docs=True)
    assert [each.name for each in chosen] == ["Dagster UI", "Report explorer", "dbt docs"]
    for each in chosen:
        assert "127.0.0.1" in each.command
        assert str(each.port) in each.command
        assert "0.0.0.0" not in " ".join(each.command)  # noqa: S104 - that is what must not be


@pytest.mark.parametrize("only", ["dagster", "app", "docs"])
def test_each_can_be_left_out(settings_of, tmp_path, only) -> None:
    wanted = {name: name == only for name in ("dagster", "app", "docs")}
    settings = settings_of(tmp_path, dagster_port=4001, app_port=4002, docs_port=4003)
    [chosen] = chosen_interfaces(settings, **wanted)
    assert chosen.port == {"dagster": 4001, "app": 4002, "docs": 4003}[only]
