"""The page “Administration” shows the settings, without secrets."""

import re
from ipaddress import ip_network

from flask import Flask
from flask.testing import FlaskClient


def test_administration_shows_settings_without_secrets(app: Flask, client: FlaskClient) -> None:
    page = client.get("/administration").text

    assert "HIKFLASK_SESSION_IDLE" in page
    assert app.config["SECRET_KEY"] not in page
    assert app.config["PASSWORD_KEY"] not in page
    assert "DATABASE_URL" not in page


def test_administration_shows_settings_with_their_units(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    app.config |= {"CAPTURE_TIMEOUT": 30.0, "RETRY_BASE": 0.5, "SESSION_IDLE": 7200.0, "RETRY_MAX": 900.0}
    app.config |= {"EVENT_RETENTION": 90, "PHOTO_RETENTION": "30", "HOSTS": []}

    shown = dict(re.findall(r"<code>HIKFLASK_(\w+)</code></th><td>(.*?)</td>", client.get("/administration").text))

    assert shown["TERMINAL_NETWORKS"] == "10.0.0.0/8, fd00::/8"
    assert (shown["CAPTURE_TIMEOUT"], shown["RETRY_BASE"]) == ("30 с", "0,5 с")
    assert (shown["SESSION_IDLE"], shown["RETRY_MAX"]) == ("2 ч", "15 мин")
    assert (shown["EVENT_RETENTION"], shown["PHOTO_RETENTION"]) == ("90 дн.", "30 дн.")
    assert (shown["HOSTS"], shown["API_LIMIT"]) == ("—", "6000 запросов в минуту")
    assert (shown["CONSENT"], shown["WORKER"]) == ("предупреждать, если его нет", "отдельным процессом")


def test_empty_networks_and_a_word_for_a_time_are_readable(app: Flask, client: FlaskClient) -> None:
    app.config |= {"TERMINAL_NETWORKS": (), "PHOTO_RETENTION": "employed"}

    page = client.get("/administration").text

    assert "()" not in page
    assert "<td>пока сотрудник активен</td>" in page
