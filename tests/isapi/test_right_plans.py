"""The hours in which people may pass, as a terminal has them."""

import json
from typing import Any

import pytest

from hikflask.isapi import errors, right_plans
from hikflask.isapi.answer import Answer
from hikflask.isapi.right_plans import Period, Template

from .helpers import Prepared, answer, recorded, refusal

ALWAYS, UNUSED = json.loads(recorded("events/74_right_templates_k1a340fwx.json"))["observed"]
OFFICE = {"enable": True, "templateName": "office", "weekPlanNo": 20, "holidayGroupNo": "3"}
WEEK = recorded("events/75_week_plan_put.json")
OFFICE_HOURS = (Period(0, "09:30", "18:00"), Period(2, "09:30", "18:00"))


def template(**words: object) -> Answer:
    return answer(json.dumps({"UserRightPlanTemplate": words}).encode())


def week(*rows: object, **words: Any) -> tuple[Period, ...]:
    plan = {"UserRightWeekPlanCfg": {"enable": True, "WeekPlanCfg": list(rows), **words}}
    return right_plans.week(Prepared(answer(json.dumps(plan).encode())), 20)


def row(begins: object, ends: object, **words: object) -> dict[str, object]:
    return {"week": "Monday", "id": 1, "enable": True, "TimeSegment": {"beginTime": begins, "endTime": ends}, **words}


def test_a_template_is_read_with_its_name_and_its_week() -> None:
    client = Prepared(template(**OFFICE))
    assert right_plans.template(client, 10) == Template(10, "office", is_enabled=True, week_plan=20)
    assert client.sent[0].path == "/ISAPI/AccessControl/UserRightPlanTemplate/10?format=json"
    assert right_plans.template(Prepared(template(**ALWAYS)), 1) == Template(1, "", is_enabled=True, week_plan=1)
    assert right_plans.template(Prepared(template(**UNUSED)), 2) == Template(2, "", is_enabled=False, week_plan=None)


def test_only_periods_in_force_are_hours() -> None:
    listed = json.loads(WEEK)["UserRightWeekPlanCfg"]["WeekPlanCfg"]
    client = Prepared(answer(WEEK))
    read = right_plans.week(client, 20)
    assert client.sent[0].path == "/ISAPI/AccessControl/UserRightWeekPlanCfg/20?format=json"
    assert len(listed) == 56
    assert sum(one["enable"] for one in listed) == 2
    assert read == OFFICE_HOURS


def test_hours_are_in_order_and_end_at_midnight_at_the_latest() -> None:
    assert week(
        row("13:00:00", "24:00:00"),
        row("08:00:00", "12:00", week="Sunday"),
        row("08:00:00", "12:00:00"),
    ) == (Period(0, "08:00", "12:00"), Period(0, "13:00", "24:00"), Period(6, "08:00", "12:00"))
    assert week(row("08:00:00", "12:00:00"), enable=False) == ()


@pytest.mark.parametrize(
    "hostile",
    [
        row("00:00:00", "00:00:00"),
        row("18:00:00", "09:00:00"),
        row("25:00:00", "26:00:00"),
        row("8", "9"),
        row(None, 12),
        row("08:00:00", "12:00:00", week="Someday"),
        row("08:00:00", "12:00:00", week=["Monday"]),
        row("08:00:00", "12:00:00", enable="false"),
        row("08:00:00", "12:00:00", TimeSegment=[]),
        "Monday",
        None,
    ],
)
def test_what_is_no_period_is_left_out(hostile: object) -> None:
    assert week(hostile, row("08:00:00", "12:00:00")) == (Period(0, "08:00", "12:00"),)


def test_a_hostile_name_is_cut_and_fit_to_be_shown() -> None:
    assert right_plans.template(Prepared(template(templateName="о" * 100)), 3).name == "о" * 32
    assert right_plans.template(Prepared(template(templateName=["office"])), 3).name == ""
    for number in ("", 0, 256, -1, [20]):
        assert right_plans.template(Prepared(template(weekPlanNo=number)), 3).week_plan is None


def test_a_terminal_without_plans_says_so() -> None:
    with pytest.raises(errors.NotSupported):
        right_plans.template(Prepared(refusal("notSupport", status=404, status_code=4)), 1)
    with pytest.raises(errors.Refused) as refused:
        right_plans.template(Prepared(refusal("deviceError", status=500, status_code=3)), 1)
    assert not refused.value.retryable
    for number in (0, 256):
        with pytest.raises(ValueError, match="1 to 255"):
            right_plans.template(Prepared(), number)
