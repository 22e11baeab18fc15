"""What comes about a person while the erasure waits is forgotten before it is complete; a living person keeps all."""

import io
import json
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask

from hikflask.api.support import idempotency
from hikflask.api.support.idempotency import Answer, Claim
from hikflask.extensions import db
from hikflask.models import (
    Comparison,
    Difference,
    Drift,
    Erasure,
    IgnoredDifference,
    Job,
    JobItem,
    PersonThere,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.columns import database_now
from hikflask.models.comparison import NAME, ONLY_THERE
from hikflask.models.job import DONE
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle, run
from hikflask.services.comparisons import ignored, plan, plan_choices
from hikflask.services.comparisons.plan import TAKE_OVER, Choices
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import dry_run
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.privacy import certificates, traces
from hikflask.services.webhooks import deliveries, registry
from hikflask.simulator import Terminal as Simulated
from tests.support import imports
from tests.support.between import Between
from tests.support.captures import IVAN
from tests.support.comparisons import compare, strangers
from tests.support.erasures import enrol, every_text, fresh, settle_all
from tests.support.receivers import receiving
from tests.support.refusals import refusal
from tests.support.removals import BY_OPERATOR
from tests.support.retention import DAY, age, forget
from tests.support.signed_in import make_token
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]
ANSWER = Answer(201, {}, "{}")


@pytest.fixture
def claim(app: Flask) -> Claim:
    make_token(app)
    claim = idempotency.begin(1, "key", "print")
    assert isinstance(claim, Claim)
    return claim


def test_whom_a_comparison_saw_before_the_terminal_confirmed_is_forgotten(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    done = compare(terminal)
    job = Job(kind="apply", state=DONE, params={})
    db.session.add(job)
    db.session.flush()
    said = refusal("terminal:no", word="nO", text="Иван", n="100222")
    written = {"before": None, "after": {"name": "Иван Иванов"}}
    confirmed = {"name_here": "Иван"}
    db.session.add(JobItem(job_id=job.id, number="100222", refusal=said, written=written, confirmed=confirmed))
    db.session.commit()
    assert (db.session.get_one(Comparison, done.id).last_number, "Иван" in every_text()) == ("100222", True)
    db.session.execute(db.update(Comparison).values(first_face="100222", last_face="100222"))
    db.session.commit()

    settle_all()
    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert "100222" not in every_text()
    assert "Иван" not in every_text()
    assert db.session.execute(db.select(JobItem.written, JobItem.confirmed)).all() == [(None, None)]
    items = db.session.execute(db.select(JobItem.number, JobItem.refusal)).all()
    assert items == [("", refusal("terminal:no", word="nO"))]
    assert [one.is_readable for one in entries("enrolment.removed")] == [False]


def test_what_was_chosen_for_the_number_is_forgotten_and_other_params_stay() -> None:
    params = {"confirmed_numbers": ["900", "901", "people"], "losses": {"people": 1}}
    job = Job(kind="import", state=DONE, params=params)
    db.session.add(job)
    db.session.commit()

    traces.forget(["900", "people"], None)

    left = {**params, "confirmed_numbers": ["901"]}
    assert db.session.get_one(Job, job.id, populate_existing=True).params == left


@pytest.mark.parametrize(
    "write",
    [lifecycle.begin_items, lambda claim: lifecycle.fail(claim, refusal("unreachable"))],
    ids=["begin_items", "fail"],
)
def test_number_does_not_come_back_with_what_is_written_beside_it(
    between: Between, write: Callable[[lifecycle.Claim], None]
) -> None:
    ivan = save_employee(IVAN).row
    claim = lifecycle.begin("import", {"batch": 1, "confirmed_numbers": [IVAN.number]})
    eraser = between(lifecycle, "changed_rows", lambda: erase_employee(ivan.id), before=True)

    write(claim)
    eraser.finish()

    assert eraser.error is None
    assert db.session.get_one(Job, claim.job_id, populate_existing=True).params["confirmed_numbers"] == []


def test_number_that_was_confirmed_for_an_import_is_not_written_back_after_the_dry_run(between: Between) -> None:
    ivan = save_employee(IVAN).row
    batch_id = imports.made(f"{IVAN.number};Пётр Чехов;Охрана", "200001;Анна Ким;Охрана")
    claim = import_jobs.start_check_and_import(batch_id, Confirmation(None, by_admin=True), [IVAN.number])
    eraser = between(dry_run, "check", lambda: erase_employee(ivan.id))

    run.run_slice(claim)
    eraser.finish()

    assert eraser.error is None
    assert db.session.get_one(Job, claim.job_id, populate_existing=True).params["confirmed_numbers"] == []


def test_numbers_that_json_writes_with_escapes_are_forgotten() -> None:
    strange = ["Ж7", '7"7', "7\\7", "7%", "7_7", "😀"]
    job = Job(kind="import", state=DONE, params={"confirmed_numbers": [*strange, "777"]})
    db.session.add(job)
    db.session.commit()

    for number in strange:
        traces.forget([number], None)

    assert db.session.get_one(Job, job.id, populate_existing=True).params == {"confirmed_numbers": ["777"]}


def test_whoever_got_the_number_meanwhile_keeps_everything(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    wire.away.add("terminal.test")
    ivan = save_employee(Draft("100222", "Иван Иванов")).row
    erasure = erase_employee(ivan.id).row
    assert fresh(erasure).completed_at is not None
    olga = save_employee(Draft("100222", "Ольга Ёлкина")).row
    strangers(simulator, ["100222"])
    wire.away.clear()
    compare(terminal)

    certificates.complete_all()

    assert db.session.query(PersonThere).filter_by(number="100222").count() == 1
    assert [one.employee_id for one in entries("employee.created") if one.is_readable] == [olga.id]


def test_whom_a_comparison_saw_is_forgotten_though_somebody_else_has_got_the_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    compare(terminal)
    settle_all()
    save_employee(Draft("100222", "Ольга Ёлкина"))
    assert "Иван" in every_text()

    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert "Иван" not in every_text()


def test_message_that_is_still_to_be_sent_is_sent_and_then_deleted(simulator: Simulated, terminal: Terminal) -> None:
    with receiving() as receiver:
        webhook, _ = registry.add(receiver.url, frozenset({"enrolled", "removed"}))
        ivan = enrol(simulator, terminal)
        deliveries.send_due(webhook.id)
        erasure = erase_employee(ivan.id).row
        assert db.session.query(WebhookDelivery).count() == 0
        settle_all()
        certificates.complete(erasure.id)
        forget()
        assert [one.event for one in db.session.query(WebhookDelivery)] == ["removed"]

        deliveries.send_due(webhook.id)
        forget()

    assert db.session.query(WebhookDelivery).count() == 0
    assert len(receiver.got) == 2
    of_next_owner = WebhookDelivery(webhook_id=webhook.id, event="enrolled", number="100222")
    of_next_owner.happened_at = database_now(60)
    with transaction():
        db.session.add(of_next_owner)
        db.session.flush()
        of_next_owner.next_attempt_at = None  # It was sent.
    forget()
    assert db.session.query(WebhookDelivery).count() == 1


def test_messages_about_others_and_to_other_receivers_stay(simulator: Simulated, terminal: Terminal) -> None:
    first, second = (registry.add(url, frozenset({"enrolled"}))[0] for url in ("http://127.0.0.1:9/", "http://a.test/"))
    ivan = enrol(simulator, terminal)
    of_others = [
        WebhookDelivery(webhook_id=webhook.id, event="enrolled", number=number, happened_at=database_now(-60))
        for webhook in (first, second)
        for number in ("100333", "100444")
    ]
    with transaction():
        db.session.add_all(of_others)
        db.session.flush()
        of_others[0].next_attempt_at = None  # It was sent.

    def left() -> list[tuple[int, str]]:
        rows = db.session.execute(db.select(WebhookDelivery.webhook_id, WebhookDelivery.number))
        return sorted((webhook_id, number) for webhook_id, number in rows)

    erasure = erase_employee(ivan.id).row
    settle_all()
    certificates.complete(erasure.id)
    waiting = [(webhook.id, IVAN.number) for webhook in (first, second)]
    forget()
    assert left() == sorted([(one.webhook_id, one.number) for one in of_others] + waiting)

    age(WebhookDelivery, "happened_at", DAY * (certificates.DAYS_WITH_MESSAGES + 1))
    age(Erasure, "completed_at", DAY * (certificates.DAYS_WITH_MESSAGES + 1))
    forget()

    assert left() == sorted((one.webhook_id, one.number) for one in of_others)


def test_message_that_nobody_takes_is_deleted_days_after_the_erasure(simulator: Simulated, terminal: Terminal) -> None:
    webhook, _ = registry.add("http://127.0.0.1:9/", frozenset({"removed"}))
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    settle_all()
    certificates.complete(erasure.id)
    registry.switch(webhook.id, False)

    def wait(days: float) -> list[str]:
        age(WebhookDelivery, "happened_at", DAY * days)
        age(Erasure, "completed_at", DAY * days)
        forget()
        return [message.number for message in db.session.query(WebhookDelivery)]

    assert wait(certificates.DAYS_WITH_MESSAGES - 0.1) == ["100222"]
    # The worker may have stood still until the certificate, too, forgets who it was.
    assert wait(certificates.DAYS_WITH_NAME + 1) == []
    assert fresh(erasure).number == ""


def test_stranger_who_is_erased_before_the_plan_is_started_is_in_no_job(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    strangers(simulator, ["900", "901"])
    done = compare(terminal)
    plan_choices.choose(done, ONLY_THERE, TAKE_OVER)
    made = plan.make(done, plan_choices.of(done))
    eraser = between(lifecycle, "begin", lambda: erase_by_number("900"), before=True)

    plan_choices.start(done, Choices(kinds={ONLY_THERE: TAKE_OVER}), made, BY_OPERATOR)
    eraser.finish()

    assert eraser.error is None
    certificates.complete_all()
    assert "900" not in {item.number for item in db.session.query(JobItem)}
    assert db.session.query(Difference).filter_by(number="900").count() == 0


def test_plan_with_somebody_who_was_erased_is_not_started(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    done = compare(terminal)
    plan_choices.choose(done, ONLY_THERE, TAKE_OVER)
    chosen = plan_choices.of(done)
    made = plan.make(done, chosen)
    erase_by_number("900")

    with pytest.raises(PlanChanged):
        plan_choices.start(done, chosen, made, BY_OPERATOR)

    assert [job.state for job in db.session.query(Job)] == ["draft"]
    assert db.session.query(JobItem).count() == 0


def test_rows_of_a_number_are_found_and_erased(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    ignored.ignore(compare(terminal), ONLY_THERE, ["900"])
    db.session.add(Drift(terminal_id=terminal.id, kind=NAME, number="900"))
    db.session.commit()
    tables = [PersonThere, Difference, IgnoredDifference, Drift]

    found = traces.in_comparisons(["900"])

    assert [(name, type(row)) for name, row in found] == [("Вход", table) for table in tables]
    traces.forget(["900"], None)
    db.session.commit()
    assert traces.in_comparisons(["900"]) == []
    assert [db.session.query(table).count() for table in tables] == [1, 1, 0, 0]


def test_erasure_takes_them_along(simulator: Simulated, terminal: Terminal) -> None:
    person = save_employee(Draft("900", "Гость 900")).row
    strangers(simulator, ["900", "901"])
    compare(terminal)
    assert [one["kind"] for one in exported(person.id) if "kind" in one] == ["only_there"]

    erase_employee(person.id)

    assert traces.in_comparisons(["900"]) == []
    assert db.session.query(PersonThere).count() == 1
    assert not has_data_of("900")
    assert has_data_of("901")


def exported(employee_id: int) -> list[dict[str, Any]]:
    """What the export of a person's data has of comparisons."""
    with ZipFile(io.BytesIO(export_employee(employee_id))) as archive:
        found: list[dict[str, Any]] = json.loads(archive.read("data.json"))["comparisons"]
    return found


def test_answer_of_a_call_that_runs_is_not_kept_either_once_somebody_is_erased(claim: Claim) -> None:
    traces.blank_answers()
    db.session.commit()

    idempotency.keep(claim, ANSWER)

    with pytest.raises(ServiceError, match=r"^idempotency_answer_gone$"):
        idempotency.begin(1, "key", "print")
    idempotency.give_up(claim)
    assert isinstance(idempotency.begin(1, "key", "print"), Claim)


def test_no_call_begins_before_the_erasure_of_somebody_ends(claim: Claim, between: Between) -> None:
    idempotency.give_up(claim)
    other = between(traces, "blank_answers", lambda: idempotency.begin(1, "key", "print"))
    traces.blank_answers()
    db.session.commit()
    other.finish()

    assert (other.blocked, other.error) == (True, None)
