"""The page “Administration” shows every setting in words, with its value and where that comes from, without secrets."""

import re
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.config import SETTINGS
from hikflask.labels import settings as labels
from hikflask.services import audit
from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from hikflask.services.settings import change
from tests.support.desk import ENGLISH
from tests.support.disk_usage import GIGABYTE, let_be_free

ROW = re.compile(r"<code>HIKFLASK_(\w+)</code><br>(.*?)</th>\s*<td>(.*?)</td>\s*<td>\s*(.*?)\s*</td>", re.DOTALL)


def rows(client: FlaskClient, language: dict[str, str] | None = None) -> dict[str, list[str]]:
    """What the page says of each setting: what it does, its value, where it comes from."""
    page = client.get("/administration", headers=language).text
    texts = {name: [re.sub(r"<[^>]*>", " ", text) for text in given] for name, *given in ROW.findall(page)}
    return {name: [" ".join(text.split()) for text in given] for name, given in texts.items()}


def test_every_setting_is_shown_with_what_it_does_in_both_languages(client: FlaskClient) -> None:
    russian, english = rows(client), rows(client, ENGLISH)

    assert set(russian) == set(english) == set(SETTINGS) == set(labels.ABOUT)
    assert english["CONSENT"][0] == "What happens when a photo is taken without recorded consent."
    assert russian["CONSENT"][0] == "Что делать, если сотрудника фотографируют без записанного согласия."
    assert all(about[0].endswith(".") for about in (*russian.values(), *english.values()))


def test_secrets_and_the_databases_password_are_not_shown(app: Flask, client: FlaskClient) -> None:
    app.config["DATABASE_URL"] = "postgresql://hik:hunter2@db/hikflask?password=hunter3"

    page, shown = client.get("/administration").text, rows(client)

    for secret in (app.config["SECRET_KEY"], app.config["PASSWORD_KEY"], "hunter2", "hunter3"):
        assert secret not in page
    assert (shown["SECRET_KEY"][1], shown["PASSWORD_KEY"][1]) == ("не показывается", "не показывается")
    assert shown["DATABASE_URL"][1] == "postgresql://hik:***@db/hikflask"


def test_values_have_their_units(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    app.config |= {"CAPTURE_TIMEOUT": 30.0, "RETRY_BASE": 0.5, "SESSION_IDLE": 7200.0, "RETRY_MAX": 900.0}
    app.config |= {"EVENT_RETENTION": 90, "PHOTO_RETENTION": "30", "HOSTS": []}

    shown = {name: text[1] for name, text in rows(client).items()}

    assert shown["TERMINAL_NETWORKS"] == "10.0.0.0/8, fd00::/8"
    assert (shown["CAPTURE_TIMEOUT"], shown["RETRY_BASE"]) == ("30 с", "0,5 с")
    assert (shown["SESSION_IDLE"], shown["RETRY_MAX"]) == ("2 ч", "15 мин")
    assert (shown["EVENT_RETENTION"], shown["PHOTO_RETENTION"]) == ("90 дн.", "30 дн.")
    assert (shown["HOSTS"], shown["API_LIMIT"]) == ("—", "6000 запросов в минуту")
    assert (shown["CONSENT"], shown["WORKER"]) == ("предупреждать, если его нет", "отдельным процессом")
    assert (shown["COMPARE_AT"], shown["TIMEZONE"]) == ("03:00", "пояс машины")


def test_empty_networks_and_words_are_readable(app: Flask, client: FlaskClient) -> None:
    app.config |= {"TERMINAL_NETWORKS": (), "PHOTO_RETENTION": "employed", "COMPARE_AT": None}

    shown = rows(client)

    assert shown["TERMINAL_NETWORKS"][1] == "—"
    assert shown["PHOTO_RETENTION"][1] == "пока сотрудник активен"
    assert shown["COMPARE_AT"][1] == "никогда"


def test_page_says_where_a_value_comes_from_and_who_changed_it(app: Flask, client: FlaskClient) -> None:
    app.config["SETTING_SOURCES"]["READ_TIMEOUT"] = "file"
    with app.app_context(), audit.acting(audit.Actor("Ольга")):
        change.change("CONSENT", "require")

    russian, english = (
        {name: text[2] for name, text in rows(client, language).items()} for language in (None, ENGLISH)
    )

    assert re.fullmatch(
        r"изменил\(а\): Ольга \d+ \w+ \d{4} г\.,? в [\d:]+ Изменить Согласие на съёмку", russian["CONSENT"]
    )
    assert english["CONSENT"].startswith("changed by Ольга on ")
    assert russian["EVENT_RETENTION"] == "по умолчанию Изменить Срок хранения завершённых съёмок"
    assert (russian["READ_TIMEOUT"], english["READ_TIMEOUT"]) == ("из instance/config.py", "from instance/config.py")
    assert russian["WORKER"] == "задано в окружении машины"
    assert english["WORKER"] == "fixed in the environment of the machine"
    assert english["SWEEP_INTERVAL"] == "default"


def test_administration_shows_the_last_backup(app: Flask, client: FlaskClient) -> None:
    assert '<p id="backup">Резервных копий ещё нет.</p>' in client.get("/administration").text
    app.config["BACKUP_MAX_AGE"] = 48
    assert '<p id="backup" class="note note-warn">No backup was made yet.</p>' in english(client)
    found = {"members": {"uploads/1_a.jpg": (5, "")}, "missing": ["2_b.jpg"]}
    manifest = Manifest(datetime.now(UTC), "0018", "sqlite", "", **found)

    with app.app_context():
        time = records.add(manifest, 12_345_678).finished_at

    at = time.astimezone().strftime("%H:%M")
    said = f"The last backup was made at {at}: 12.3 MB, 1 photos. Photos whose files were missing: 1.</p>"
    assert said in english(client)
    russian = f"Последняя резервная копия сделана в {at}: 12,3 МБ, фото: 1. Фото без файлов: 1.</p>"
    assert russian in client.get("/administration").text


def english(client: FlaskClient) -> str:
    return client.get("/administration", headers={"Accept-Language": "en"}).text


def test_administration_shows_the_space_on_the_disk(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f'<p id="disk-data">{tmp_path}: 51,200 MB of 102,400 MB are free.</p>' in english(client)

    let_be_free(monkeypatch, GIGABYTE)
    little = f"{tmp_path}: 1,024 MB of 102,400 MB are free."
    assert f'<p id="disk-data" class="note note-warn">{little}</p>' in english(client)
    let_be_free(monkeypatch, 0)
    assert f'<p id="disk-data" class="note note-bad">{tmp_path}: 0 MB of 102,400 MB are free.</p>' in english(client)
