"""The pages on which an administrator changes a setting or gives it back to the default."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.settings import change
from tests.support.desk import ENGLISH
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

ERROR = re.compile(r'<p class="field-error" id="value-error">.*?</svg>(.*?)</p>', re.DOTALL)


def page_of(name: str) -> str:
    return f"/administration/settings/{name}"


def error(page: str) -> str:
    """The one sentence of a refusal, without marks of direction."""
    (found,) = ERROR.findall(page)
    return html.unescape(found).strip().translate(dict.fromkeys([0x2068, 0x2069]))


def test_setting_is_changed_and_given_back(app: Flask, client: FlaskClient) -> None:
    form = client.get(page_of("CAPTURE_HOLD")).text
    assert 'name="value" value="120"' in form
    assert "Вернуть значение по умолчанию" not in form

    saved = client.post(page_of("CAPTURE_HOLD"), data={"value": " 60 "}, follow_redirects=True).text

    assert "Сохранено: Удержание терминала несохранённым снимком." in saved
    assert app.config["CAPTURE_HOLD"] == 60.0
    assert "Изменил(а): Анна" in client.get(page_of("CAPTURE_HOLD")).text
    assert client.post(f"{page_of('CAPTURE_HOLD')}/default").location == "/administration"
    assert app.config["CAPTURE_HOLD"] == 120.0
    trail = client.get("/audit/").text
    assert "Настройка изменена" in trail
    assert "Удержание терминала несохранённым снимком" in trail


def test_word_is_chosen_or_a_number_typed(app: Flask, client: FlaskClient) -> None:
    assert '<option value="employed" selected>' in client.get(page_of("PHOTO_RETENTION")).text

    client.post(page_of("PHOTO_RETENTION"), data={"choice": "number", "value": "30"})
    days = client.get(page_of("PHOTO_RETENTION")).text
    client.post(page_of("CONSENT"), data={"choice": "require"})

    assert (app.config["PHOTO_RETENTION"], app.config["CONSENT"]) == ("30", "require")
    assert '<option value="number" selected>' in days
    assert 'name="value" value="30"' in days
    client.post(page_of("PHOTO_RETENTION"), data={"choice": "never", "value": "30"})
    assert app.config["PHOTO_RETENTION"] == "never"


def test_refusal_names_the_field_in_both_languages_and_keeps_what_was_typed(app: Flask, client: FlaskClient) -> None:
    cases = [
        ("AUDIT_RETENTION", "7",
         "База сама хранит записи журнала действий 30 дней. Введите не меньше.",
         "The database itself keeps entries of the audit trail for 30 days. Enter so many days or more."),
        ("CAPTURE_RETENTION", "60",
         "«Срок хранения несохранённых снимков» не может быть меньше, чем «Удержание терминала несохранённым снимком» "
         "(120 с): снимок удалится раньше времени.",
         "“Unsaved pictures are kept” must not be less than “An unsaved picture holds its terminal”, which is 120 s: "
         "it would go too early."),
        ("COMPARE_AT", "noon",
         "«Ночное сравнение» — допустимо: время вида 03:00; пусто — никогда.",
         "“Nightly comparison” must be a time such as 03:00, or empty for never."),
        ("CONSENT", "maybe",
         "«Согласие на съёмку» — допустимо: одно из списка.",
         "“Consent to take a photo” must be one of the list."),
        ("EVENT_RETENTION", "0",
         "«Срок хранения завершённых съёмок» — допустимо: целое число дней, от 1.",
         "“Ended captures are kept” must be whole days, 1 or more."),
        ("CAPTURE_TIMEOUT", "30",
         "Эта настройка задана в окружении машины. Измените её там.",
         "This setting is fixed in the environment of the machine. Change it there."),
        ("MAIL_TO", ",".join(f"{n}.petrov@mail.example.ru" for n in range(8)),
         "«Кому приходят письма о тревогах» — слишком длинно: не больше 200 символов, с запятой и пробелом между "
         "адресами.",
         "“Alarms are mailed to” is too long: at most 200 characters, with a comma and a space between addresses."),
        ("EVENT_RETENTION", "x" * 201,
         "Поле «Значение» слишком длинное: не больше 200 символов.",
         "“Value” is too long: at most 200 characters."),
    ]  # fmt: skip
    before = {name: app.config[name] for name, *_ in cases}
    for name, text, russian, english in cases:
        for said, language in ((russian, None), (english, ENGLISH)):
            answer = client.post(page_of(name), data={"value": text}, headers=language)

            assert answer.status_code == 422, name
            if name == "CAPTURE_TIMEOUT":
                assert said in answer.text
                continue
            assert error(answer.text) == said
            assert name == "CONSENT" or f'value="{text}"' in answer.text
    assert {name: app.config[name] for name in before} == before


def test_addresses_without_a_mail_server_are_saved_with_a_warning(app: Flask, client: FlaskClient) -> None:
    russian = "Письма пока не отправляются: задайте HIKFLASK_MAIL_SERVER в окружении машины."
    english = "No mail goes out yet: set HIKFLASK_MAIL_SERVER in the environment of the machine."

    def warned(address: str, language: dict[str, str] | None = None) -> bool:
        page = client.post(page_of("MAIL_TO"), data={"value": address}, headers=language, follow_redirects=True).text
        return (english if language else russian) in html.unescape(page).translate(dict.fromkeys([0x2068, 0x2069]))

    assert (warned("a@example.com"), warned("b@example.com", ENGLISH)) == (True, True)
    assert app.config["MAIL_TO"] == ["b@example.com"]
    assert not warned("")
    app.config["MAIL_SERVER"] = "mail.example.com"
    assert not warned("a@example.com")


def test_setting_that_the_machine_fixes_has_no_form(client: FlaskClient) -> None:
    page = client.get(page_of("CAPTURE_TIMEOUT")).text

    assert "Эта настройка задана в окружении машины. Измените её там." in page
    assert 'name="value"' not in page


def test_reset_that_contradicts_is_refused_with_the_reason(app: Flask, client: FlaskClient) -> None:
    for name, text in (("CAPTURE_RETENTION", "8000"), ("CAPTURE_HOLD", "7200")):
        client.post(page_of(name), data={"value": text})

    answer = client.post(f"{page_of('CAPTURE_RETENTION')}/default", headers=ENGLISH)

    assert answer.status_code == 422
    assert error(answer.text).startswith("“Unsaved pictures are kept” must not be less than")
    assert app.config["CAPTURE_RETENTION"] == 8000.0


def test_password_is_asked_for_and_nothing_typed_is_lost(app: Flask) -> None:
    client = client_of(app, confirmed=False)

    asked = client.post(page_of("CAPTURE_HOLD"), data={"value": "60"})
    assert asked.status_code == 403
    assert app.config["CAPTURE_HOLD"] == 120.0
    done = client.post(page_of("CAPTURE_HOLD"), data={"value": "60", "own_password": OPERATOR_PASSWORD})

    assert done.location == "/administration"
    assert app.config["CAPTURE_HOLD"] == 60.0


@pytest.mark.parametrize("name", ["SECRET_KEY", "WORKER", "NOTHING"])
def test_what_no_administrator_decides_has_no_page(app: Flask, client: FlaskClient, name: str) -> None:
    for answer in (client.get(page_of(name)), client.post(page_of(name), data={"value": "1"})):
        assert answer.status_code == 404
    with app.app_context():
        assert change.in_force() == {}
