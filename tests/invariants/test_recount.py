"""The recount of a random run: each of its checks fails when what it is for is spoilt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update

from hikflask.extensions import db
from hikflask.models import (
    Employee,
    Enrolment,
    Event,
    EventCoverage,
    EventLog,
    Job,
    JobItem,
    JournalAlarm,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.columns import database_now
from hikflask.models.refusal import Refusal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.passages import intake
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates
from hikflask.services.webhooks import registry as webhooks
from hikflask.services.webhooks.deliveries import DELIVERY
from hikflask.simulator import Terminal as Simulated
from tests.processes.random_run import recount
from tests.processes.random_run.recount_passages import ALARM
from tests.processes.random_run.world import Erased, Person, World, Write
from tests.support.enrolments import enrol_employee
from tests.support.erasures import settle_all
from tests.support.jobs import started
from tests.support.receivers import Received

HOUR = 3600.0


@pytest.fixture
def settings() -> dict[str, object]:
    return {"PASSAGES": "poll", "WEBHOOK_NETWORKS": ""}


@dataclass
class Case:
    """Ivan is enrolled and passed, Olga is erased, and nothing is wrong."""

    world: World
    terminal: Terminal
    simulator: Simulated
    ivan: Person
    olga: Person

    def run(self, statement: object) -> None:
        """Spoil rows as nobody may."""
        db.session.execute(statement)  # type: ignore[call-overload]
        db.session.commit()


@pytest.fixture
def case(app: Flask, context: None, simulator: Simulated, terminal: Terminal) -> Case:  # noqa: ARG001
    world = World(terminals={terminal.id: simulator})
    simulator.store.deletion_polls = 0
    webhooks.add("http://127.0.0.1:9/", frozenset(("passage", "alarm")))
    simulator.pass_by(None, at=simulator.local_time() - timedelta(hours=2))
    _read(terminal)
    world.begun[terminal.id] = simulator.events.next_serial - 1
    ivan, olga = (_enrolled(world, simulator, terminal, number) for number in ("N2100", "N2101"))
    erase_employee(olga.id)
    olga.writes["there"] = [Write(False, 0.0, 0.0, taken=True)]
    settle_all()
    certificates.complete_all()
    world.erased.append(Erased(olga, olga.numbers, 0.0))
    simulator.pass_by(ivan.number, at=simulator.local_time() - timedelta(minutes=1))
    simulator.events.add(*ALARM)
    _read(terminal)
    with transaction():
        db.session.execute(update(WebhookDelivery).values(delivered_at=database_now(), next_attempt_at=None))
        # As if the log had been read since then.
        db.session.execute(update(EventCoverage).values(from_at=database_now(-HOUR)))
    for delivery in db.session.execute(select(WebhookDelivery)).scalars():
        world.receiver.got.append(Received("/", {DELIVERY: delivery.message_id}, b""))
    world.followed |= {*db.session.execute(select(Event.id)).scalars()}
    db.session.commit()
    return Case(world, terminal, simulator, ivan, olga)


def _read(terminal: Terminal) -> None:
    intake.claim_due()
    for _ in range(3):
        intake.read_log(terminal.id, "background")


def _enrolled(world: World, simulator: Simulated, terminal: Terminal, number: str) -> Person:
    person = world.add_person(number, department="Склад", is_active=True, there=True, valid_to="")
    person.writes["number"] = [Write(number, 0.0, 0.0, taken=True)]
    name = world.name(person)
    person.id = enrol_employee(simulator, terminal, Draft(number, name, "Склад"), person.face).id
    return person


def _job(case: Case, item: dict[str, object], **values: object) -> None:
    """A job that is done for Ivan, but for these values of the item and of itself."""
    claim = started("export", [case.ivan.id], format="csv", language="en")
    case.run(update(JobItem).where(JobItem.job_id == claim.job_id).values(**{"state": "done"} | item))
    case.run(update(Job).where(Job.id == claim.job_id).values(**{"state": "done", "done": 1} | values))


def _leave(case: Case) -> None:
    set_active(case.ivan.id, active=False)
    case.ivan.writes["is_active"] = []
    case.run(update(Enrolment).where(Enrolment.number == case.ivan.number).values(next_attempt_at=None))


def _limit(case: Case) -> None:
    case.simulator.people[case.ivan.number]["Valid"] = {"enable": True, "endTime": "2030-01-01T23:59:59"}


def _show_other_face(case: Case) -> None:
    case.simulator.store.bind(case.ivan.number, case.olga.face)
    case.run(
        update(Enrolment)
        .where(Enrolment.number == case.ivan.number)
        .values(face="refused", confirmed_photo_id=None, confirmed_at=None)
    )


def _tell_twice(case: Case) -> None:
    names = "webhook_id, event, number, terminal_name, code, happened_at, event_id, attempts, problem, delivered_at"
    case.run(text(f"INSERT INTO webhook_delivery ({names}) SELECT {names} FROM webhook_delivery"))


def _lose_files(_: Case) -> None:
    for path in storage.folder().iterdir():
        path.unlink()


def _revive(case: Case) -> None:
    case.olga.id = case.ivan.id


def _give_away(case: Case) -> None:
    other = _enrolled(case.world, case.simulator, case.terminal, "N2102")
    case.run(update(Event).where(*PASSED).values(employee_id=other.id))


PASSED = (Event.kind == "passed", Event.number == "N2100")
SPOILT: dict[str, tuple[Callable[[Case], object], str]] = {
    "a name is lost": (
        lambda case: case.ivan.writes.setdefault("full_name", case.ivan.writes["number"]),
        "full_name is",
    ),
    "somebody is lost": (lambda case: case.run(delete(Employee)), "is lost"),
    "somebody is there again": (_revive, "is there again"),
    "nobody wanted the person": (lambda case: case.run(delete(Enrolment)), "and nothing says so"),
    "green under another name": (
        lambda case: case.simulator.people[case.ivan.number].update(name="Другой"),
        "confirmed, and not so there",
    ),
    "a limit is left": (_limit, "may pass there until 2030-01-01T23:59:59"),
    "a wrong face that is not green": (_show_other_face, "the face of person 3, not of person 1"),
    "green without a face": (lambda case: case.simulator.store.unbind(None), "green with no face"),
    "a removal without an attempt": (_leave, "a removal has no next attempt"),
    "wanted, and inactive": (lambda case: case.run(update(Employee).values(is_active=False)), "wanted, and inactive"),
    "a lost file": (_lose_files, "has lost its file"),
    "a file without a row": (lambda _: (storage.folder() / "N2101-x.jpg").write_bytes(b"x"), "belongs to nothing"),
    "an erased name": (
        lambda case: case.run(text(f"UPDATE terminal SET firmware = 'Иванов Иван {case.olga.key} 4'")),
        "was erased",
    ),
    "an erased number": (
        lambda case: case.run(text("UPDATE terminal SET firmware = 'N2101'")),
        "N2101 was erased, and is in terminal",
    ),
    "the trail says otherwise": (
        lambda case: case.run(update(Employee).values(department="Офис")),
        "and the trail says 'Склад'",
    ),
    "a job that was given up": (lambda case: _job(case, {}, state="failed"), "was given up"),
    "a count of items": (lambda case: _job(case, {}, failed=1), "is done with 1 failed"),
    "a failure without a sentence": (
        lambda case: _job(case, {"refusal": Refusal(code="odd", params={})} | {"state": "failed"}, failed=1),
        "failed without a sentence (odd)",
    ),
    "a lease": (lambda case: case.run(update(Terminal).values(lease_until=database_now(HOUR))), "is held for too long"),
    "a record that is missing": (lambda case: case.run(delete(Event).where(*PASSED)), "is missing"),
    "another owner": (_give_away, "is said to be of person"),
    "no owner": (lambda case: case.run(update(Event).values(employee_id=None)), "is nobody's"),
    "alarms are forgotten": (lambda case: case.run(delete(JournalAlarm)), "0 unseen and 0 seen are counted"),
    "the cursor passed over": (lambda case: case.world.followed.pop(), "the cursor has passed over"),
    "not told": (lambda case: case.run(delete(WebhookDelivery)), "is told to no webhook"),
    "told twice": (_tell_twice, "is told 2 times"),
    "did not come": (lambda case: case.world.receiver.got.clear(), "counts as taken, and did not come"),
    "given up": (lambda case: case.run(update(WebhookDelivery).values(delivered_at=None)), "was given up"),
}


def test_nothing_is_said_of_rows_that_are_right(case: Case) -> None:
    assert recount.broken(case.world) == []
    assert db.session.execute(select(EventCoverage.is_complete)).scalars().all() == [True]
    assert db.session.execute(select(EventLog.anchor_serial)).scalar_one() == case.simulator.events.next_serial - 1


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_said(case: Case, what: str) -> None:
    spoil, said = SPOILT[what]

    spoil(case)

    assert [problem for problem in recount.broken(case.world) if said in problem]
