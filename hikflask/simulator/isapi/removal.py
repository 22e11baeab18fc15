"""Taking persons off: `UserInfoDetail/Delete` only starts, `UserInfo/Delete` is the older way.

As on the real ones, mode `all` and an empty or missing list erase EVERYBODY.
"""

from __future__ import annotations

from flask import Response, request

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import child, json_object, numbers
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.terminal.terminal import Terminal


def start(terminal: Terminal) -> Response:
    """Begin to take persons off, with cards and faces."""
    wish = child(json_object(), "UserInfoDetail")
    mode = wish.get("mode")
    if mode not in ("all", "byEmployeeNo"):
        raise Refusal("badJsonContent", "UserInfoDetail.mode")
    listed = numbers(wish, "EmployeeNoList", "employeeNo")
    terminal.register.start_removal(None if mode == "all" else listed)
    deletion = terminal.register.deletion
    if deletion is not None and terminal.faults.take("removal-fails", request.path):
        deletion.failed = True
    return done(as_json=True)


def process(terminal: Terminal) -> Response:
    """How far the removal is."""
    return json_reply({"UserInfoDetailDeleteProcess": {"status": terminal.register.removal_status()}})


def older(terminal: Terminal) -> Response:
    """Take persons off at once."""
    wish = child(json_object(), "UserInfoDelCond")
    terminal.register.remove(numbers(wish, "EmployeeNoList", "employeeNo"))
    return done(as_json=True)
