"""A consent's form while somebody else records or withdraws the consent: nothing is replaced without being shown."""

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from tests.support.between import Between
from tests.support.filled_forms import Filled, form_to, words

FORM = "/employees/1/consent"
BORIS = Given(date(2026, 3, 1), "law", "папка 7")


@pytest.fixture
def form(app: Flask, client: FlaskClient) -> Filled:
    """The form of an employee without a consent, as a page shows it."""
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))
    return form_to(client.get(FORM).text, FORM)


def record(app: Flask) -> None:
    with app.app_context():
        consents.record(1, BORIS)


def recorded(app: Flask) -> Given | None:
    with app.app_context():
        consent = consents.get(1)
        return Given(consent.given_on, consent.basis, consent.note) if consent else None


CONFLICT = {
    "ru": "Пока форма была открыта, кто-то другой изменил эти данные. Ничего ещё не сохранено: «Сохранить» запишет то, "
    "что введено здесь. Дата: сохранено «1 марта 2026», здесь введено «2 марта 2026». Основание: сохранено "
    "«Закон», здесь введено «Согласие сотрудника». Примечание: сохранено «папка 7», здесь введено «—».",
    "en": "Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here. "
    "Given on: “1 March 2026” is saved, “2 March 2026” is typed here. Basis: “Law” is saved, “Consent of the employee” "
    "is typed here. Note: “папка 7” is saved, “—” is typed here.",
}


def test_consent_that_somebody_else_recorded_is_shown_and_replaced_by_a_second_press(
    app: Flask, client: FlaskClient, form: Filled
) -> None:
    record(app)

    for language, sentence in CONFLICT.items():
        shown = form.send(client, {"Accept-Language": language}, given_on="2026-03-02")

        assert (shown.status_code, recorded(app)) == (409, BORIS)
        assert sentence in words(shown)
    assert form_to(shown.text, FORM).send(client).status_code == 303
    assert recorded(app) == Given(date(2026, 3, 2))


@pytest.mark.both_databases
def test_consent_that_comes_after_the_form_was_compared_is_not_replaced(
    app: Flask, client: FlaskClient, form: Filled, between: Between
) -> None:
    other = between(consents, "record", lambda: record(app), before=True)

    answer = form.send(client, given_on="2026-03-02")

    other.finish()
    assert (answer.status_code, other.error, recorded(app)) == (409, None, BORIS)


def test_consent_that_is_withdrawn_meanwhile_is_not_recorded_again_unasked(
    app: Flask, client: FlaskClient, form: Filled
) -> None:
    form.send(client, given_on="2026-03-01")
    opened = form_to(client.get(FORM).text, FORM)
    with app.app_context():
        consents.withdraw(1)

    answer = opened.send(client, note="папка 8")

    assert (answer.status_code, recorded(app)) == (409, None)
    assert "Дата: сохранено «—», здесь введено «1 марта 2026»." in words(answer)
