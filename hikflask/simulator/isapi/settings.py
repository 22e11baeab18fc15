"""What an administrator sets: AcsCfg (pictures and names), StorageCfg (what is kept), and the hours of templates."""

import re

from flask import Response, request

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, whole_number
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.terminal.access import DAYS, MAX_TEMPLATE, MAX_WEEK_PLAN, PERIODS, Period, Template, Week
from hikflask.simulator.terminal.terminal import Terminal

STORAGE_MODES = ["regular", "time", "cycle"]
UNUSED: Period = ("00:00:00", "00:00:00")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d|24:00:00", re.ASCII)
MAX_NAME = 32


def access(terminal: Terminal) -> Response:
    """The switches, at first as recorded."""
    return json_reply({"AcsCfg": terminal.access_settings})


def set_access(terminal: Terminal) -> Response:
    """Change the switches that are given. The terminal reads over what it does not have."""
    given = child(json_object(), "AcsCfg")
    own = terminal.access_settings
    for name in own.keys() & given.keys():
        if type(given[name]) is not type(own[name]):
            raise Refusal("badJsonContent", name)
    own.update({name: given[name] for name in own.keys() & given.keys()})
    return done(as_json=True)


def storage(terminal: Terminal) -> Response:
    return json_reply({"EventStorageCfg": terminal.storage})


def set_storage(terminal: Terminal) -> Response:
    """Change how long events are kept. The ring stays as it is."""
    given = child(json_object(), "EventStorageCfg")
    if given.get("mode") not in STORAGE_MODES:
        raise Refusal("badJsonContent", "mode")
    terminal.storage = given
    return done(as_json=True)


def storage_capabilities(terminal: Terminal) -> Response:  # noqa: ARG001
    fields: Fields = {"mode": {"@opt": STORAGE_MODES}}
    fields |= {"checkTime": {"@min": 0, "@max": 32}, "period": {"@min": 10, "@max": 86400}}
    return json_reply({"EventStorageCfgCap": fields})


def template(terminal: Terminal) -> Response:
    """A template, as observed on a K1A340FWX: one that nobody made is disabled and has no week plan."""
    found = terminal.plans.template(_number(MAX_TEMPLATE))
    fields: Fields = {"enable": found.enable, "templateName": found.name, "weekPlanNo": found.week_plan}
    return json_reply({"UserRightPlanTemplate": {**fields, "holidayGroupNo": ""}})


def week_plan(terminal: Terminal) -> Response:
    """Seven days of eight periods each; those that are not used are disabled."""
    week = terminal.plans.weeks.get(_number(MAX_WEEK_PLAN))
    rows = [_period(day, index, (week or {}).get(day, [])) for day in DAYS for index in range(PERIODS)]
    return json_reply({"UserRightWeekPlanCfg": {"enable": week is not None, "WeekPlanCfg": rows}})


def set_template(terminal: Terminal) -> Response:
    """Set a template; what is not given becomes what it is in one that nobody made."""
    number, given = _number(MAX_TEMPLATE), child(json_object(), "UserRightPlanTemplate")
    name, week_plan = given.get("templateName", ""), whole_number(given, "weekPlanNo", 0)
    if not isinstance(name, str) or len(name) > MAX_NAME:
        raise Refusal("badJsonContent", "templateName")
    if week_plan > MAX_WEEK_PLAN:
        raise Refusal("badJsonContent", "weekPlanNo")
    terminal.plans.templates[number] = Template(name, week_plan, enable=_flag(given, "enable"))
    return done(as_json=True)


def set_week_plan(terminal: Terminal) -> Response:
    """Set a week plan. Rows that are left out are not used."""
    number, given = _number(MAX_WEEK_PLAN), child(json_object(), "UserRightWeekPlanCfg")
    rows = given.get("WeekPlanCfg", [])
    if not isinstance(rows, list):
        raise Refusal("badJsonContent", "WeekPlanCfg")
    week: Week = {}
    for row in rows:
        day, period = _used_period(row)
        if period:
            week.setdefault(day, []).append(period)
    if _flag(given, "enable"):
        terminal.plans.weeks[number] = week
    else:
        terminal.plans.weeks.pop(number, None)
    return done(as_json=True)


def _used_period(row: object) -> tuple[str, Period | None]:
    if not isinstance(row, dict) or row.get("week") not in DAYS:
        raise Refusal("badJsonContent", "week")
    if not 1 <= whole_number(row, "id", 0) <= PERIODS:
        raise Refusal("badJsonContent", "id")
    segment = child(row, "TimeSegment")
    begin, end = str(segment.get("beginTime", "")), str(segment.get("endTime", ""))
    is_used = _flag(row, "enable")
    for name, time in (("beginTime", begin), ("endTime", end)):
        if not TIME.fullmatch(time):
            raise Refusal("badJsonContent", name)
    if is_used and begin >= end:
        raise Refusal("badJsonContent", "endTime")
    return row["week"], (begin, end) if is_used else None


def _flag(fields: Fields, name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("badJsonContent", name)
    return value


def template_capabilities(terminal: Terminal) -> Response:  # noqa: ARG001
    fields: Fields = {"templateNo": {"@min": 1, "@max": MAX_TEMPLATE}, "enable": "true,false"}
    fields |= {"templateName": {"@min": 1, "@max": 32}, "weekPlanNo": {"@min": 1, "@max": MAX_WEEK_PLAN}}
    return json_reply({"UserRightPlanTemplate": {**fields, "holidayGroupNo": {"@min": 1, "@max": 64}}})


def _period(day: str, index: int, used: list[Period]) -> Fields:
    begin, end = used[index] if index < len(used) else UNUSED
    segment = {"beginTime": begin, "endTime": end}
    return {"week": day, "id": index + 1, "enable": index < len(used), "TimeSegment": segment}


def _number(largest: int) -> int:
    text = request.path.rpartition("/")[2]
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise Refusal("badJsonContent", "templateNo" if largest == MAX_TEMPLATE else "weekPlanNo")
    return int(text)
