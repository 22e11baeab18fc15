"""The page “Administration”: links to its parts, the last backup, and the space on the disks."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from tests.support.desk import ENGLISH
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.made_backups import run_without_backup

LINE = re.compile(r'<div id="(backup|disk-\w+)" class="line line-(\w+)">\s*<p><svg.*?</svg>\s*(.*?)</p>', re.DOTALL)


def lines(client: FlaskClient, language: dict[str, str] | None = ENGLISH) -> dict[str, tuple[str, str]]:
    """What the page says of the backup and of each disk: how it stands, and the sentence."""
    page = client.get("/administration", headers=language).text
    return {name: (tone, re.sub("</?time[^>]*>", "", text)) for name, tone, text in LINE.findall(page)}


def test_old_address_of_the_settings_leads_to_their_page(client: FlaskClient) -> None:
    assert 'href="/administration/settings" id="settings"' in client.get("/administration").text


def test_administration_shows_the_last_backup(app: Flask, client: FlaskClient) -> None:
    assert lines(client, None)["backup"] == ("absent", "Резервных копий ещё нет.")
    app.config["BACKUP_MAX_AGE"] = 48
    assert lines(client)["backup"] == ("absent", "No backup was made yet.")
    with app.app_context():
        run_without_backup(hours=49)
    assert lines(client)["backup"] == ("waiting", "No backup was made yet.")
    members = {"uploads/1_a.jpg": (5, "")}
    manifest = Manifest(datetime.now(UTC), "0018", "sqlite", "", members=members, missing=["2_b.jpg"])

    with app.app_context():
        records.add(manifest, 12_345_678)

    said = "The last backup was made just now: 12.3 MB, 1 photos. Photos whose files were missing: 1."
    assert lines(client)["backup"] == ("waiting", said)
    russian = "Последняя резервная копия сделана только что: 12,3 МБ, фото: 1. Фото без файлов: 1."
    assert lines(client, None)["backup"] == ("waiting", russian)


def test_administration_shows_the_space_on_the_disk(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, tone, text in (
        (None, "confirmed", "51,200 MB of 102,400 MB are free."),
        (GIGABYTE, "waiting", "1,024 MB of 102,400 MB are free."),
        (0, "refused", "0 MB of 102,400 MB are free."),
    ):
        if free is not None:
            let_be_free(monkeypatch, free)

        assert lines(client)["disk-data"] == (tone, f"{tmp_path}: {text}")
