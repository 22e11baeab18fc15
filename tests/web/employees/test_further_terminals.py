"""Sending a photo to further terminals, if they take photo files."""

import pytest
from flask import Flask

from hikflask.models import Terminal
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE
from tests.support.desk import Desk
from tests.support.filled_forms import form_to
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD
from tests.support.wire import InProcess


@pytest.fixture
def second(app: Flask, wire: InProcess) -> Simulated:
    """A terminal that takes pictures."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW"))
    wire.put("second.test", simulated)
    with app.app_context():
        row: Terminal = registry.add(Access("Склад", "http://second.test", "admin", PASSWORD))
        checks.check(row.id, "test")
    return simulated


def test_captured_photo_is_sent_to_a_terminal_that_takes_pictures(desk: Desk, second: Simulated) -> None:
    employee = desk.save(terminal_id="1")
    assert "Отправить туда фото" in desk.text(employee)

    desk.client.post(f"{employee}/terminals", data={"terminal_id": "2"})
    desk.run_jobs()

    assert second.faces["100222"].jpeg == FACE
    assert "Есть на терминале «Склад»" in desk.text(employee)
    assert "Отправить туда фото" not in desk.text(employee)


def test_chosen_terminal_is_still_chosen_after_signing_in_again(
    app: Flask, desk: Desk, second: Simulated, wire: InProcess
) -> None:
    employee = desk.save(terminal_id="1")
    third = Simulated(PASSWORD, clock=SkippingClock(), profile=second.profile)
    wire.put("third.test", third)
    with app.app_context():
        checks.check(registry.add(Access("Ворота", "http://third.test", "admin", PASSWORD)).id, "test")
    browser = app.test_client()
    asked = browser.post(f"{employee}/terminals", data={"terminal_id": "2"})

    shown = form_to(asked.text, "/sign-in").send(browser, name=OPERATOR_NAME, password=OPERATOR_PASSWORD)

    form = form_to(shown.text, f"{employee}/terminals")
    assert form.fields["terminal_id"] == "2"
    form.send(browser)
    desk.run_jobs()
    assert (set(second.faces), set(third.faces)) == ({"100222"}, set())


def test_terminal_by_url_alone_is_not_offered(desk: Desk) -> None:
    assert "Отправить туда фото" not in desk.text(desk.save())


def test_unknown_terminal_is_refused_with_a_sentence(desk: Desk) -> None:
    employee = desk.save()

    answer = desk.client.post(f"{employee}/terminals", data={"terminal_id": "77"}, follow_redirects=True)

    assert "Такого терминала нет" in answer.text
    assert desk.simulator.faces["100222"].jpeg == FACE
