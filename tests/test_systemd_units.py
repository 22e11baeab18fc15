"""The systemd units as they are shipped: well-formed, walled in, and with the settings that an owner has to name."""

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Config

from hikflask import config
from hikflask.config import SETTINGS

ROOT = Path(__file__).parents[1]
UNITS = ("hikflask.service", "hikflask-worker.service", "hikflask-backup.service")
TIMER = "hikflask-backup.timer"
MAX_EXPOSED = 2.0
SAME = re.compile(r"^# What follows is the same in .*$", re.MULTILINE)
GUNICORN = {"HIKFLASK_BIND", "HIKFLASK_THREADS", "HIKFLASK_PROCESSES"}


def text_of(name: str) -> str:
    return (ROOT / "deploy" / name).read_text(encoding="utf-8")


def values(unit: str, key: str) -> list[str]:
    """The values of a key, in their order."""
    return re.findall(rf"^{key}=(.*)$", text_of(unit), re.MULTILINE)


def environment(unit: str) -> dict[str, str]:
    """What a unit sets by itself."""
    return dict(pair.split("=", 1) for line in values(unit, "Environment") for pair in line.split())


def owners_settings() -> dict[str, str]:
    """What the owner's file sets, as a shell and systemd read it."""
    return dict(re.findall(r"^(\w+)=(.*)$", text_of("hikflask.env"), re.MULTILINE))


@pytest.fixture
def analyze() -> str:
    """systemd-analyze; skips without it, save in CI."""
    found = shutil.which("systemd-analyze")
    if found is None:
        assert not os.environ.get("CI"), "systemd must be installed in CI"
        pytest.skip("systemd-analyze is not installed")
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_unit_is_little_exposed(analyze: str, unit: str) -> None:
    command = [analyze, "security", "--offline=true", "--no-pager", str(ROOT / "deploy" / unit)]

    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout

    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert score, said
    assert float(score[1]) <= MAX_EXPOSED, said


def test_units_are_well_formed(analyze: str, tmp_path: Path) -> None:
    for unit in (*UNITS, TIMER):
        # The programs are not installed here.
        text = re.sub(r"/opt/hikflask/current/bin/\w+", shutil.which("true") or "", text_of(unit))
        (tmp_path / unit).write_text(text)

    command = [analyze, "verify", "--man=no", *(str(tmp_path / unit) for unit in (*UNITS, TIMER))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_all_units_have_the_same_walls() -> None:
    parts = [SAME.split(text_of(unit).partition("\n[Install]")[0].rstrip()) for unit in UNITS]

    assert [len(part) for part in parts] == [2, 2, 2]
    assert len({part[1] for part in parts}) == 1


def test_backup_is_made_each_night_where_the_guides_say() -> None:
    unit, folder = "hikflask-backup.service", "/var/lib/hikflask-backups"

    assert values(unit, "ExecStart") == [f"/opt/hikflask/current/bin/hikflask backup --into {folder}"]
    assert values(unit, "StateDirectory") == ["hikflask-backups", "hikflask"]
    assert values(TIMER, "OnCalendar") == ["*-*-* 02:00:00"]
    assert values(TIMER, "WantedBy") == ["timers.target"]
    for language in ("en", "ru"):
        guide = text_of(f"../docs/{language}/backup.md")
        assert f"`{folder}`" in guide
        assert f"`{TIMER}`" in guide


@pytest.mark.parametrize(("unit", "megabytes"), [("hikflask.service", 1200), ("hikflask-worker.service", 1000)])
def test_memory_is_limited_as_the_guides_say_and_nobody_else_reads_what_is_stored(unit: str, megabytes: int) -> None:
    assert values(unit, "MemoryMax") == [f"{megabytes}M"]
    assert f"{megabytes} MB" in text_of("../docs/en/running.md")
    assert f"{megabytes} МБ" in text_of("../docs/ru/running.md")
    assert environment(unit)["MALLOC_ARENA_MAX"] == "2"
    assert (values(unit, "StateDirectoryMode"), values(unit, "UMask")) == (["0700"], ["0077"])


def test_what_gives_no_sign_is_started_anew_as_the_guides_say() -> None:
    for unit, seconds in (("hikflask.service", 60), ("hikflask-worker.service", 90)):
        assert values(unit, "Type") == ["notify"]
        assert values(unit, "WatchdogSec") == [str(seconds)]
        # A core would hold keys and faces.
        assert values(unit, "WatchdogSignal") == ["SIGKILL"]
        # It works again within two minutes, of which half of one is for the start.
        assert seconds + int(values(unit, "RestartSec")[0]) <= 120 - 25
    assert runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))["timeout"] <= 90
    guides = {language: " ".join(text_of(f"../docs/{language}/running.md").split()) for language in ("en", "ru")}
    assert "a minute without a sign from gunicorn, or 90 seconds without one from the worker" in guides["en"]
    assert "Если gunicorn молчит минуту или обработчик молчит 90 секунд" in guides["ru"]


@pytest.mark.parametrize(("unit", "seconds"), [("hikflask.service", "5"), ("hikflask-worker.service", "2")])
def test_start_that_is_refused_is_tried_again_for_ever_but_more_and_more_seldom(unit: str, seconds: str) -> None:
    assert values(unit, "StartLimitIntervalSec") == ["0"]
    assert (values(unit, "RestartSec"), values(unit, "RestartSteps")) == ([seconds], ["5"])
    assert values(unit, "RestartMaxDelaySec") == ["60"]


def test_pages_that_cannot_start_restart_the_worker_once_a_minute_at_most_as_the_guides_say() -> None:
    assert values("hikflask-worker.service", "PartOf") == ["hikflask.service"]
    assert values("hikflask.service", "RestartMaxDelaySec") == ["60"]
    # With `direct` a restart by hand waits for ever for a start that is refused.
    assert values("hikflask.service", "RestartMode") == []
    guides = {language: " ".join(text_of(f"../docs/{language}/running.md").split()) for language in ("en", "ru")}
    assert "in the end once a minute, and each time it restarts the worker, too" in guides["en"]
    assert "под конец раз в минуту, и каждый раз перезапускает и обработчик" in guides["ru"]


def test_pages_are_served_on_a_socket_that_nginx_alone_opens() -> None:
    unit = "hikflask.service"
    path = environment(unit)["HIKFLASK_BIND"].removeprefix("unix:")

    assert environment(unit)["HIKFLASK_TRUSTED_PROXY"] == "unix"
    assert values(unit, "RuntimeDirectory") == ["hikflask hikflask-metrics"]
    assert values(unit, "RuntimeDirectoryMode") == ["0750"]
    assert path == "/run/hikflask/gunicorn.sock"
    assert values(unit, "ExecStartPost") == [f"+/usr/bin/chgrp www-data /run/hikflask {path}"]
    assert f"server unix:{path};" in text_of("nginx.conf")


def test_both_units_count_into_one_folder_that_outlives_a_restart_of_one() -> None:
    for unit in ("hikflask.service", "hikflask-worker.service"):
        assert environment(unit)["PROMETHEUS_MULTIPROC_DIR"] == "/run/hikflask-metrics"
        assert "hikflask-metrics" in values(unit, "RuntimeDirectory")[0].split()
        assert (values(unit, "RuntimeDirectoryMode"), values(unit, "RuntimeDirectoryPreserve")) == (["0750"], ["yes"])


@pytest.mark.parametrize("unit", UNITS)
def test_every_setting_of_a_unit_is_one(unit: str) -> None:
    known = {f"HIKFLASK_{name}" for name in SETTINGS} | GUNICORN | {"HIKFLASK_INSTANCE_PATH"}

    assert {name for name in environment(unit) if name.startswith("HIKFLASK_")} <= known
    assert values(unit, "EnvironmentFile") == ["/etc/hikflask.env"]
    assert set(owners_settings()) <= known


def test_owners_settings_name_the_pages_and_private_networks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in owners_settings().items():
        monkeypatch.setenv(name, value)
    settings = Config(str(tmp_path))

    config.load(settings, str(tmp_path))

    assert settings["TRUSTED_HOSTS"] == ["hikflask.example"]
    assert [str(network) for network in settings["TERMINAL_NETWORKS"]] == [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
    ]
