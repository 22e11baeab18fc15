"""A conversation keeps its lease as long as it needs, and to what HIKFLASK_TERMINAL_REQUIRE demands."""

import dataclasses

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import HttpsRequired, WeakDigest
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, recovery, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.due import claim_due
from tests.support.enrolments import desire

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def restart(app: Flask, *required: str) -> None:
    """Let the app require this, as when it starts with another setting."""
    app.config["TERMINAL_REQUIRE"] = required
    app.extensions["terminal_clients"].close()


def offer_sha256(simulator: Simulated) -> None:
    simulator.login.profile = dataclasses.replace(simulator.login.profile, challenge="sha256")


def row() -> Terminal:
    return db.session.get_one(Terminal, 1, populate_existing=True)


@pytest.fixture
def waiting(terminal: Terminal) -> Enrolment:
    """Somebody who shall be put on the terminal."""
    return desire(terminal)


def test_nothing_is_sent_to_an_http_terminal_where_https_is_required(
    app: Flask, simulator: Simulated, waiting: Enrolment
) -> None:
    restart(app, "https")

    with pytest.raises(HttpsRequired):
        reconcile(waiting.id, "test")
    with pytest.raises(HttpsRequired):
        checks.check(1, "test")

    assert simulator.log == []
    assert (row().reachable, row().last_error_code) == (False, "https_required")
    assert queries.get_one(waiting.id).refusal_code == "https_required"
    restart(app)
    checks.check(1, "test")
    assert claim_due() == [waiting.id]


def test_terminal_that_offers_md5_alone_gets_no_credentials_where_sha256_is_required(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    restart(app, "sha256")

    for _ in range(2):
        with pytest.raises(WeakDigest):
            checks.check(terminal.id, "test")

    assert [entry.has_credentials for entry in simulator.log] == [False, False]
    assert (row().reachable, row().login, row().last_error_code, row().refused_since) == (
        True,
        None,
        "weak_digest",
        None,
    )


def test_weak_login_is_not_tried_again_by_itself_and_what_waits_goes_on_after_a_good_check(
    app: Flask, simulator: Simulated, waiting: Enrolment
) -> None:
    restart(app, "sha256")
    with pytest.raises(WeakDigest):
        reconcile(waiting.id, "test")
    stopped = queries.get_one(waiting.id)
    assert (stopped.person, stopped.refusal_code, stopped.next_attempt_at) == (PENDING, "weak_digest", None)
    assert claim_due() == []

    offer_sha256(simulator)
    checks.check(1, "test")

    assert (row().login, row().last_error_code) == (True, "")
    assert claim_due() == [waiting.id]
    assert reconcile(waiting.id, "sweep").person == CONFIRMED


def test_face_that_a_weak_login_stopped_goes_on_after_a_good_check(
    app: Flask, simulator: Simulated, waiting: Enrolment
) -> None:
    assert reconcile(waiting.id, "test").person == CONFIRMED
    restart(app, "sha256")
    recovery.retry_all(1)
    with pytest.raises(WeakDigest):
        reconcile(waiting.id, "test")
    assert claim_due() == []

    offer_sha256(simulator)
    checks.check(1, "test")

    assert claim_due() == [waiting.id]


def test_quick_conversation_does_not_renew_its_lease(app: Flask, simulator: Simulated, waiting: Enrolment) -> None:
    seen = set()

    def look() -> None:
        with app.app_context():
            seen.add(row().lease_until)

    simulator.before("UserInfo/Record", look)
    simulator.before("UserInfo/Search", look)

    reconcile(waiting.id, "test")

    assert len(seen) == 1
    assert row().lease_until is None


def test_lease_that_could_end_before_the_answer_is_renewed_first(terminal: Terminal) -> None:
    with connection.converse(terminal.id, "test", "check") as conversation:
        db.session.execute(db.update(Terminal).values(lease_until=database_now(1.0)))
        db.session.commit()
        began = row().lease_until
        conversation.lease.ends_at -= connection.SPARE_SECONDS + 1.0
        conversation.request("GET", "/ISAPI/System/deviceInfo")
        renewed = row().lease_until

    assert began
    assert renewed
    assert renewed > began


def test_lease_of_a_killed_holder_ends_within_a_minute(terminal: Terminal) -> None:
    with connection.converse(terminal.id, "test", "check") as conversation:
        assert not conversation.lease.lasts(60.0)
        conversation.lease.ends_at = 0.0
        conversation.request("GET", "/ISAPI/System/deviceInfo")
        assert not conversation.lease.lasts(60.0)


def test_what_was_learnt_is_written_with_the_end_of_the_lease(terminal: Terminal) -> None:
    with connection.converse(terminal.id, "test", "check") as conversation:
        conversation.pending_updates["firmware"] = "V9.9.9"
        assert row().firmware != "V9.9.9"

    assert (row().firmware, row().lease_until) == ("V9.9.9", None)


def test_password_that_was_never_asked_for_is_not_called_accepted(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    assert (row().login, connection.asks_no_password(row())) == (True, False)
    restart(app)
    simulator.profile = dataclasses.replace(simulator.profile, asks_password=False)

    checks.check(terminal.id, "Анна")

    assert (row().reachable, row().login, row().last_error_code) == (True, None, "")
    assert connection.asks_no_password(row())
    registry.forget_answers(row())
    assert not connection.asks_no_password(row())
