"""One employee after another: the form for the next one, and the strip of those who were added last."""

import re

from tests.support.desk import ENGLISH, Desk, typed
from tests.support.signed_in import client_of


def add(desk: Desk, number: str, **changed: str) -> str:
    """Capture, save by the second button, and return where that leads."""
    desk.run_jobs()  # The face before this one is bound, so the terminal is free.
    capture = desk.capture(hikvision_id=number, **changed)
    form = typed(hikvision_id=number, capture_id=capture, next="1", **changed)
    saved = desk.client.post("/employees/", data=form)
    assert saved.status_code == 303, saved.text
    return saved.location


def shown(page: str) -> list[str]:
    return re.findall(r'<li id="latest-(\d+)"', page)


def test_next_form_keeps_terminal_and_department_and_nothing_else(desk: Desk) -> None:
    address = add(desk, "1", terminal_id="1")

    assert address == "/employees/new?terminal=1&department=%D0%9E%D1%85%D1%80%D0%B0%D0%BD%D0%B0"
    page = desk.text(address)
    assert 'name="department" type="text"\n    value="Охрана"' in page
    assert 'name="full_name" type="text"\n    value=""' in page
    assert "autofocus" in page.partition('id="hikvision_id"')[2].partition(">")[0]
    assert "capture-nobody" in page


def test_plain_save_leads_to_the_employee(desk: Desk) -> None:
    assert desk.save() == "/employees/1"


def test_refused_save_stays_on_the_form_as_typed(desk: Desk) -> None:
    answer = desk.client.post("/employees/", data=typed(hikvision_id="я", next="1"))

    assert answer.status_code == 422
    assert 'value="Иван Иванов"' in answer.text
    assert "autofocus" in answer.text.partition('id="hikvision_id"')[2].partition(">")[0]
    assert shown(desk.text("/employees/new")) == []


def test_nonsense_in_the_address_is_left_out(desk: Desk) -> None:
    page = desk.text("/employees/new?terminal=99999999999&department=a%00b" + "x" * 200)

    assert 'name="department" type="text"\n    value=""' in page
    assert "field-error" not in page


def test_strip_shows_the_last_five_the_last_one_first(desk: Desk) -> None:
    assert 'id="latest"' not in desk.text("/employees/new")
    for number in range(1, 7):
        address = add(desk, str(number))

    assert shown(desk.text(address)) == ["6", "5", "4", "3", "2"]
    assert shown(desk.text("/employees/1/edit")) == []


def test_strip_turns_green_and_then_asks_no_more(desk: Desk) -> None:
    page = desk.text(add(desk, "1"))
    assert 'hx-get="/employees/latest" hx-trigger="every 2s"' in page
    assert 'data-says="Подтверждено: 0 из 1"' in page
    assert "выполняется</span>" in page

    desk.run_jobs()

    strip = desk.text("/employees/latest")
    assert 'data-state="confirmed"' in strip
    assert "status-good" in strip
    assert "подтверждено</span>" in strip
    assert 'data-says="Подтверждено: 1 из 1"' in strip
    assert "hx-get" not in strip
    assert 'data-says="Confirmed: 1 of 1"' in desk.client.get("/employees/latest", headers=ENGLISH).text


def test_save_that_is_sent_twice_is_shown_once(desk: Desk) -> None:
    capture = desk.capture()
    for _ in range(2):
        desk.client.post("/employees/", data=typed(capture_id=capture, next="1"))

    assert shown(desk.text("/employees/new")) == ["1"]


def test_who_was_deleted_is_left_out(desk: Desk) -> None:
    add(desk, "1")
    add(desk, "2")

    desk.client.post("/employees/2/delete")

    assert shown(desk.text("/employees/new")) == ["1"]


def test_another_operator_sees_nobody(desk: Desk) -> None:
    add(desk, "1")

    other = client_of(desk.client.application)

    assert shown(other.get("/employees/new").text) == []
    assert other.get("/employees/latest").text.strip() == ""
