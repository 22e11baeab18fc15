import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES
from tests.simulator.conftest import Client

Sample = Callable[[str], Any]


def week_of(**changes: Any) -> dict[str, Any]:
    """A week plan with one row."""
    row = {"week": "Monday", "id": 1, "enable": True}
    row |= {"TimeSegment": {"beginTime": "08:00:00", "endTime": "18:00:00"}, **changes}
    return {"UserRightWeekPlanCfg": {"enable": True, "WeekPlanCfg": [row]}}


ACCESS = "/ISAPI/AccessControl/AcsCfg?format=json"
STORAGE = "/ISAPI/AccessControl/AcsEvent/StorageCfg?format=json"
TEMPLATE = "/ISAPI/AccessControl/UserRightPlanTemplate/{}?format=json"
WEEK = "/ISAPI/AccessControl/UserRightWeekPlanCfg/{}?format=json"


@pytest.fixture
def sample(recordings: Path) -> Sample:
    return lambda name: json.loads((recordings / "events" / name).read_text())


def test_switch_is_changed_and_the_others_stay(client: Client) -> None:
    before = client.ask("GET", ACCESS).get_json()["AcsCfg"]

    client.ask("PUT", ACCESS, {"AcsCfg": {"showName": False, "unknown": 1}})

    assert client.ask("GET", ACCESS).get_json()["AcsCfg"] == before | {"showName": False}
    refused = client.ask("PUT", ACCESS, {"AcsCfg": {"showName": "no", "saveCapPic": False}})
    assert (refused.status_code, refused.get_json()["errorMsg"]) == (400, "showName")
    assert client.ask("GET", ACCESS).get_json()["AcsCfg"]["saveCapPic"] is True


def test_model_has_the_switches_that_were_recorded(
    clock: SkippingClock, client_for: type[Client], sample: Sample
) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES["K1A340FWX"]))

    assert client.ask("GET", ACCESS).get_json() == sample("62_acscfg_k1a340fwx.json")


def test_terminal_keeps_no_picture_and_no_name_of_who_passes_when_it_must_not(
    terminal: Terminal, client: Client
) -> None:
    terminal.store.add("1", {"name": "Иван"})
    terminal.store.bind("1", faces.draw("anna"))
    client.ask("PUT", ACCESS, {"AcsCfg": {"saveCapPic": False, "showName": False}})

    terminal.pass_by("1")

    record = terminal.events.records[0]
    assert (record.number, record.name, record.picture_path) == ("1", "", "")


def test_storage_mode_is_told_and_set(client: Client, sample: Sample) -> None:
    recorded = sample("63_event_storage.json")
    assert client.ask("GET", STORAGE).get_json() == recorded["get"]
    capabilities = "/ISAPI/AccessControl/AcsEvent/StorageCfg/capabilities?format=json"
    assert client.ask("GET", capabilities).get_json() == recorded["capabilities"]

    client.ask("PUT", STORAGE, {"EventStorageCfg": {"mode": "time", "period": 600}})

    assert client.ask("GET", STORAGE).get_json() == {"EventStorageCfg": {"mode": "time", "period": 600}}
    assert client.ask("PUT", STORAGE, {"EventStorageCfg": {"mode": "never"}}).get_json()["errorMsg"] == "mode"


def test_templates_are_told_as_observed(client: Client, sample: Sample) -> None:
    recorded = sample("74_right_templates_k1a340fwx.json")

    for observed in recorded["observed"]:
        number = observed.pop("templateNo")
        assert client.ask("GET", TEMPLATE.format(number)).get_json() == {"UserRightPlanTemplate": observed}
    assert client.ask("GET", TEMPLATE.format("capabilities")).get_json() == recorded["capabilities"]
    assert client.ask("GET", TEMPLATE.format(256)).status_code == 400


def test_week_plan_has_the_periods_in_the_recorded_shape(terminal: Terminal, client: Client, sample: Sample) -> None:
    recorded = sample("75_week_plan_put.json")
    week = {day: [("09:30:00", "18:00:00")] for day in ("Monday", "Wednesday", "Friday")}
    terminal.plans.add(10, "Офис", week)

    template = client.ask("GET", TEMPLATE.format(10)).get_json()["UserRightPlanTemplate"]
    told = client.ask("GET", WEEK.format(10)).get_json()["UserRightWeekPlanCfg"]

    assert (template["templateName"], template["weekPlanNo"], template["enable"]) == ("Офис", 10, True)
    assert len(told["WeekPlanCfg"]) == 56
    assert told["WeekPlanCfg"][0] == recorded["UserRightWeekPlanCfg"]["WeekPlanCfg"][0]
    assert {row["week"] for row in told["WeekPlanCfg"] if row["enable"]} == set(week)
    always = client.ask("GET", WEEK.format(1)).get_json()["UserRightWeekPlanCfg"]["WeekPlanCfg"]
    assert always[0]["TimeSegment"] == {"beginTime": "00:00:00", "endTime": "24:00:00"}
    assert client.ask("GET", WEEK.format(3)).get_json()["UserRightWeekPlanCfg"]["enable"] is False


def test_plan_and_template_are_set_and_decide_who_passes(terminal: Terminal, client: Client, sample: Sample) -> None:
    plan = sample("75_week_plan_put.json")
    template = {"enable": True, "templateName": "Office", "weekPlanNo": 2, "holidayGroupNo": ""}

    answers = [
        client.ask("PUT", WEEK.format(2), plan),
        client.ask("PUT", TEMPLATE.format(3), {"UserRightPlanTemplate": template}),
    ]

    assert [answer.get_json()["subStatusCode"] for answer in answers] == ["ok", "ok"]
    assert client.ask("GET", WEEK.format(2)).get_json() == plan
    assert client.ask("GET", TEMPLATE.format(3)).get_json() == {"UserRightPlanTemplate": template}
    monday, tuesday = datetime(2026, 11, 30, 10), datetime(2026, 12, 1, 10)  # noqa: DTZ001
    assert [terminal.plans.allow(["3"], day) for day in (monday, tuesday)] == [True, False]
    client.ask("PUT", WEEK.format(2), {"UserRightWeekPlanCfg": {"enable": False}})
    assert not terminal.plans.allow(["3"], monday)
    assert client.ask("GET", WEEK.format(2)).get_json()["UserRightWeekPlanCfg"]["enable"] is False


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (WEEK, {"UserRightWeekPlanCfg": {"enable": True, "WeekPlanCfg": {}}}, "WeekPlanCfg"),
        (WEEK, week_of(week="monday"), "week"),
        (WEEK, week_of(id=9), "id"),
        (WEEK, week_of(TimeSegment={"beginTime": "8:00", "endTime": "18:00:00"}), "beginTime"),
        (WEEK, week_of(TimeSegment={"beginTime": "22:00:00", "endTime": "05:00:00"}), "endTime"),
        (WEEK, week_of(enable="true"), "enable"),
        (TEMPLATE, {"UserRightPlanTemplate": {"enable": True, "templateName": "x" * 33}}, "templateName"),
        (TEMPLATE, {"UserRightPlanTemplate": {"enable": True, "weekPlanNo": 129}}, "weekPlanNo"),
    ],
)
def test_plan_that_cannot_be_is_refused_and_changes_nothing(
    client: Client, path: str, body: dict[str, Any], field: str
) -> None:
    before = client.ask("GET", path.format(1)).get_json()

    answer = client.ask("PUT", path.format(1), body)

    refused = answer.get_json()
    assert (answer.status_code, refused["subStatusCode"], refused["errorMsg"]) == (400, "badJsonContent", field)
    assert client.ask("GET", path.format(1)).get_json() == before
