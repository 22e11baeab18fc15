"""The body of a 401: how many tries are left, or for how long the account is locked, in the words of each firmware.

`lock` is recorded on K1T342MWX, `locked` is the word of the vendor's guide. The other dialects are known from what
clients of terminals read: a ResponseStatus in XML or JSON with `retryTimes` and `resLockTime`, and userCheck as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

from hikflask.simulator.errors import STATUS_STRINGS, code_of
from hikflask.simulator.http.responses import print_json, response_status
from hikflask.simulator.profiles import LockWords

Words = dict[str, object]


def login_error(words: LockWords, tries_left: int, lock_seconds: int | None) -> bytes:
    """The body of a 401 in the dialect `words`. `lock_seconds` is None while the account is open."""
    if words in ("lock", "locked"):
        return _elements("userCheck", _user_check(words, tries_left, lock_seconds)).encode()
    if words == "json-user-check":
        return print_json({"userCheck": _user_check("lock", tries_left, lock_seconds)}).encode()
    status = _response_status(tries_left, lock_seconds)
    if words == "xml":
        return response_status(status, crlf=True).encode()
    return print_json({"ResponseStatus": status} if words == "json-wrapped" else status).encode()


def _user_check(word: str, tries_left: int, lock_seconds: int | None) -> Words:
    if lock_seconds is None:
        return {"statusValue": 401, "lockStatus": "unlock", "retryLoginTime": tries_left}
    return {"statusValue": 401, "lockStatus": word, "unlockTime": lock_seconds}


def _response_status(tries_left: int, lock_seconds: int | None) -> Words:
    code = code_of("badAuthorization")
    return {
        "statusCode": code.status_code,
        "statusString": STATUS_STRINGS[code.status_code],
        "subStatusCode": "badAuthorization",
        "errorCode": code.error_code,
        "errorMsg": "authentication failed",
        "lockStatus": "unlock" if lock_seconds is None else "locked",
        "retryTimes": tries_left if lock_seconds is None else 0,
        "resLockTime": lock_seconds or 0,
    }


def _elements(root: str, children: Mapping[str, object]) -> str:
    return f"<{root}>" + "".join(f"<{name}>{value}</{name}>" for name, value in children.items()) + f"</{root}>"
