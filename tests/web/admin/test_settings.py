"""The page of all settings, and those on which an administrator changes one or gives it back to the default."""

import html
import re
from ipaddress import ip_network

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.config import SETTINGS
from hikflask.services import audit
from hikflask.services.settings import change
from tests.support.desk import ENGLISH
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

ROW = re.compile(r'<li class="setting" id="(\w+)">(.*?)</li>', re.DOTALL)
VALUE = re.compile(r'<div class="setting-value( setting-differs)?">\s*<div>(.*?)</div>')
HINT = re.compile(r'<(?:p|div) class="hint">(.*?)</(?:p|div)>')
ERROR = re.compile(r'<p class="field-error" id="value-error">.*?</svg>(.*?)</p>', re.DOTALL)


def page_of(name: str) -> str:
    return f"/administration/settings/{name}"


def error(page: str) -> str:
    """The one sentence of a refusal, without marks of direction."""
    (found,) = ERROR.findall(page)
    return html.unescape(found).strip().translate(dict.fromkeys([0x2068, 0x2069]))


def shown(client: FlaskClient, language: dict[str, str] | None = None) -> dict[str, tuple[str, str, list[str]]]:
    """What the page says of each setting: what it does, its value, and what else is said of the value."""
    page = re.sub("</?bdi>|[\u2068\u2069]", "", client.get("/administration/settings", headers=language).text)
    rows = {}
    for name, row in ROW.findall(page):
        about, *more = HINT.findall(row)
        rows[name] = (about, VALUE.findall(row)[0][1], more)
    return rows


def values(client: FlaskClient) -> dict[str, str]:
    return {name: value for name, (_, value, _) in shown(client).items()}


def test_every_setting_is_shown_with_what_it_does_in_both_languages(client: FlaskClient) -> None:
    russian, english = shown(client), shown(client, ENGLISH)

    assert set(russian) == set(english) == set(SETTINGS)
    assert english["CONSENT"][0] == "What happens when a photo is taken without recorded consent."
    assert russian["CONSENT"][0] == "Что делать, если сотрудника фотографируют без записанного согласия."
    assert all(about.endswith(".") for about, *_ in (*russian.values(), *english.values()))


def test_terminals_can_tell_by_themselves_once_their_way_here_is_set(app: Flask, client: FlaskClient) -> None:
    refused = client.post(page_of("PASSAGES"), data={"choice": "push"}, headers=ENGLISH)
    assert error(refused.text) == "While terminals tell by themselves, “Terminals reach this server at” must be set."
    named = client.post(page_of("PUSH_ADDRESS"), data={"value": "http://hikflask.example"}, headers=ENGLISH)
    assert error(named.text) == (
        "“Terminals reach this server at” must be an IPv4 address with its port, such as http://192.168.1.5:80; no "
        "name, as terminals resolve none."
    )

    client.post(page_of("PUSH_ADDRESS"), data={"value": "http://192.168.1.5"})
    client.post(page_of("PASSAGES"), data={"choice": "push", "agreed": "y"})
    client.post(page_of("TERMINAL_PICTURES"), data={"choice": "discard"})
    client.post(page_of("TERMINAL_NAMES"), data={"choice": ""})

    assert (app.config["PASSAGES"], app.config["PUSH_ADDRESS"]) == ("push", "http://192.168.1.5:80")
    told = values(client)
    assert (told["TERMINAL_PICTURES"], told["TERMINAL_NAMES"]) == ("терминал их не хранит", "как настроен терминал")


def test_secrets_and_the_databases_password_are_not_shown(app: Flask, client: FlaskClient) -> None:
    app.config["DATABASE_URL"] = "postgresql://hik:hunter2@db/hikflask?password=hunter3"

    page, told = client.get("/administration/settings").text, values(client)

    for secret in (app.config["SECRET_KEY"], app.config["PASSWORD_KEY"], "hunter2", "hunter3"):
        assert secret not in page
    assert (told["SECRET_KEY"], told["PASSWORD_KEY"]) == ("не показывается", "не показывается")
    assert told["DATABASE_URL"] == "postgresql://hik:***@db/hikflask"


def test_values_have_their_units(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    app.config |= {"CAPTURE_TIMEOUT": 30.0, "RETRY_BASE": 0.5, "SESSION_IDLE": 7200.0, "RETRY_MAX": 900.0}
    app.config |= {"EVENT_RETENTION": 90, "PHOTO_RETENTION": "30", "HOSTS": []}

    told = values(client)

    assert told["TERMINAL_NETWORKS"] == "10.0.0.0/8, fd00::/8"
    assert (told["CAPTURE_TIMEOUT"], told["RETRY_BASE"]) == ("30 с", "0,5 с")
    assert (told["SESSION_IDLE"], told["RETRY_MAX"]) == ("2 ч", "15 мин")
    assert (told["EVENT_RETENTION"], told["PHOTO_RETENTION"]) == ("90 дн.", "30 дн.")
    assert (told["HOSTS"], told["API_LIMIT"]) == ("—", "6000 запросов в минуту")
    assert (told["CONSENT"], told["WORKER"]) == ("предупреждать, если его нет", "отдельным процессом")
    assert (told["COMPARE_AT"], told["TIMEZONE"]) == ("03:00", "часовой пояс сервера")


def test_empty_networks_and_words_are_readable(app: Flask, client: FlaskClient) -> None:
    app.config |= {"TERMINAL_NETWORKS": (), "PHOTO_RETENTION": "employed", "COMPARE_AT": None, "MAIL_TO": []}

    told = values(client)

    assert (told["TERMINAL_NETWORKS"], told["PHOTO_RETENTION"]) == ("—", "пока сотрудник активен")
    assert (told["COMPARE_AT"], told["MAIL_TO"]) == ("никогда", "никому")


def test_what_differs_from_the_default_is_marked_with_the_default_and_who_changed_it(
    app: Flask, client: FlaskClient
) -> None:
    app.config["READ_TIMEOUT"], app.config["SETTING_SOURCES"]["READ_TIMEOUT"] = 9.0, "file"
    with app.app_context(), audit.acting(audit.Actor("Ольга")):
        change.change("CONSENT", "require")

    russian, english = (
        {name: more for name, (_, _, more) in shown(client, language).items()} for language in (None, ENGLISH)
    )
    marked = {name for name, row in ROW.findall(client.get("/administration/settings").text) if "differs" in row}

    assert russian["CONSENT"][0] == "по умолчанию: предупреждать, если его нет"
    assert re.fullmatch("изменил\\(а\\): Ольга <time [^>]+>только что</time>", russian["CONSENT"][1])
    assert re.fullmatch("changed by Ольга <time [^>]+>just now</time>", english["CONSENT"][1])
    assert russian["READ_TIMEOUT"] == ["по умолчанию: 8 с", "из instance/config.py"]
    assert english["READ_TIMEOUT"] == ["default: 8 sec", "from instance/config.py"]
    assert russian["CAPTURE_TIMEOUT"][-1] == "задано в окружении сервера"
    assert english["CAPTURE_TIMEOUT"][-1] == "fixed in the environment of the machine"
    assert english["EVENT_RETENTION"] == english["SESSION_IDLE"] == []
    assert marked >= {"CONSENT", "READ_TIMEOUT"}
    assert not marked & {"EVENT_RETENTION", "SESSION_IDLE", "SECRET_KEY", "DATABASE_URL"}


def test_what_cannot_be_changed_here_is_folded_and_has_no_button(client: FlaskClient) -> None:
    page = client.get("/administration/settings").text
    folded = "".join(re.findall(r"<details.*?</details>", page, re.DOTALL))
    buttons = set(re.findall(r'href="/administration/settings/(\w+)"', page))

    assert "/administration/settings/" not in folded
    assert {name for name, _ in ROW.findall(folded)} == set(SETTINGS) - buttons
    assert buttons < {name for name, setting in SETTINGS.items() if setting.decided}
    assert {"CAPTURE_HOLD", "CONSENT"} <= buttons
    assert "CAPTURE_TIMEOUT" not in buttons


def test_setting_is_changed_and_given_back(app: Flask, client: FlaskClient) -> None:
    form = client.get(page_of("CAPTURE_HOLD")).text
    assert 'name="value" value="120"' in form
    assert "Вернуть значение по умолчанию" not in form

    saved = client.post(page_of("CAPTURE_HOLD"), data={"value": " 60 "}, follow_redirects=True).text

    assert "Настройка сохранена." in saved
    assert app.config["CAPTURE_HOLD"] == 60.0
    assert "Изменил(а): Анна" in client.get(page_of("CAPTURE_HOLD")).text
    assert client.post(f"{page_of('CAPTURE_HOLD')}/default").location == "/administration/settings"
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
         "«Ночная сверка» — допустимо: время вида 03:00; пусто — никогда.",
         "“Nightly comparison” must be a time such as 03:00, or empty for never."),
        ("CONSENT", "maybe",
         "«Согласие на съёмку» — допустимо: одно из списка.",
         "“Consent to take a photo” must be one of the list."),
        ("EVENT_RETENTION", "0",
         "«Срок хранения завершённых съёмок» — допустимо: целое число дней, от 1.",
         "“Ended captures are kept” must be whole days, 1 or more."),
        ("CAPTURE_TIMEOUT", "30",
         "Эта настройка задана в окружении сервера. Измените её там.",
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
    russian = "Письма пока не отправляются: задайте HIKFLASK_MAIL_SERVER в окружении сервера."
    english = "No mail goes out yet: set HIKFLASK_MAIL_SERVER in the environment of the machine."

    def warned(address: str, language: dict[str, str] | None = None) -> bool:
        page = client.post(page_of("MAIL_TO"), data={"value": address}, headers=language, follow_redirects=True).text
        return (english if language else russian) in html.unescape(page).translate(dict.fromkeys([0x2068, 0x2069]))

    # It is said before an address is typed, too.
    assert russian in client.get(page_of("MAIL_TO")).text
    assert english in client.get(page_of("MAIL_TO"), headers=ENGLISH).text
    assert russian not in client.get(page_of("EVENT_RETENTION")).text
    assert (warned("a@example.com"), warned("b@example.com", ENGLISH)) == (True, True)
    assert app.config["MAIL_TO"] == ["b@example.com"]
    assert not warned("")
    app.config["MAIL_SERVER"] = "mail.example.com"
    assert not warned("a@example.com")
    assert russian not in client.get(page_of("MAIL_TO")).text


def test_setting_that_the_machine_fixes_has_no_form(client: FlaskClient) -> None:
    page = client.get(page_of("CAPTURE_TIMEOUT")).text

    assert "Эта настройка задана в окружении сервера. Измените её там." in page
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

    assert done.location == "/administration/settings"
    assert app.config["CAPTURE_HOLD"] == 60.0


@pytest.mark.parametrize("name", ["SECRET_KEY", "WORKER", "NOTHING"])
def test_what_no_administrator_decides_has_no_page(app: Flask, client: FlaskClient, name: str) -> None:
    for answer in (client.get(page_of(name)), client.post(page_of(name), data={"value": "1"})):
        assert answer.status_code == 404
    with app.app_context():
        assert change.in_force() == {}
