"""One id from the page to the job, the calls to the terminal and the audit trail; and nobody's name in the log."""

import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.logging_setup import OneLine, OneObject
from hikflask.models import AuditEntry, Enrolment, Terminal
from hikflask.models.columns import database_now
from tests.conftest import PASSWORD
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import Desk, typed
from tests.support.filled_forms import form_to
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
CALL = re.compile(r"terminal \d+: (\S+) in ")


class Kept(logging.Handler):
    """Keeps each record as both formats write it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.objects: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(OneLine(None).format(record))
        self.objects.append(json.loads(OneObject(None).format(record)))

    def of(self, request_id: str) -> list[str]:
        """The messages that belong to a request."""
        return [one["message"] for one in self.objects if one.get("request_id") == request_id]

    def forget(self) -> None:
        self.lines.clear()
        self.objects.clear()


@pytest.fixture
def log() -> Iterator[Kept]:
    """Everything that is logged."""
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(kept)
    root.setLevel(before)


def request_of(action: str) -> str:
    """The id in the newest audit entry of this action."""
    newest = db.select(AuditEntry.request_id).where(AuditEntry.action == action).order_by(AuditEntry.id.desc())
    request_id: str = db.session.execute(newest.limit(1)).scalar_one()
    return request_id


def calls(messages: list[str]) -> set[str]:
    """The calls to terminals among these messages."""
    return {found[1] for message in messages if (found := CALL.match(message))}


def let_pass(seconds: float) -> None:
    """Make due what waits for its next attempt, and let the terminal's back-off end."""
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-seconds)))
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.commit()


def test_enrolment_at_a_terminal_that_fails_has_one_id_until_the_sweep_confirms_it(
    desk: Desk, wire: InProcess, log: Kept
) -> None:
    capture_id = desk.capture()
    asked = request_of("capture.taken")
    assert "AccessControl/CaptureFaceData" in calls(log.of(asked))
    assert f"capture {capture_id} at terminal 1: captured" in log.of(asked)

    log.forget()
    wire.away.add("terminal.test")
    desk.client.post("/employees/", data=typed(capture_id=capture_id))
    desk.run_jobs()
    saved = request_of("employee.created")
    assert saved not in {"", asked}
    assert "POST /employees/: 303 in" in " ".join(log.of(saved))
    assert "enrolment 1 at terminal 1: unreachable" in log.of(saved)

    log.forget()
    wire.away.clear()
    let_pass(60)
    tasks.sweep()
    desk.run_jobs()

    assert request_of("enrolment.confirmed") == saved
    assert {"AccessControl/UserInfo/Record", "Intelligent/FDLib/FDSetUp"} <= calls(log.of(saved))
    assert "enrolment 1 at terminal 1: present, person confirmed, face confirmed" in log.of(saved)


def test_job_for_many_passes_its_id_on_and_nobody_elses(
    desk: Desk, client: FlaskClient, log: Kept, run_jobs: Callable[[], int]
) -> None:
    desk.save()
    other = typed(hikvision_id="100333", full_name="Ольга Ёлкина")
    capture_id = desk.capture(OTHER_FACE, **other)
    client.post("/employees/", data={**other, "capture_id": capture_id})
    run_jobs()
    first = request_of("employee.created")
    hers = db.update(Enrolment).where(Enrolment.number == "100333")
    db.session.execute(hers.values(next_attempt_at=database_now(-1)))
    db.session.commit()
    log.forget()
    shown = client.post("/removals/bulk", data={"numbers": "100222"})
    form_to(shown.text, "/jobs/1/deactivate").send(client, confirm="1")
    run_jobs()
    tasks.sweep()
    run_jobs()

    started = request_of("job.started")
    assert started not in {"", first}
    assert request_of("employee.deactivated") == started
    assert request_of("enrolment.removed") == started
    assert "AccessControl/UserInfoDetail/Delete" in calls(log.of(started))
    assert any(message.startswith("job 1 (") for message in log.of(started))
    # What was due besides belongs to the request that desired it.
    assert "enrolment 2 at terminal 1: present, person confirmed, face confirmed" in log.of(first)


def test_nobodys_name_face_or_secret_is_logged(
    app: Flask, desk: Desk, wire: InProcess, log: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    person = {"full_name": "Ёлкина Прасковья Юрьевна", "department": "Бухгалтерия"}
    capture_id = desk.capture(**person)
    wire.away.add("terminal.test")
    desk.client.post("/employees/", data=typed(capture_id=capture_id, **person))
    desk.run_jobs()
    wire.away.clear()
    desk.simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")
    let_pass(60)
    tasks.sweep()
    desk.run_jobs()
    desk.client.get("/employees/?q=Ёлкина")
    desk.client.get("/employees/1")
    app.test_client().post("/sign-in", data={"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD})

    everything = " ".join([*log.lines, *(json.dumps(one, ensure_ascii=False) for one in log.objects), caplog.text])
    assert len(log.lines) > 20
    assert "enrolment 1 at terminal 1: subpicanalysismodelingerror" in everything
    for secret in ("Ёлкина", "Прасковья", "Бухгалтерия", "лкин", OPERATOR_NAME, OPERATOR_PASSWORD, PASSWORD):
        assert secret not in everything, secret
    assert desk.client.token not in everything  # type: ignore[attr-defined]
    assert repr(FACE[:16])[2:-1] not in everything
