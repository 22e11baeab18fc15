"""Everybody on one terminal: how many there are, a plan, and the job."""

from flask import Flask

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import registry
from tests.support.desk import Desk
from tests.support.filled_forms import form_to


def test_page_counts_plans_and_enrols_everybody(app: Flask, desk: Desk) -> None:
    with app.app_context():
        for number in range(3):
            save_employee(Draft(f"N{number}", f"Иван {number}"))
    page = desk.text("/terminals/1")
    assert "3 активных сотрудника не записаны на него." in page

    draft = form_to(page, "/terminals/1/everybody").send(desk.client)
    shown = desk.text(draft.location)
    assert "3 сотрудника должны подойти к камере." in shown
    assert desk.run_jobs() == 0

    started = form_to(shown, f"{draft.location}/start").send(desk.client)
    while desk.run_jobs():
        pass

    assert started.location == draft.location
    assert desk.simulator.people.keys() == {"N0", "N1", "N2"}
    page = desk.text("/terminals/1")
    assert "Все активные сотрудники записаны на него." in page
    assert "Нужно сфотографировать: 3." in page
    assert 'id="round" href="/terminals/1/round"' in page


def test_terminal_that_is_not_in_use_is_refused(app: Flask, desk: Desk) -> None:
    with app.app_context():
        off = registry.add(registry.Access("Склад", "http://away.test", "admin", "x", is_active=False))

    answer = desk.client.post(f"/terminals/{off.id}/everybody", follow_redirects=True)

    assert "Такого терминала нет" in answer.text
    assert "everybody" not in answer.text
