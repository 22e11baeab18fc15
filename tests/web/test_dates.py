"""Days and moments as the pages say them: in the language and the zone of the page, with the year of another year."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from hikflask.extensions import db
from hikflask.models import ApiToken, AuditEntry
from hikflask.models.operator import VIEWER
from hikflask.services import tokens
from hikflask.web import language
from tests.signed_in import client_of
from tests.web.conftest import ENGLISH

NOON_UTC = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "Europe/Moscow"}


@pytest.fixture
def russian(app: Flask) -> Iterator[None]:
    with app.test_request_context(), force_locale("ru"):
        yield


@pytest.mark.usefixtures("russian")
def test_moment_of_another_year_shows_the_year() -> None:
    now = datetime.now(UTC)
    this_year = now.replace(month=1 if now.month > 6 else 12, day=15, hour=12, minute=0)

    assert language.local_time(now) == f"{now + timedelta(hours=3):%H:%M}"
    assert language.local_time(NOON_UTC) == "10 мар. 2025, 15:00"
    assert str(now.year) not in language.local_time(this_year)


@pytest.mark.usefixtures("russian")
def test_end_at_midnight_is_the_day_before_and_included() -> None:
    assert language.valid_until(language.end_of(date(2027, 6, 1))) == "1 июня 2027 г. включительно"
    assert language.valid_until(datetime(2027, 11, 25, 7, 27, tzinfo=UTC)) == "25 нояб. 2027, 10:27"


@pytest.mark.usefixtures("russian")
@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "10 марта 2025, 12:00:00 UTC"),
        ("Europe/London", "10 марта 2025, 12:00:00 UTC"),
        ("Europe/Moscow", "10 марта 2025, 15:00:00 UTC+03:00"),
        ("America/St_Johns", "10 марта 2025, 09:30:00 UTC-02:30"),
    ],
)
def test_paper_names_the_zone_as_people_do(app: Flask, zone: str, said: str) -> None:
    app.config["TIMEZONE"] = zone

    assert language.paper_time(NOON_UTC) == said


def test_token_says_its_last_day_and_works_until_it_is_over_here(app: Flask, client: FlaskClient) -> None:
    last = language_today(app) + timedelta(days=40)
    client.post("/tokens/", data={"name": "Кадры", "role": VIEWER, "expires_on": last.isoformat()})

    with app.app_context():
        token = next(one for one in tokens.everyone() if one.name == "Кадры")
        noted = db.session.execute(db.select(AuditEntry).where(AuditEntry.subject == "Кадры")).scalar_one()
        db.session.commit()
        assert token.expires_at == datetime(last.year, last.month, last.day, 21, tzinfo=UTC)
        assert token.expires_at.isoformat() in noted.after
    for page in (client.get("/tokens/").text, client.get("/audit/").text):
        assert f"{last.day} " in page
        assert f"{last.year} г. включительно" in page
    assert f"{last.year} inclusive" in client.get("/tokens/", headers=ENGLISH).text


def test_token_of_next_year_does_not_look_expired(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        tokens.create("Кадры", VIEWER, datetime.now(UTC) + timedelta(days=365))
        year = (datetime.now(UTC) + timedelta(days=365, hours=3)).year

    assert f" {year}, " in client.get("/tokens/").text.partition("Кадры")[2].partition("</li>")[0]


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
        return language.today()
