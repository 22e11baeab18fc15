"""Faults: what can go wrong with a terminal. They are set on the command line, on the screen or in Python.

A fault has a name from `KINDS`, a path, and how many requests it hits. The path is a pattern for the whole path when
it begins with a slash (`/LOCALS/pic/*`), otherwise for its end (`UserInfo/Record`).
"""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

NUMERIC = ("slow", "nonce-uses", "nonce-seconds")
Moment = Literal["before", "after"]
ANY = "*"
CAPTURE = "CaptureFaceData"
FACE = "FDSetUp"
PERSON = "UserInfo/Record"


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it does, in both languages, and its path and argument where none are given."""

    russian: str
    english: str
    path: str = ANY
    argument: str = ""


KINDS = {
    "busy": Kind("Камера занята", "Capture is busy", CAPTURE),
    "nobody": Kind("Никого не видит", "Sees nobody", CAPTURE),
    "low-quality": Kind("Плохое качество лица", "Face of low quality", CAPTURE),
    "picture-is-noise": Kind("Снимок — не картинка", "The captured picture is none", CAPTURE),
    "refuse": Kind("Отказ с кодом", "Refuses with a code", FACE, "SubpicAnalysisModelingError"),
    "full": Kind("Нет места: users или faces", "Full: users or faces", "", "faces"),
    "ok-without-effect": Kind("Отвечает OK и ничего не делает", "Says OK and does nothing", FACE),
    "lost-before": Kind("Обрыв до действия", "Connection lost before acting", FACE),
    "lost-after": Kind("Обрыв после действия", "Connection lost after acting", FACE),
    "slow": Kind("Медленный ответ, секунды", "Slow answer, seconds", ANY, "5"),
    "drop": Kind("Не отвечает совсем", "Drops every connection", ANY),
    "refusals-as-200": Kind("Отказы с HTTP 200", "Refusals with HTTP 200", ANY),
    "removal-fails": Kind("Удаление не удаётся", "Removal fails", "Delete"),
    "locked": Kind("Вход заблокирован", "Login is locked"),
    "nonce-uses": Kind("Nonce живёт, запросов", "A nonce lives for requests", ANY, "2"),
    "nonce-seconds": Kind("Nonce живёт, секунд", "A nonce lives for seconds", ANY, "30"),
    "restart": Kind("Перезагрузка вместо ответа", "Restarts instead of answering", FACE),
    "overwrite": Kind("Чужой снимок до запроса", "Somebody else's capture before the request", FACE),
    "overwrite-after": Kind("Чужой снимок после запроса", "Somebody else's capture after the request", FACE),
}
"""Faults that wait for a request. What happens now (a restart, a lock) is `Terminal.trigger`."""


@dataclass
class Fault:
    """One fault that is set. `times` is how many requests it still hits; None: all, until it is cleared."""

    name: str
    path: str
    argument: str
    times: int | None = None
    message: str | None = None
    """The errorMsg of a refusal."""
    status: int = 400
    """The HTTP status of a refusal."""


def matches(pattern: str, path: str) -> bool:
    """Whether `path` (without query) matches `pattern`."""
    return fnmatchcase(path, pattern if pattern.startswith(("/", "*")) else f"*/{pattern}")


@dataclass
class Faults:
    """The faults that are set, in the order they were set. `lock` is the terminal's."""

    lock: threading.Condition = field(default_factory=threading.Condition, repr=False)
    active: list[Fault] = field(default_factory=list)

    def add(
        self,
        name: str,
        argument: str = "",
        *,
        path: str = "",
        times: int | None = None,
        message: str | None = None,
        status: int = 400,
    ) -> Fault:
        """Set a fault. An empty `argument` or `path` takes that of its kind.

        :raises KeyError: for an unknown name. :raises ValueError: for an argument that is no number where one is
        needed.
        """
        kind = KINDS[name]
        fault = Fault(name, path or kind.path, argument or kind.argument, times, message, status)
        if name == "full":
            # "full" is set as the refusal that it is.
            users = fault.argument == "users"
            fault.name, fault.path = "refuse", PERSON if users else FACE
            fault.argument = "deviceUserFull" if users else "deviceFaceFull"
        if fault.name in NUMERIC:
            float(fault.argument)
        with self.lock:
            self.active.append(fault)
        return fault

    def clear(self, name: str | None = None) -> None:
        """Clear all faults, or those of one name."""
        with self.lock:
            self.active = [fault for fault in self.active if name is not None and fault.name != name]

    def take(self, name: str, path: str) -> Fault | None:
        """The fault `name` if it hits this request to `path`, and count the hit; None when it does not."""
        with self.lock:
            hits = (fault for fault in self.active if fault.name == name and matches(fault.path, path))
            fault = next(hits, None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                self.active = [fault for fault in self.active if fault.times != 0]
            return fault
