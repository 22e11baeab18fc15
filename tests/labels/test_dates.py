"""Days and moments on pages: in the page's language and zone, with the year where it is another one."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from markupsafe import Markup

from hikflask import messages
from hikflask.extensions import Base, db
from hikflask.labels import dates
from hikflask.models import ApiToken, AuditEntry, Enrolment, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.enrolment import SOMEBODY_ELSES
from hikflask.services.accounts import api_tokens
from hikflask.services.core.dates import end_of, start_of, today
from tests.support.desk import ENGLISH, Desk
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

NOON_UTC = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)
LATER = datetime(2099, 11, 25, 8, 25, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "Europe/Moscow"}


@pytest.fixture
def russian(app: Flask) -> Iterator[None]:
    with app.test_request_context(), force_locale("ru"):
        yield


MOSCOW, NEW_YORK = "Europe/Moscow", "America/New_York"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # 15:00 in Moscow, 07:00 in New York
LATE = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # 01:30 of the next day in Moscow
NEW_YEAR = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
# When it is, where, and the moment; as it is said in Russian and in English, alone and after “since”.
MOMENTS = {
    "today": (
        (NOW, MOSCOW, datetime(2026, 11, 25, 8, 25, tzinfo=UTC)),
        ("в 11:25", "11:25"),
        ("at 11:25", "11:25"),
    ),
    "yesterday": (
        (NOW, MOSCOW, datetime(2026, 11, 24, 8, 25, tzinfo=UTC)),
        ("вчера в 11:25", "11:25 24 ноября"),
        ("yesterday at 11:25", "11:25 on 24 November"),
    ),
    "tomorrow": (
        (NOW, MOSCOW, datetime(2026, 11, 25, 21, 5, tzinfo=UTC)),
        ("завтра в 00:05", "00:05 26 ноября"),
        ("tomorrow at 00:05", "00:05 on 26 November"),
    ),
    "this year": (
        (NOW, MOSCOW, datetime(2026, 11, 23, 8, 25, tzinfo=UTC)),
        ("23 ноября в 11:25", "11:25 23 ноября"),
        ("on 23 November at 11:25", "11:25 on 23 November"),
    ),
    "last year": (
        (NOW, MOSCOW, datetime(2025, 11, 25, 8, 25, tzinfo=UTC)),
        ("25 ноября 2025 г. в 11:25", "11:25 25 ноября 2025 года"),
        ("on 25 November 2025 at 11:25", "11:25 on 25 November 2025"),
    ),
    "today in UTC, yesterday here": (
        (NOW, NEW_YORK, datetime(2026, 11, 25, 3, 25, tzinfo=UTC)),
        ("вчера в 22:25", "22:25 24 ноября"),
        ("yesterday at 22:25", "22:25 on 24 November"),
    ),
    "today in UTC, yesterday here since midnight": (
        (LATE, MOSCOW, datetime(2026, 11, 25, 8, 25, tzinfo=UTC)),
        ("вчера в 11:25", "11:25 25 ноября"),
        ("yesterday at 11:25", "11:25 on 25 November"),
    ),
    "yesterday in UTC, today here": (
        (NOW, MOSCOW, datetime(2026, 11, 24, 22, 25, tzinfo=UTC)),
        ("в 01:25", "01:25"),
        ("at 01:25", "01:25"),
    ),
    "last year in UTC, today here": (
        (NEW_YEAR, MOSCOW, datetime(2025, 12, 31, 22, 25, tzinfo=UTC)),
        ("в 01:25", "01:25"),
        ("at 01:25", "01:25"),
    ),
    "this year in UTC, last year here": (
        (NEW_YEAR, NEW_YORK, datetime(2026, 1, 1, 3, 25, tzinfo=UTC)),
        ("вчера в 22:25", "22:25 31 декабря 2025 года"),
        ("yesterday at 22:25", "22:25 on 31 December 2025"),
    ),
}


@pytest.mark.parametrize(("when", "russian", "english"), MOMENTS.values(), ids=MOMENTS)
def test_moment_is_said_in_a_whole_sentence(
    app: Flask, when: tuple[datetime, str, datetime], russian: tuple[str, str], english: tuple[str, str]
) -> None:
    now, app.config["TIMEZONE"], moment = when

    with app.test_request_context():
        assert sentences("ru", moment, now) == (
            f"Есть на терминале «Вход»: сотрудник и лицо. Проверено {russian[0]}.",
            f"«Вход» не отвечает. Программа повторит попытку {russian[0]}. Данные сохранены.",
            f"Доступ ещё не снят: «Вход» (нет связи с {russian[1]})",
        )
        assert sentences("en", moment, now) == (
            f"On “Вход”: person and face. Checked {english[0]}.",
            f"“Вход” does not answer. The next try is {english[0]}. Nothing is lost.",
            f"May still open doors: “Вход” (offline since {english[1]})",
        )


def sentences(chosen: str, moment: datetime, now: datetime) -> tuple[str, ...]:
    """Say in a language when something was, when it will be, and since when it is."""
    with force_locale(chosen):
        at, since = dates.time_at(moment, now), dates.time_since(moment, now)
        said = (
            messages.sentence("enrolment_confirmed", t="Вход", time=at),
            messages.sentence("enrolment_waiting", t="Вход", time=at),
            messages.sentence("removal_open", t="Вход", time=since),
        )
        return tuple(re.sub("<[^>]+>", "", sentence) for sentence in said)


def test_time_in_a_sentence_stays_an_element_and_texts_of_others_stay_text(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        said = messages.sentence("removal_open", t="<b>", time=dates.time_since(NOON_UTC, NOW))

    assert isinstance(said, Markup)
    assert "“&lt;b&gt;” (offline since <time " in re.sub("[\u2066-\u2069]", "", said)


def test_what_was_within_an_hour_is_so_many_minutes_ago(app: Flask) -> None:
    for minutes, russian, english in [
        (-0.5, "только что", "just now"),
        (0.5, "только что", "just now"),
        (1.5, "1 минуту назад", "1 minute ago"),
        (59.9, "59 минут назад", "59 minutes ago"),
        (60, "в 14:00", "at 14:00"),
        (-5, "в 15:05", "at 15:05"),
        (24 * 60, "вчера в 15:00", "yesterday at 15:00"),
    ]:
        moment = NOW - timedelta(minutes=minutes)

        with app.test_request_context():
            for chosen, said in (("ru", russian), ("en", english)):
                with force_locale(chosen):
                    assert dates.time_ago(moment, NOW).striptags() == said


def test_moment_is_an_element_with_its_day_and_second(app: Flask) -> None:
    moment = datetime(2026, 11, 25, 11, 55, 3, tzinfo=UTC)
    when = 'datetime="2026-11-25T14:55:03+03:00" title="25 ноября 2026 г., 14:55:03"'

    with app.test_request_context(), force_locale("ru"):
        assert dates.time_ago(moment, NOW) == f'<time {when} data-minutes="4" data-at="в 14:55">4 минуты назад</time>'
        assert dates.time_at(moment, NOW) == f"<time {when}>в 14:55</time>"
        assert dates.time_since(moment, NOW) == f"<time {when}>14:55</time>"
        assert dates.full_time(moment) == "25 ноября 2026 г., 14:55:03"


@pytest.mark.usefixtures("russian")
def test_end_at_midnight_is_the_day_before_and_included() -> None:
    assert dates.valid_until(end_of(date(2027, 6, 1))) == "1 июня 2027 г. включительно"
    assert dates.valid_until(datetime(2027, 11, 25, 7, 27, tzinfo=UTC)) == "10:27 25 ноября 2027 года"


@pytest.mark.usefixtures("russian")
def test_paper_names_the_zone_as_people_do(app: Flask) -> None:
    for zone, said in [
        ("UTC", "10 марта 2025 г. в 12:00:00 UTC"),
        ("Europe/London", "10 марта 2025 г. в 12:00:00 UTC"),
        ("Europe/Moscow", "10 марта 2025 г. в 15:00:00 UTC+03:00"),
        ("America/St_Johns", "10 марта 2025 г. в 09:30:00 UTC-02:30"),
    ]:
        app.config["TIMEZONE"] = zone

        assert dates.paper_time(NOON_UTC) == said


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is that of Tokyo."""
    with monkeypatch.context() as here:
        here.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("russian", "machine_in_tokyo")
def test_without_a_setting_times_are_in_the_machines_own_zone(app: Flask) -> None:
    app.config["TIMEZONE"] = ""

    assert dates.paper_time(NOON_UTC) == "10 марта 2025 г. в 21:00:00 UTC+09:00"
    assert start_of(date(2025, 3, 11)) == datetime(2025, 3, 10, 15, 0, tzinfo=UTC)
    assert today(datetime(2025, 3, 10, 16, 0, tzinfo=UTC)) == date(2025, 3, 11)


def test_token_says_its_last_day_and_works_until_it_is_over_here(app: Flask, client: FlaskClient) -> None:
    last = language_today(app) + timedelta(days=40)
    client.post("/tokens/", data={"name": "Кадры", "role": VIEWER, "expires_on": last.isoformat()})

    with app.app_context():
        token = next(one for one in api_tokens.list_all() if one.name == "Кадры")
        noted = db.session.execute(db.select(AuditEntry).where(AuditEntry.subject == "Кадры")).scalar_one()
        db.session.commit()
        assert token.expires_at == datetime(last.year, last.month, last.day, 21, tzinfo=UTC)
        assert noted.after["expires_at"] == token.expires_at.isoformat()
    for page in (client.get("/tokens/").text, client.get("/audit/").text):
        assert f"{last.day} " in page
        assert f"{last.year} г. включительно" in page
    assert f"{last.year} inclusive" in client.get("/tokens/", headers=ENGLISH).text


def test_token_that_ends_within_a_day_says_when(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        api_tokens.create("Кадры", VIEWER, datetime.now(UTC) + timedelta(days=1))
        of_token = db.update(ApiToken).where(ApiToken.name == "Кадры")
        used = of_token.values(last_used_at=NOON_UTC, expires_at=datetime(2099, 11, 25, 7, 27, tzinfo=UTC))
        db.session.execute(used)
        db.session.commit()

    page = re.sub("</?time[^>]*>", "", client.get("/tokens/").text)
    assert "действует до 10:27 25 ноября 2099 года · последнее обращение 10 марта 2025 г. в 15:00 ·" in page
    page = re.sub("</?time[^>]*>", "", client.get("/tokens/", headers=ENGLISH).text)
    assert "valid until 10:27 on 25 November 2099 · last used on 10 March 2025 at 15:00 ·" in page


def said_on(desk: Desk, address: str) -> tuple[str, str]:
    """The page in Russian and in English, without its marks and line ends."""
    pages = (desk.text(address), desk.client.get(address, headers=ENGLISH).text)
    russian, english = (" ".join(unescape(re.sub(r"<[^>]*>", "", page)).split()) for page in pages)
    return russian, english


def put(app: Flask, model: type[Base], **columns: Any) -> None:
    """Change all rows of a table."""
    with app.app_context():
        db.session.execute(db.update(model).values(**columns))
        db.session.commit()


def test_employees_page_says_when_it_was_confirmed(desk: Desk, app: Flask) -> None:
    place = desk.save()
    put(app, Enrolment, confirmed_at=NOON_UTC)

    russian, english = said_on(desk, place)

    assert "Вход подтверждено сотрудник и лицо Проверено 10 марта 2025 г. в 15:00" in russian
    assert "Вход confirmed person and face Checked on 10 March 2025 at 15:00" in english


def test_employees_page_says_when_it_is_tried_again(desk: Desk, app: Flask) -> None:
    place = desk.save()
    put(app, Enrolment, face="pending", confirmed_photo_id=None, refusal=refusal("unreachable"), next_attempt_at=LATER)

    russian, english = said_on(desk, place)
    assert "«Вход» не отвечает. Программа повторит попытку 25 ноября 2099 г. в 11:25. Данные сохранены." in russian
    assert "“Вход” does not answer. The next try is on 25 November 2099 at 11:25. Nothing is lost." in english

    put(app, Enrolment, refusal=refusal("other_device"))
    russian, english = said_on(desk, place)
    assert "на нём вручную. Программа повторит попытку 25 ноября 2099 г. в 11:25. Данные сохранены." in russian
    assert "there by hand. The next try is on 25 November 2099 at 11:25. Nothing is lost." in english


def test_open_removal_says_since_when_and_when_it_is_tried_again(desk: Desk, app: Flask) -> None:
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    put(app, Enrolment, desired_since=NOON_UTC, next_attempt_at=LATER, tried_at=NOON_UTC)
    put(app, Terminal, offline_since=NOON_UTC)

    for address in (place, "/removals/"):
        russian, english = said_on(desk, address)
        assert "Доступ ещё не снят: «Вход» (нет связи с 15:00 10 марта 2025 года)" in russian
        assert "May still open doors: “Вход” (offline since 15:00 on 10 March 2025)" in english
        assert "Попытка 10 марта 2025 г. в 15:00: «Вход» не отвечает по адресу http://terminal.test." in russian
        assert "Tried on 10 March 2025 at 15:00: “Вход” does not answer at http://terminal.test." in english
    assert "Открыто с 15:00 10 марта 2025 года. Программа повторит попытку 25 ноября 2099 г. в 11:25." in russian
    assert "Open since 15:00 on 10 March 2025. The next try is on 25 November 2099 at 11:25." in english


@pytest.mark.parametrize(
    ("word", "russian_text", "english_text"),
    [
        (
            {},
            "Вход удалён Проверено 10 марта 2025 г. в 15:00",
            "Вход removed Checked on 10 March 2025 at 15:00",
        ),
        (
            {"confirmed_by": "Анна"},
            "На терминале «Вход» больше нет: так сообщил оператор (Анна, 10 марта 2025 г. в 15:00). "
            "Само устройство этого не подтверждало.",
            "Not on “Вход” any more, as Анна said on 10 March 2025 at 15:00. The device itself did not confirm it.",
        ),
        (
            {"confirmed_by": "Анна", "confirmation_note": "украден"},
            "Удалён с терминала «Вход» со слов администратора (Анна, 10 марта 2025 г. в 15:00): «украден». "
            "Само устройство этого не подтвердило.",
            "Not on “Вход” any more, as Анна stated on 10 March 2025 at 15:00: “украден”. "
            "The device itself did not confirm it.",
        ),
        (
            {"confirmed_by": "Анна", "confirmation_note": SOMEBODY_ELSES},
            "Запись под этим ID на терминале «Вход» принадлежит другому человеку: так сообщил оператор "
            "(Анна, 10 марта 2025 г. в 15:00). Она остаётся; терминал удаления не подтверждал.",
            "The record under this ID on “Вход” is somebody else's, as Анна said on 10 March 2025 at 15:00. "
            "It stays there; the terminal did not confirm a removal.",
        ),
    ],
)
def test_who_is_gone_is_said_with_when_and_by_whose_word(
    desk: Desk, app: Flask, word: dict[str, str], russian_text: str, english_text: str
) -> None:
    place = desk.save()
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    put(app, Enrolment, confirmed_at=NOON_UTC, **word)

    russian, english = said_on(desk, place)

    assert russian_text in russian
    assert english_text in english


def test_terminals_page_says_when_it_was_checked_and_taken_out_of_service(desk: Desk, app: Flask) -> None:
    put(app, Terminal, retired_at=NOON_UTC, retired_note="украден", is_active=False, checked_at=NOON_UTC)

    russian, english = said_on(desk, "/terminals/1")

    assert (
        "Выведен из эксплуатации 10 марта 2025 г. в 15:00: «украден». Программа больше ничего ему не отправляет."
        in russian
    )
    assert "Последняя удачная проверка10 марта 2025 г. в 15:00" in russian
    assert "Taken out of service for good on 10 March 2025 at 15:00: “украден”. Nothing more is sent to it." in english
    assert "Last successful checkon 10 March 2025 at 15:00" in english


def test_token_without_a_day_lasts_a_year(app: Flask, client: FlaskClient) -> None:
    assert f'value="{language_today(app) + timedelta(days=365)}"' in client.get("/tokens/").text


@pytest.mark.parametrize("days", [0, 3660])
def test_token_may_end_today_and_within_ten_years(app: Flask, days: int) -> None:
    last = language_today(app) + timedelta(days=days)

    client_of(app).post("/tokens/", data={"name": "Кадры", "role": VIEWER, "expires_on": last.isoformat()})

    with app.app_context():
        assert db.session.execute(db.select(ApiToken).where(ApiToken.name == "Кадры")).scalar_one().revoked_at is None


def language_today(app: Flask) -> date:
    with app.app_context():
        return today()
