"""The switches of a terminal: which pictures it keeps and sends, what it shows of a person, how long it keeps events.

What the vendor allows: GET and PUT on /ISAPI/AccessControl/AcsCfg and on AcsEvent/StorageCfg (ISAPI guide, "Access
control configuration"). Which switches there are depends on the model. What is read is sent back as a whole, with only
the wanted changes, because some firmware resets what is not sent.
"""

import re
from collections.abc import Mapping

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.codec import Json, checked, confirmed, member, to_json
from hikflask.isapi.errors import NotSupported
from hikflask.isapi.persons import JSON_TYPE

SWITCHES = "/ISAPI/AccessControl/AcsCfg?format=json"
STORAGE = "/ISAPI/AccessControl/AcsEvent/StorageCfg?format=json"
# Events are deleted after a period, at a time, or the oldest is overwritten.
MODES = ("regular", "time", "cycle")
NAME = re.compile(r"[A-Za-z]\w{0,63}\Z", re.ASCII)
MAX_SWITCHES = 128


def switches(client: Requester) -> dict[str, bool]:
    """Return the switches that are on or off, by the vendor's names, such as saveCapPic. :raises TerminalError:"""
    return _switches(_read(client, SWITCHES, "AcsCfg")[0])


def _switches(words: Json) -> dict[str, bool]:
    named = [(name, value) for name, value in words.items() if isinstance(value, bool) and NAME.match(name)]
    return dict(named[:MAX_SWITCHES])


def set_switches(client: Requester, changes: Mapping[str, bool]) -> None:
    """Set these switches and leave all others as they are. Nothing is sent when they are so already.

    This proves nothing: call `switches` afterwards.
    :raises NotSupported: when the terminal does not have one of them. :raises TerminalError: for others.
    """
    words, answer = _read(client, SWITCHES, "AcsCfg")
    current = _switches(words)
    if not changes.keys() <= current.keys():
        raise NotSupported(message="no such switch", path=answer.path)
    if {**current, **changes} != current:
        _write(client, SWITCHES, {"AcsCfg": {**words, **changes}})


def storage_mode(client: Requester) -> str:
    """Return how the terminal makes room for events: one of MODES, or an empty text. :raises TerminalError:"""
    mode = _read(client, STORAGE, "EventStorageCfg")[0].get("mode")
    return mode if mode in MODES else ""


def set_storage_mode(client: Requester, mode: str) -> None:
    """Set how the terminal makes room for events. Nothing is sent when it is so already.

    :raises TerminalError: :raises ValueError: for a mode that is not in MODES.
    """
    if mode not in MODES:
        raise ValueError(f"the mode is one of {', '.join(MODES)}")
    words, _ = _read(client, STORAGE, "EventStorageCfg")
    if words.get("mode") != mode:
        _write(client, STORAGE, {"EventStorageCfg": {**words, "mode": mode}})


def _read(client: Requester, path: str, name: str) -> tuple[Json, Answer]:
    answer = checked(client.request("GET", path))
    return member(answer, name), answer


def _write(client: Requester, path: str, body: Json) -> None:
    confirmed(client.request("PUT", path, data=to_json(body), content_type=JSON_TYPE))
