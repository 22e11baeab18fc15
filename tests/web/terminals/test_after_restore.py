"""A terminal whose data came from a backup says so, and an administrator decides after the comparison."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.employees.lifecycle import set_active
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OLGA
from tests.support.desk import ENGLISH, Desk
from tests.support.enrolments import employee_of, enrol
from tests.support.signed_in import client_of

PAGE = "/terminals/1/after-restore"
SAID = (
    (
        "The data of this terminal came back from a backup made on 27 November 2025 at 06:04. Nothing is written to it "
        "before it was compared and an administrator allowed it.",
        "Nothing is written to “Вход” after the restore from a backup. Compare it; then an administrator allows that "
        "on its page.",
    ),
    (
        "Данные об этом терминале восстановлены из копии, сделанной 27 ноября 2025 г. в 06:04. Программа ничего не "
        "записывает на него, пока его не сверят и администратор не разрешит.",
        "После восстановления из копии программа ничего не записывает на терминал «Вход». Сверьте его; потом "
        "администратор разрешит запись на его странице.",
    ),
)


@pytest.fixture
def settings() -> dict[str, str]:
    return {"TIMEZONE": "Europe/Moscow"}


@pytest.fixture
def restored(app: Flask, desk: Desk, simulator: Simulated, terminal: Terminal) -> Simulated:
    """Ivan left the terminal after the backup, and Olga's removal was open then."""
    with app.app_context():
        enrol(simulator, terminal)
        olga = employee_of(enrol(simulator, terminal, OLGA))
        set_active(olga, active=False)
        simulator.store.remove([IVAN.number])
        moment = datetime(2025, 11, 27, 3, 4, tzinfo=UTC)
        db.session.execute(db.update(Terminal).values(restored_from=moment))
        db.session.commit()
    assert desk
    return simulator


def plain(page: str) -> str:
    return re.sub("[\u2066-\u2069]|</?(?:bdi|time)[^>]*>", "", page)


@pytest.mark.usefixtures("restored")
def test_terminal_and_start_page_say_what_to_do(app: Flask, desk: Desk) -> None:
    for headers, (there, start) in zip((ENGLISH, {}), SAID, strict=True):
        assert there in plain(desk.client.get("/terminals/1", headers=headers).text)
        attention = plain(desk.client.get("/attention", headers=headers).text)
        assert start in attention
        assert f'id="after-restore-1" href="{PAGE}"' in attention
    for role, name in ((OPERATOR, "Борис"), (VIEWER, "Вера")):
        browser = client_of(app, role, name)
        assert "Это делает администратор." in browser.get("/terminals/1").text
        assert browser.post(PAGE).status_code == 403


def test_administrator_allows_it_after_the_comparison(desk: Desk, restored: Simulated) -> None:
    before = desk.text(PAGE)
    assert "После восстановления сверки ещё не было." in before
    assert 'id="allow"' not in before

    desk.client.post("/terminals/1/comparison")
    desk.run_jobs()
    page = plain(desk.client.get(PAGE, headers=ENGLISH).text)

    held, _, removals = page.partition("Will be removed from the terminal")
    assert "The terminal and the backup differ about these employees." in held
    assert IVAN.name in held
    assert IVAN.name not in removals
    assert OLGA.name in removals
    assert "These left before the backup, and are there." in removals
    assert restored.people.keys() == {OLGA.number}

    late = desk.client.post(PAGE, data={"comparison": "99"}, follow_redirects=True)
    assert "За это время здесь что-то изменилось." in late.text or 'id="allow"' in late.text
    (comparison,) = re.findall(r'name="comparison" value="(\d+)"', page)
    done = desk.client.post(PAGE, data={"comparison": comparison})

    assert (done.status_code, done.location) == (303, "/terminals/1/comparison")
    assert desk.client.get(PAGE).location == "/terminals/1"
    start = plain(desk.client.get("/attention", headers=ENGLISH).text)
    assert "“Вход” and the restored backup differ about this employee. Send the employee again, or deactivate." in start
    assert 'id="changed-1-decide"' in start
