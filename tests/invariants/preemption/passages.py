"""Who acts on passages, beside actors.py: the log of the second terminal is read, told, erased and forgotten."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update

from hikflask.extensions import db, vault
from hikflask.models import EventLog, JournalAlarm, Terminal, Webhook, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.services.changes import kinds
from hikflask.services.changes import lifecycle as jobs
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.db import end_read, transaction
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import FaceSource
from hikflask.services.passages import intake, pushes, retention, switch, terminal_privacy
from hikflask.services.passages.pushes import Sender
from tests.invariants.preemption.actors import NEW_NUMBER, Act, Prepare, change
from tests.invariants.preemption.laboratory import Laboratory
from tests.support.captures import IVAN

PASSAGE, DOOR, ALARM = (5, 75), (5, 76), (1, 1030)
# More than a page of the log.
MANY = 70
MAX_READINGS = 60


# Cases: each returns Ivan's id.


def _on(lab: Laboratory) -> int:
    """Ivan is at both terminals; he passed at the second one, whose log nobody has read yet."""
    lab.app.config["PASSAGES"] = "poll"
    with transaction():
        told = {"on_enrolled": False, "on_refused": False, "on_removed": False, "on_passage": True, "on_alarm": True}
        db.session.add(Webhook(url="http://x.test", secret_encrypted=vault.encrypt("s" * 32), **told))
    ivan = lab.enrol_ivan(lab.store)
    _pass(lab, 2)
    return ivan


def _followed(lab: Laboratory, passages: int = 3) -> int:
    """The log was read, and more has happened since, of which webhooks are told."""
    ivan = _on(lab)
    _read(lab)
    lab.passages.told_after = lab.simulated[lab.store.id].events.next_serial - 1
    with transaction():
        db.session.execute(delete(WebhookDelivery))
        db.session.execute(delete(JournalAlarm))
    _pass(lab, passages)
    return ivan


def _with_face(lab: Laboratory) -> tuple[int, FaceSource]:
    ivan = _followed(lab)
    return ivan, FaceSource(lab.capture(replace(IVAN, number=NEW_NUMBER), employee_id=ivan), "Анна")


# Acts.


def _pass(lab: Laboratory, passages: int = 2) -> None:
    events = lab.simulated[lab.store.id].events
    for _ in range(passages):
        events.add(*PASSAGE, IVAN.number, IVAN.name)
    events.add(*DOOR)
    events.add(*ALARM)


def _read(lab: Laboratory, *_: object) -> None:
    """Read the log to its end."""
    for _reading in range(MAX_READINGS):
        with transaction():
            db.session.execute(update(EventLog).values(next_at=database_now(-5)))
        intake.claim_due()
        if not intake.read_log(lab.store.id, "background") and not lab.is_left_to_read():
            return


def _push(lab: Laboratory, *_: object) -> None:
    """The terminal tells of the last passage, in the words of the firmware."""
    passage = next(one for one in reversed(lab.simulated[lab.store.id].events.records) if one.minor == PASSAGE[1])
    person = {"employeeNoString": passage.number, "name": passage.name}
    codes = {"majorEventType": passage.major, "subEventType": passage.minor, "serialNo": passage.serial_no}
    event = {"eventType": "AccessControllerEvent", "dateTime": passage.time, "AccessControllerEvent": person | codes}
    serial = db.session.execute(select(Terminal.serial).where(Terminal.id == lab.store.id)).scalar_one()
    end_read()
    assert pushes.receive(Sender(lab.store.id, serial), json.dumps(event).encode())


def _forget(lab: Laboratory, *_: object) -> None:
    """Retention finds that all passages were kept for long enough."""
    lab.passages.are_forgotten = True
    kept, lab.app.config["PASSAGES_KEEP"] = lab.app.config["PASSAGES_KEEP"], 0
    try:
        while retention.forget_passages():
            pass
    finally:
        lab.app.config["PASSAGES_KEEP"] = kept


def _delete_all(lab: Laboratory, *_: object) -> None:
    """An administrator switches passages off, and lets all of them be deleted."""
    lab.app.config["PASSAGES"] = switch.OFF
    newest = retention.count()[1]
    end_read()
    run_to_end(jobs.begin(kinds.DELETE_PASSAGES, {kinds.NEWEST: newest}))


def _replace_device(lab: Laboratory) -> None:
    """Another device stands there: nobody is on it, and its log is of somebody else's door."""
    simulated = lab.simulated[lab.store.id]
    with simulated.lock:
        simulated.serial = "00888"
        simulated.store.remove(list(simulated.people))
    _begin_anew(lab, "Чужой Человек")


def _begin_anew(lab: Laboratory, name: str = IVAN.name) -> None:
    lab.passages.is_new_log = True
    events = lab.simulated[lab.store.id].events
    events.reset()
    events.add(*PASSAGE, IVAN.number, name)
    events.add(*DOOR)


ACTORS: dict[str, tuple[Prepare, Act]] = {
    "read_first": (_on, _read),
    "read_on": (_followed, _read),
    "read_long": (lambda lab: _followed(lab, MANY), _read),
    "push": (_followed, _push),
    "forget_passages": (_followed, _forget),
    "delete_passages": (_followed, _delete_all),
    "erase_who_passed": (_followed, lambda _, ivan: erase_employee(ivan)),
    "delete_who_passed": (_followed, lambda _, ivan: delete_employee(ivan)),
    "renumber_who_passed": (_with_face, lambda lab, case: change(lab, *case, number=NEW_NUMBER)),
}
_WHILE_ON: dict[str, Callable[[Laboratory], Any]] = {
    "reads_log": _read,
    "pushes": _push,
    "forgets_passages": _forget,
    "deletes_passages": _delete_all,
    "replaces_device": _replace_device,
    "begins_log_anew": _begin_anew,
    "passes": _pass,
    "reads_privacy": lambda lab: terminal_privacy.read(lab.store.id, "background"),
}


def _while_on(act: Callable[[Laboratory], Any]) -> Callable[[Laboratory], object]:
    return lambda lab: act(lab) if switch.is_on() else None


OTHERS: dict[str, Callable[[Laboratory], object]] = {name: _while_on(act) for name, act in _WHILE_ON.items()}
