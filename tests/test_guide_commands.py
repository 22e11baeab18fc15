"""Each command of the guides is run by a test: most of them here as they stand there, others by tests named here."""

import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

import click
import psycopg
import pytest
from flask import Config, Flask

from hikflask import config, create_app, request_id
from hikflask.extensions import db, vault
from hikflask.logging_setup import OneLine
from hikflask.models import Operator
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.webhooks import registry as webhooks
from hikflask.simulator import Terminal as Simulated
from hikflask.version import VERSION
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.backups import run
from tests.support.captures import FACE
from tests.support.postgresql import ACCOUNT, ROLE, Cluster
from tests.support.wire import InProcess
from tests.test_docs import DOCS, OF_THE_PROJECT, PAGES, ROOT, names, text_of
from tests.test_prometheus import promtool
from tests.test_security_checklist import names_in

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
# What begins with a lower-case word and goes on is a command, and what ends with a semicolon is SQL.
COMMAND = re.compile(r"[a-z./][a-z\d./-]* .+|.+;", re.DOTALL)
OPTION = re.compile(r"--[a-z-]+")
SETTING = re.compile(r"HIKFLASK_\w+=")
OURS = re.compile(r"^(?:docker compose exec (?:app|backup) )?(?:flask --app wsgi|hikflask) ")
NO_COMMAND = {"command line", "threads ended", "threads hang", "…"}
# The blocks of these pages are taken out of them and run, each of them, by these tests. Those of backup.md that have a
# language are run by tests/processes/test_copies_over_ssh.py.
WHOLE = {
    "api.md": "tests/processes/test_service.py::test_every_command_of_the_guide_does_what_it_says",
    "backup.md": "tests/cli/installation/test_backups.py::test_every_command_of_the_guide_works",
    "install.md": "tests/installation/test_install.py::test_commands_of_the_guide_are_those_that_were_run_here",
}
NO_COMMANDS_IN = {"cron", "ini", "json", "mermaid", "nginx", "yaml"}
WORDS = {
    "ru": {
        "ИМЯ": "NAME", "ФАЙЛ": "FILE", "ПОЛЕ": "FIELD", "НАЗВАНИЕ": "HEADER", "ИМПОРТ": "BATCH", "МОДЕЛЬ": "MODEL",
        "Проходная": "Main entrance",
    },
    "en": {},
}  # fmt: skip
SECRET = "восемь зелёных окон 7"
HOST = "192.168.1.67"


@dataclass(frozen=True)
class Run:
    """How a command is run here: what it says, what stands for its words in capitals, what is typed, what precedes."""

    said: str
    put: dict[str, str] = field(default_factory=dict)
    typed: str = ""
    before: Callable[[Flask], None] = lambda _: None


def with_second_factor(app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.update(Operator).values(totp_encrypted=vault.encrypt("JBSWY3DPEHPK3PXP")))
        db.session.commit()


def with_webhook(app: Flask) -> None:
    with app.app_context():
        webhooks.add("https://hr.example/hook", frozenset({"enrolled"}))


def two_minutes_later(app: Flask) -> None:
    past = time.time() - 121
    os.utime(Path(app.instance_path) / "password_key", (past, past))


# In their order: each meets what those before it have left.
HERE = {
    "init": Run("The database has version"),
    "db upgrade": Run(""),
    "operator first-code": Run("give the code "),
    "operator create NAME --role admin --replace": Run("Operator “Анна” (admin) added.", {"NAME": "Анна"}, SECRET),
    "operator password NAME": Run("Operator “Анна” has another password.", {"NAME": "Анна"}, SECRET),
    "operator second-factor NAME --remove": Run(
        "Operator “Анна” has no second factor any more.", {"NAME": "Анна"}, before=with_second_factor
    ),
    "operator list": Run("Анна  admin  active"),
    "token create NAME": Run("hik_", {"NAME": "Кадры"}),
    "token revoke NAME": Run("Token “Кадры” is revoked.", {"NAME": "Кадры"}),
    "token create NAME [--role operator] [--days 365]": Run("(operator)", {"NAME": "Сайт {number}"}),
    "token create prometheus --role viewer": Run("(viewer)"),
    "token list": Run("prometheus  viewer    valid"),
    f'terminal add "Main entrance" https://{HOST} admin --fingerprint SHA256 --password-stdin': Run(
        "DS-K1T343EFWX", {"SHA256": "ab" * 32}, PASSWORD
    ),
    "terminal add --replace NAME URL USERNAME": Run(
        "changed.", {"NAME": "Main entrance", "URL": f"https://{HOST}", "USERNAME": "admin"}, PASSWORD
    ),
    "terminal check 1": Run("DS-K1T343EFWX"),
    "terminal check ID": Run("DS-K1T343EFWX", {"ID": "1"}),
    "terminal list": Run(f"https://{HOST}"),
    "employees import FILE [--photos ZIP] [--dry-run] [--json] [--terminal ID] [--confirm N] [--column FIELD=HEADER]…": Run(  # noqa: E501
        "", {"FILE": "people.csv", "ZIP": "photos.zip", "ID": "1", "FIELD=HEADER": "department=Участок", "N": "1"}
    ),
    "employees undo BATCH": Run("Undone: 1, not undone: 0.", {"BATCH": "1"}),
    "employees import --groups FILE": Run("New: 1, changed: 0, unchanged: 0, wrong: 0.", {"FILE": "people.csv"}),
    "employees export [FILE.csv|FILE.xlsx]": Run("", {"FILE.csv": "all.csv", "FILE.xlsx": "all.xlsx"}),
    "cards import FILE": Run("Cards given: 1", {"FILE": "cards.csv"}),
    "cards list": Run("100222;00aB12"),
    "webhook list": Run("https://hr.example/hook", before=with_webhook),
    "webhook delete ID": Run("Webhook 1 is deleted.", {"ID": "1"}),
    "terminal compare ID [--json]": Run("same", {"ID": "1"}),
    "secrets check": Run("The keys open what is stored encrypted."),
    "secrets rotate": Run("The older keys stay in "),
    "secrets rotate --drop-old": Run("holds the newest key alone.", before=two_minutes_later),
}
SQL = ("SELECT pg_switch_wal();", "CHECKPOINT;")
FROM, TO = "postgresql://hikflask@old.example/hikflask", "postgresql://hikflask@new.example/hikflask"
PROGRAMS = (
    f"pg_dump --format=custom --no-owner --no-privileges --file=hikflask.pgdump {FROM}",
    f"pg_restore --no-owner --no-privileges --single-transaction --dbname={TO} hikflask.pgdump",
)
BY_PROXY = (
    "sudo env http_proxy=http://proxy.example:3128 https_proxy=http://proxy.example:3128 "
    "deploy/install.sh hikflask.example"
)
SIMULATOR = (
    "python -m hikflask.simulator --port 8081 --password Abc12345",
    "python -m hikflask.simulator --port 8081 --password … --profile MODEL",
    "python -m hikflask.simulator --port 8082 --password Abc12345 --serial 82 --events day=120",
)
LOG = (
    "journalctl -u hikflask",
    "journalctl -u hikflask -u hikflask-worker",
    "journalctl -u hikflask -u hikflask-worker -o cat | grep 3fa9c1d2e4b6",
    r"journalctl -u hikflask -o cat | sed 's/\\n/\n/g'",
)
# Test → the commands that it runs.
ELSEWHERE = {
    "tests/cli/test_passages.py::test_days_are_written_for_1c": [
        "passages export --from 2026-11-01 --to 2026-11-30 --for 1c"
    ],
    "tests/cli/test_passages.py::test_events_are_read_again": ["passages interpret"],
    "tests/installation/test_install.py::test_commands_of_the_guides_for_an_installation": [
        "apt-get install -y git make python3-venv",
        "apt-get install postgresql-client",
        "export CURL_CA_BUNDLE=/etc/ssl/certs/hikflask.pem",
        "systemctl reload nginx",
        "systemctl restart hikflask",
    ],
    "tests/installation/test_install.py::"
    "test_from_an_empty_debian_to_an_enrolled_employee_and_on_to_the_next_version": [
        "deploy/install.sh hikflask.example",
        "doctor",
        "--version",
    ],
    "tests/installation/test_install.py::test_destroyed_installation_is_restored_and_a_leaver_stays_out": [
        "systemctl stop hikflask hikflask-worker",
        "mv /var/lib/hikflask /var/lib/hikflask.before",
        "install -d -m 0700 -o hikflask -g hikflask /var/lib/hikflask",
    ],
    "tests/installation/test_moving.py::test_commands_bring_back_the_version_before_with_what_was_stored_since": [
        "ls /opt/hikflask/versions",
        "env HIKFLASK_INSTANCE_PATH=$(mktemp -d) /opt/hikflask/versions/VERSION/bin/hikflask db heads",
        "db downgrade REVISION",
        "ln -sfn /opt/hikflask/versions/VERSION /opt/hikflask/current",
        "cd /opt/hikflask/current/lib/python3*/site-packages/hikflask/deploy",
        "install -m 0644 hikflask*.service hikflask*.timer /etc/systemd/system/",
        "install -m 0755 hikflask-command /usr/local/bin/hikflask",
        "systemctl daemon-reload",
        "systemctl start hikflask hikflask-worker",
        "ready --wait 120",
        "apt-get install -y python3-venv nginx openssl",
    ],
    "tests/installation/test_moving.py::test_commands_bring_everything_to_another_machine": [
        "systemctl disable --now hikflask hikflask-worker hikflask-backup.timer",
        "rsync --archive --delete --chown=hikflask:hikflask root@old.example:/var/lib/hikflask/ /var/lib/hikflask/",
        "rsync --archive --chown=hikflask:hikflask "
        "root@old.example:/var/lib/hikflask-backups/ /var/lib/hikflask-backups/",
        "rsync --archive --chown=root:hikflask root@old.example:/etc/hikflask.env /etc/hikflask.env",
        "rsync --archive root@old.example:/etc/ssl/certs/hikflask.pem /etc/ssl/certs/hikflask.pem",
        "rsync --archive root@old.example:/etc/ssl/private/hikflask.key /etc/ssl/private/hikflask.key",
    ],
    "tests/installation/test_moving.py::test_wheels_from_a_folder_are_installed_while_no_index_can_be_reached": [
        "/usr/bin/python3 -m venv /tmp/pip",
        "/tmp/pip/bin/pip download --require-hashes --dest wheels "  # noqa: S108
        "-r requirements-faces.txt -r requirements-build.txt",
        "sudo env PIP_NO_INDEX=1 PIP_FIND_LINKS=$PWD/wheels deploy/install.sh hikflask.example",
    ],
    "tests/installation/test_debian.py::test_program_runs_and_its_tests_pass_on_this_debian": [
        f"pip install hikflask-{VERSION}-py3-none-any.whl",
        "pip install --require-hashes -r requirements-app.txt",
    ],
    "tests/installation/test_install_on_postgresql.py::test_everything_is_in_postgresql_alone_and_is_upgraded_there": [
        "sudo deploy/install.sh hikflask.example postgresql://hikflask@db.example/hikflask",
    ],
    "tests/installation/test_image.py::test_image_serves_and_is_restored_as_the_guide_says": [
        "backup --into /var/lib/hikflask-backups",
        "doctor --without-nginx",
        "restore --check /var/lib/hikflask-backups/FILE",
        "restore /var/lib/hikflask-backups/FILE",
    ],
    "tests/installation/test_install_on_a_used_machine.py::"
    "test_nothing_is_begun_without_room_or_readable_settings_and_what_ends_early_leaves_nothing": [
        "chown root:hikflask /etc/hikflask.env",
    ],
    "tests/processes/test_make_run.py::test_who_tries_it_signs_in_with_what_is_printed": ["make run"],
    "tests/processes/test_unix_socket.py::test_service_says_whether_it_is_ready": ["serve", "ready"],
    "tests/processes/test_worker.py::test_worker_killed_in_a_capture_ends_in_a_failure_and_the_next_one_works": [
        "worker",
    ],
    "tests/test_prometheus.py::test_rules_are_well_formed_and_each_is_quiet_and_fires_in_its_test": [
        "promtool test rules hikflask.rules.test.yml",
    ],
    "tests/test_systemd_units.py::test_unit_is_little_exposed": ["systemd-analyze security hikflask"],
    "tests/test_guide_commands.py::test_commands_for_postgresql": [
        "database copy-to postgresql://hikflask@host/hikflask",
        "database copy-to sqlite:////var/lib/hikflask/hikflask.sqlite3",
        *SQL,
        *PROGRAMS,
        "umask 077",
    ],
    "tests/test_guide_commands.py::test_simulator_takes_what_the_guides_give_it": [
        *SIMULATOR,
    ],
    "tests/test_guide_commands.py::test_apt_and_pip_ask_the_proxy_that_the_command_names": [BY_PROXY],
    "tests/test_guide_commands.py::test_command_for_inodes": ["df -i"],
    "tests/test_guide_commands.py::test_commands_for_the_log": [
        *LOG,
    ],
    "tests/benchmarks/test_enrol_benchmark.py::"
    "test_small_benchmark_shows_five_requests_for_each_enrolment_and_a_ratio": ["python -m tests.benchmarks.enrol"],
    "tests/benchmarks/test_fleet_benchmark.py::test_small_fleet_is_measured": ["python -m tests.benchmarks.fleet"],
    "tests/benchmarks/test_hostile_files_benchmark.py::test_small_benchmark_shows_time_memory_disk_and_health": [
        "python -m tests.benchmarks.hostile_files",
    ],
    "tests/benchmarks/test_hostile_terminal_benchmark.py::test_small_benchmark_shows_time_memory_and_waiting": [
        "python -m tests.benchmarks.hostile_terminal",
    ],
    "tests/benchmarks/test_load_benchmark.py::test_small_office_is_measured": ["python -m tests.benchmarks.load"],
    "tests/benchmarks/test_uploads_benchmark.py::"
    "test_largest_pictures_at_once_stay_within_700_megabytes_and_leave_none_behind": [
        "python -m tests.benchmarks.uploads",
    ],
    "tests/benchmarks/test_pages_benchmark.py::test_small_benchmark_shows_a_ratio_for_each_question": [
        "python -m tests.benchmarks.pages",
    ],
    "tests/services/state/test_moves.py::test_guides_draw_the_states_as_they_are": [
        "python -m tests.support.state_diagrams"
    ],
    "tests/benchmarks/test_passages_benchmark.py::test_small_benchmark_shows_a_ratio_for_each_question": [
        "python -m tests.benchmarks.passages",
    ],
    "tests/benchmarks/test_presence_benchmark.py::test_small_benchmark_shows_a_ratio_for_each_question": [
        "python -m tests.benchmarks.presence",
    ],
    "tests/benchmarks/test_people_benchmark.py::test_small_benchmark_shows_time_memory_and_pages": [
        "python -m tests.benchmarks.people",
    ],
}
# Command → the file that runs it, and so the tests themselves, or what they need.
RUN_BY = {
    "make check": ".ci/run",
    "make release": ".ci/run",
    "make test": ".ci/run",
    "make test-installation": ".ci/run",
    "pip install -r requirements-faces.txt": "Makefile",
    "python3 -m venv .venv": "Makefile",
    ".venv/bin/pip install -r requirements.txt": "Makefile",
    "deploy/run.sh .venv/bin": "Makefile",
}
# Command → why no test can run it.
NO_DOCKER = "No Docker runs where the tests do; tests/installation/test_image.py runs the image."
NOWHERE = {
    "docker compose build": NO_DOCKER,
    "docker compose exec database createdb --username=hikflask hikflask": NO_DOCKER,
    "docker compose exec database dropdb --username=hikflask --force hikflask": NO_DOCKER,
    "docker compose logs app worker nginx": NO_DOCKER,
    "docker compose logs app": NO_DOCKER,
    "docker compose stop app worker nginx": NO_DOCKER,
    "docker compose stop worker": NO_DOCKER,
    "docker compose up --build --detach": NO_DOCKER,
    "docker compose up --detach": NO_DOCKER,
    "apt-get clean": "It would delete what the machine of the tests has downloaded.",
    "journalctl --vacuum-size=200M": "It would delete the log of the machine of the tests.",
    "git clone https://git.example/hikflask.git": "The address stands for that of a copy.",
    ".venv/bin/python -m pytest tests/services/terminals/test_leases.py": "It is one of the tests.",
    ".venv/bin/python -m pytest tests/services/terminals/test_leases.py -k killed": "It is one of the tests.",
    "cd hikflask": "It is the folder of the line before.",
    "make coverage": "It runs the tests themselves.",
    ".venv/bin/pre-commit install": "It would change the repository of whoever runs the tests.",
    "make clean": "It would delete the environment of the tests.",
    "make docs": "It would build the site of whoever runs the tests anew.",
    "make lock": "It would change the locks, which tests/test_dependencies.py compares.",
    "make pictures": "It would change the pictures, which tests/pictures compares.",
    "make site": "It would build the site of whoever runs the tests anew.",
    "make test-fast": "These are tests of `make test`, so it would run itself.",
    "make texts": "It would change the catalogue, which tests/test_translations.py compares.",
    "python -m tests.invariants.preemption postgresql": "It takes hours; tests/invariants tries a part.",
    "python -m tests.processes.random_run": "It takes as long as one lets it, and kills processes at random.",
    "systemctl status hikflask hikflask-worker": "It asks systemd, which is not init where the tests run.",
    "systemctl status nginx hikflask": "It asks systemd, which is not init where the tests run.",
    "systemctl status hikflask-worker": "It asks systemd, which is not init where the tests run.",
    "systemctl edit hikflask hikflask-worker hikflask-backup": "It asks systemd, and opens an editor.",
    "su -": "It asks for the password of root.",
    "systemctl edit hikflask-backup": "It asks systemd, and opens an editor.",
    "export HIKFLASK_TERMINAL_PASSWORD=…": "It is there for the next one, below.",
    "pytest tests/real_terminal --terminal https://192.168.1.67 --terminal-user admin [--terminal-fingerprint SHA256] "
    "[--terminal-takes-pictures]": "It needs a real terminal, and somebody in front of it.",
}
KNOWN = [*HERE, *chain.from_iterable(ELSEWHERE.values()), *RUN_BY, *NOWHERE]


def commands(language: str, page: str) -> list[str]:
    """The commands of a page of docs/, or of the project, in blocks and in sentences; ours without their beginning."""
    text = text_of(ROOT / page if page in OF_THE_PROJECT else DOCS / language / page)
    # The checklist is in English alone, and tells nobody to do anything.
    text = text.partition("\n## OWASP ASVS")[0]
    found = [] if page in WHOLE else [line for block in blocks(text) for line in lines(block)]
    found += [span for span in spans(text) if COMMAND.fullmatch(span)]
    for word, english in WORDS[language].items():
        found = [re.sub(rf"\b{word}\b", english, command) for command in found]
    return [ours for command in found if (ours := OURS.sub("", command)) not in NO_COMMAND]


def spans(text: str) -> list[str]:
    return [" ".join(span.split()) for span in SPAN.findall(FENCE.sub("", text))]


def blocks(text: str) -> list[str]:
    return [block for language, block in FENCE.findall(text) if language not in NO_COMMANDS_IN]


def lines(block: str) -> Iterator[str]:
    """The commands of a block, without what is said of them; settings are none."""
    for line in block.replace("\\\n", " ").splitlines():
        command = " ".join(re.sub(r"(^|\s)# .*", "", line).split())
        if command and not SETTING.match(command):
            yield command


def forms(command: str) -> Iterator[str]:
    """A command without what may be left out of it, and with all of that, each of its choices once."""
    yield re.sub(r" \[[^]]+]|…", "", command)
    choices = [part.split("|") for part in re.findall(r"\[([^]]+)]", command)]
    for number in range(max(map(len, choices), default=0)):
        chosen = command
        for part in choices:
            chosen = re.sub(r"\[[^]]+]", part[min(number, len(part) - 1)], chosen, count=1)
        yield chosen.replace("…", "")


def words(command: str, put: dict[str, str], number: int) -> list[str]:
    """The words of a command, with others in the place of those in capitals."""
    return [put.get(word, word).format(number=number) for word in shlex.split(command)]


def found_everywhere() -> set[str]:
    return {command for page in (*OF_THE_PROJECT, *names("en")) for command in commands("en", page)}


def test_both_languages_have_the_same_commands() -> None:
    different = {
        page: (english, russian)
        for page in names("en")
        if (english := sorted(commands("en", page))) != (russian := sorted(commands("ru", page)))
    }

    assert different == {}


def test_of_each_command_it_is_known_what_runs_it() -> None:
    found = found_everywhere()
    # The beginning of a command names it in a sentence.
    unknown = {one for one in found - set(KNOWN) if not any(known.startswith(f"{one} ") for known in KNOWN)}

    assert unknown == set()
    assert set(KNOWN) - found == set()
    assert len(KNOWN) == len(set(KNOWN))
    assert all(reason.endswith(".") for reason in NOWHERE.values())


def test_tests_that_run_commands_are_there() -> None:
    named = [one.split("::", 1) for one in (*ELSEWHERE, *WHOLE.values())]

    assert [test for path, test in named if test not in names_in(path)] == []
    for command, path in RUN_BY.items():
        wanted = set(command.replace(".venv/bin/", "").split())
        ran = [set(as_typed(line).split()) for line in text_of(ROOT / path).splitlines()]
        assert any(wanted <= one for one in ran), command


def as_typed(line: str) -> str:
    """A line of the Makefile with what its variables mostly are, as somebody would type it."""
    for name, value in {"$(BIN)/": "", "$(BIN)": ".venv/bin", "$(VENV)": ".venv", "$(PYTHON)": "python3"}.items():
        line = line.replace(name, value)
    return line.strip().removeprefix("@")


@pytest.fixture
def guided(app: Flask, wire: InProcess, simulator: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app whose guides' terminal is there, in a folder with the files that commands ask for."""
    wire.put(HOST, simulator)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("ID;ФИО;Участок\n100222;Иван Иванов;Склад\n", encoding="utf-8")
    (tmp_path / "cards.csv").write_text("100222;00aB12\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as photos:
        photos.writestr("100222.jpg", FACE)
    return app


def test_each_command_of_the_program_does_what_the_guides_say(guided: Flask) -> None:
    for command, how in HERE.items():
        how.before(guided)
        for number, form in enumerate(forms(command)):
            done = run(guided, *words(form, how.put, number), given=f"{how.typed}\n")
            assert done.exit_code == 0, (form, done.output)
            assert how.said in done.output, (form, done.output)

    assert (Path("all.csv").stat().st_size, Path("all.xlsx").stat().st_size) > (0, 0)


def test_commands_for_postgresql(app: Flask, cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.create("guide")
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))
    copied = run(app, "database", "copy-to", address)
    there = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": address})
    back = run(there, "database", "copy-to", f"sqlite:///{tmp_path / 'back.sqlite3'}")
    close(there)
    new = cluster.create("guide_new")
    for command in PROGRAMS:
        program, *arguments = shlex.split(command.replace(FROM, address).replace(TO, new))
        subprocess.run([cluster.program(program), *arguments], cwd=tmp_path, check=True, timeout=60, umask=0o077)
    assert oct((tmp_path / "hikflask.pgdump").stat().st_mode)[-3:] == "600"
    assert cluster.rows("guide_new") == cluster.rows("guide")
    with psycopg.connect(address.replace(ROLE, ACCOUNT, 1), autocommit=True) as superuser:
        for statement in SQL:
            superuser.execute(statement)
    cluster.drop("guide")
    cluster.drop("guide_new")

    assert "Copied and compared: " in copied.stdout
    assert "Copied and compared: " in back.stdout


def test_apt_and_pip_ask_the_proxy_that_the_command_names(tmp_path: Path) -> None:
    """All that the command itself does with them is to leave them in the environment of both."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(403)

        do_CONNECT = do_GET  # noqa: N815 - http.server looks for this name

        def log_message(self, *_: object) -> None:
            return

    (tmp_path / "lists/partial").mkdir(parents=True)
    (tmp_path / "sources.list").write_text("deb http://deb.debian.org/debian stable main\n")
    options = {"Dir::Etc::SourceList": "sources.list", "Dir::Etc::SourceParts": "none", "Dir::State::Lists": "lists"}
    there = [f"--option={name}={tmp_path / place}" for name, place in options.items()]
    pip = [sys.executable, "-m", "pip", "download", "--retries=0", "--no-deps", f"--dest={tmp_path}", "hatchling"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}).start()
        address = f"http://127.0.0.1:{proxy.server_port}"
        given = {name: address for name, _ in re.findall(r"(\w+)=(http\S+)", BY_PROXY)}
        variables = {**given, "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
        for command in (pip, ["apt-get", *there, "update"]):
            if shutil.which(command[0]):
                subprocess.run(command, env=variables, capture_output=True, check=False, timeout=60)
        proxy.shutdown()

    assert "pypi.org:443" in asked
    assert "http://deb.debian.org/debian/dists/stable/InRelease" in asked or not shutil.which("apt-get")


def test_command_for_inodes(tmp_path: Path) -> None:
    done = subprocess.run(["df", "-i", str(tmp_path)], capture_output=True, text=True, check=True, timeout=30)

    assert "IFree" in done.stdout


def test_commands_for_the_log() -> None:
    if shutil.which("journalctl") is None:
        assert not os.environ.get("CI"), "systemd must be installed in CI"
        pytest.skip("journalctl is not installed")
    record = logging.makeLogRecord({"msg": "first\nsecond"})
    with request_id.working_for("3fa9c1d2e4b6"):
        asked = OneLine(None).format(record)
    log = f"{asked}\n{OneLine(None).format(record)}\n"
    shown = {
        "grep 3fa9c1d2e4b6": "first\\nsecond [request 3fa9c1d2e4b6]\n",
        r"sed 's/\\n/\n/g'": "first\nsecond [request 3fa9c1d2e4b6]\nfirst\nsecond\n",
    }

    for command in LOG:
        journal, _, rest = command.partition(" | ")
        # There is no journal here; what it shows stands in its place.
        subprocess.run(shlex.split(journal), check=True, capture_output=True, timeout=30)
        if rest:
            done = subprocess.run(shlex.split(rest), input=log, capture_output=True, text=True, check=True, timeout=30)
            assert done.stdout == shown.pop(rest)
    assert shown == {}


def test_simulator_takes_what_the_guides_give_it() -> None:
    short, long, at_work = SIMULATOR
    assert long == short.replace("Abc12345", "…") + " --profile MODEL"
    assert at_work.startswith(short.replace("8081", "8082"))

    profile, day = "--profile DS-K1T341CMFW", at_work.removeprefix(short.replace("8081", "8082"))
    _, *given = shlex.split(f"{short.replace('8081', '0')} {profile}{day}")
    with subprocess.Popen([sys.executable, *given], cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        line = started.stdout.readline()
        started.terminate()

    assert re.fullmatch(r"Terminal DS-K1T341CMFW at http://127\.0\.0\.1:\d+/\n", line)


def test_options_that_sentences_name_are_there(app: Flask, pytestconfig: pytest.Config) -> None:
    simulator = text_of(ROOT / "hikflask/simulator/__main__.py")
    # The last two are of the node exporter and of podman.
    there = {"--help", *options(app.cli), *OPTION.findall(simulator), "--collector", "--format"}
    for page in PAGES:
        named = {found[0] for span in spans(text_of(page)) if (found := OPTION.match(span))}
        for option in named - there:
            # It raises for what pytest does not know, either.
            pytestconfig.getoption(option)


def options(command: click.Command) -> set[str]:
    """The options of a command and of those in it."""
    there = {name for one in command.params for name in one.opts}
    if not isinstance(command, click.Group):
        return there
    context = click.Context(command)
    within = [command.get_command(context, name) for name in command.list_commands(context)]
    return there.union(*(options(one) for one in within if one is not None))


def test_settings_of_the_guides_are_read_alike_by_shell_and_service_and_are_good(tmp_path: Path) -> None:
    found = [block for page in PAGES for block in blocks(text_of(page)) if SETTING.match(block)]
    for block in found:
        file = tmp_path / "hikflask.env"
        file.write_text(block, encoding="utf-8")
        shell = ["env", "-i", "sh", "-euc", f"set -a; . {file}; env"]
        said = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=30).stdout
        by_shell = {line for line in said.splitlines() if SETTING.match(line)}
        # As systemd has it: to the end of the line, without the quotes around.
        by_service = {re.sub(r"='(.*)'$", r"=\1", line) for line in block.splitlines()}
        assert by_shell == by_service
        here = (line.replace("/etc/ssl/", f"{tmp_path}/") for line in by_shell)
        pairs = (line.removeprefix("HIKFLASK_").split("=", 1) for line in here)
        (tmp_path / "corp-ca.pem").touch()
        config.load(Config(tmp_path), str(tmp_path), dict(pairs))

    assert len(found) == 4


def test_prometheus_takes_the_configuration_of_the_guides(tmp_path: Path) -> None:
    for language in ("en", "ru"):
        (found,) = (text for kind, text in FENCE.findall(text_of(DOCS / language / "monitoring.md")) if kind == "yaml")
        (tmp_path / "prometheus.yml").write_text(found, encoding="utf-8")

        assert "SUCCESS" in promtool("check", "config", "--syntax-only", str(tmp_path / "prometheus.yml"))
