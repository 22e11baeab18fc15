"""From an empty Debian to an enrolled employee, and on to the next version, by the commands of the guides alone."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hikflask.simulator import SimulatorServer, Terminal
from tests.installation.root import ThrowAwayRoot
from tests.processes.processes import ROOT, until
from tests.support.by_name import ByName
from tests.support.captures import FACE

NAME = "hikflask.example"
INSTALL = "deploy/install.sh"
URL = "https://127.0.0.1"
ADMINISTRATOR, PASSWORD = "Анна", "восемь зелёных окон 7"
TERMINAL_PASSWORD = "Abc12345"
PASSPHRASE = "семь сухих листьев на снегу"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
BEFORE, NEXT, BROKEN = "0.1.9", "0.2.0", "0.2.1"
MIGRATION = '''
"""What the next version needs."""
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("of_the_next_version", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("of_the_next_version")
'''


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowAwayRoot]:
    """A throw-away root; skips where there can be none."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        assert not os.environ.get("CI"), "CI runs as root on Debian"
        pytest.skip("needs root on Debian")
    if not ports_are_free():
        if not os.environ.get("CI"):
            pytest.skip("something listens on port 80 or 443, which the installation's nginx needs")
        # Debian starts its nginx as soon as it is installed.
        subprocess.run(["nginx", "-s", "stop"], check=False)
        until(ports_are_free)
    made = ThrowAwayRoot(tmp_path_factory.mktemp("root"))
    try:
        made.start()
    except OSError as error:
        pytest.skip(f"this machine lets root mount no throw-away root: {error}")
    yield made
    made.stop()


def ports_are_free() -> bool:
    try:
        for port in (80, 443):
            socket.create_server(("0.0.0.0", port)).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """The terminal on the wall, through all of it."""
    with SimulatorServer(Terminal(TERMINAL_PASSWORD)) as started:
        yield started


class Browser(requests.Session):
    """What a browser and a program see of the installation, through its nginx and its certificate."""

    def __init__(self, root: ThrowAwayRoot) -> None:
        super().__init__()
        self.trust_env = False
        self.mount(URL, ByName(NAME))
        self.headers["Host"] = NAME
        self.verify = str(root.path("etc/ssl/certs/hikflask.pem"))

    def becomes_first_administrator(self, code: str) -> None:
        form = {"code": code, "name": ADMINISTRATOR, "new_password": PASSWORD, "repeated": PASSWORD}
        self.sends("/first-run", "/first-run", form)

    def signs_in(self) -> None:
        self.cookies.clear()
        form = {"name": ADMINISTRATOR, "password": PASSWORD}
        self.sends("/sign-in", "/sign-in", form)

    def sends(self, page: str, address: str, form: dict[str, str]) -> None:
        """Send the form of a page."""
        token = TOKEN.search(self.get(f"{URL}{page}").text)
        assert token
        data = {**form, "csrf_token": token[1]}
        from_page = {"Referer": f"https://{NAME}{page}"}
        answer = self.post(f"{URL}{address}", data, headers=from_page, allow_redirects=False)
        assert answer.status_code == 303, answer.text

    def allows_writing_after_the_restore(self) -> None:
        page = "/terminals/1/after-restore"
        until(lambda: 'name="comparison"' in self.get(f"{URL}{page}").text, 30)
        found = re.search(r'name="comparison" value="(\d+)"', self.get(f"{URL}{page}").text)
        assert found
        self.sends(page, page, {"comparison": found[1]})

    def enrol(self, simulator: Terminal, number: str, name: str) -> None:
        added = self.post(f"{URL}/api/users/", json={"hikvision_id": number, "full_name": name, "department": "Охрана"})
        assert added.status_code == 201, added.text
        simulator.present_alone(FACE)
        captured = self.post(f"{URL}/api/devices/1/start-face-capture", json={"hikvision_id": number})
        assert captured.status_code == 200, captured.text
        sent = self.post(f"{URL}/api/users/{added.json()['id']}/sync-to-device")
        assert sent.status_code == 200, sent.text
        assert sent.json()["verified"] is True


def version_of_tables(root: ThrowAwayRoot) -> str:
    return root.run("hikflask", "db", "current").split()[0]


def next_version(root: ThrowAwayRoot, name: str, version: str) -> Path:
    """A version with another table than the one before."""
    folder = root.put_program(name, version)
    head = version_of_tables(root)
    (folder / "migrations/versions/next.py").write_text(MIGRATION.format(head=head))
    return folder


def test_from_an_empty_debian_to_an_enrolled_employee_and_on_to_the_next_version(
    root: ThrowAwayRoot, server: SimulatorServer
) -> None:
    root.put_program("before", BEFORE)

    said = root.run(f"/root/before/{INSTALL}", NAME)

    code = re.search(r"give the code ((?:\w{4}-?){4})", said)
    assert code, said
    assert f"hikflask {BEFORE} runs at https://{NAME}/" in said
    assert oct(root.path("var/lib/hikflask").stat().st_mode)[-3:] == "700"
    assert oct(root.path("etc/hikflask.env").stat().st_mode)[-3:] == "640"
    browser = Browser(root)
    browser.becomes_first_administrator(code[1])
    assert root.run("hikflask", "operator", "first-code") == "There are operators already: nobody needs a code.\n"
    simulator = server.terminal
    words = ("terminal", "add", "Вход", server.url, "admin", "--password-stdin")
    settings = root.path("etc/hikflask.env")
    settings.write_text(settings.read_text().replace("192.168.0.0/16", "192.168.0.0/16,127.0.0.0/8"))
    root.run("systemctl", "restart", "hikflask")
    root.run("hikflask", *words, stdin=f"{TERMINAL_PASSWORD}\n")
    token = root.run("hikflask", "token", "create", "1С", "--role", "operator").splitlines()[-1]
    browser.headers["Authorization"] = f"Bearer {token}"
    browser.enrol(simulator, "100222", "Иван Иванов")
    assert root.run("hikflask", "doctor").endswith("Everything is as it should be.\n")

    before = version_of_tables(root)
    next_version(root, "next", NEXT)
    assert f"hikflask {NEXT} runs at https://{NAME}/" in root.run(f"/root/next/{INSTALL}")
    assert version_of_tables(root) == "next"
    browser.enrol(simulator, "100223", "Ольга Ёлкина")

    broken = root.put_program("broken", BROKEN)
    (broken / "migrations/versions/next.py").write_text(MIGRATION.format(head=before))
    more = MIGRATION.format(head="next").replace('revision = "next"', 'revision = "broken"', 1)
    (broken / "migrations/versions/broken.py").write_text(more.replace("of_the_next_version", "of_the_broken"))
    health = broken / "hikflask/web/admin/health.py"
    health.write_text(health.read_text().replace("all_there = all(found.values())", "all_there = False"))
    said = root.run(f"/root/broken/{INSTALL}", status=1, READY_SECONDS="4")
    assert "Nothing was upgraded; the old version runs." in said
    assert version_of_tables(root) == "next"
    assert root.run("hikflask", "--version") == f"hikflask {NEXT}\n"
    assert browser.get(f"{URL}/api/users/").headers["X-Total-Count"] == "2"
    browser.enrol(simulator, "100224", "Пётр Петров")
    assert {number: person["name"] for number, person in simulator.people.items()} == {
        "100222": "Иван Иванов",
        "100223": "Ольга Ёлкина",
        "100224": "Пётр Петров",
    }


def test_destroyed_installation_is_restored_and_a_leaver_stays_out(
    root: ThrowAwayRoot, server: SimulatorServer
) -> None:
    file, given = "/var/lib/hikflask-backups/all.tar", f"{PASSPHRASE}\n"
    browser, simulator = Browser(root), server.terminal
    stayed = set(simulator.people)
    token = root.run("hikflask", "token", "create", "второй", "--role", "operator").splitlines()[-1]
    browser.headers["Authorization"] = f"Bearer {token}"
    browser.enrol(simulator, "200111", "Анна Уволенная")
    browser.enrol(simulator, "200222", "Борис Оставшийся")
    root.run("hikflask", "backup", "--with-keys", "--passphrase-stdin", file, stdin=given)
    assert oct(root.path(file[1:]).stat().st_mode)[-3:] == "600"
    leaver = browser.get(f"{URL}/api/users/", params={"q": "200111"}).json()[0]["id"]
    assert browser.delete(f"{URL}/api/users/{leaver}").status_code == 200
    until(lambda: "200111" not in simulator.people, 30)

    root.run("systemctl", "stop", "hikflask", "hikflask-worker")
    root.run("sh", "-c", "rm -rf /var/lib/hikflask/* /var/lib/hikflask/.restore")
    root.run("hikflask", "restore", "--check", "--passphrase-stdin", file, stdin=given)
    root.run("hikflask", "restore", "--passphrase-stdin", file, stdin=given)
    root.run("systemctl", "start", "hikflask", "hikflask-worker")
    root.run("hikflask", "ready", "--wait", "60")

    said = root.run("hikflask", "doctor", status=1)
    assert said.count("WRONG") == 1
    assert "was not compared since the restore: an administrator has to look and decide on its page." in said
    del browser.headers["Authorization"]
    browser.signs_in()
    browser.allows_writing_after_the_restore()
    assert root.run("hikflask", "doctor").endswith("Everything is as it should be.\n")
    assert set(simulator.people) == {*stayed, "200222"}
    browser.headers["Authorization"] = f"Bearer {token}"
    browser.enrol(simulator, "200333", "Вера Новая")
    assert set(simulator.people) == {*stayed, "200222", "200333"}


def test_upgrade_that_is_killed_leaves_a_version_that_works_and_is_finished_by_the_next_one(
    root: ThrowAwayRoot,
) -> None:
    link = root.path("opt/hikflask/current")
    was = os.readlink(link)
    upgrade = root.start_command(f"/root/next/{INSTALL}")
    until(lambda: os.readlink(link) != was, 120)
    root.run("pkill", "-9", "-f", INSTALL)
    upgrade.communicate()

    root.run("hikflask", "ready", "--wait", "60")
    root.run("systemctl", "restart", "hikflask")
    root.run("hikflask", "ready", "--wait", "60")

    assert root.run("hikflask", "--version") == f"hikflask {NEXT}\n"
    assert version_of_tables(root) == "next"
    assert root.run("hikflask", "doctor").endswith("Everything is as it should be.\n")


def test_commands_of_the_guide_are_those_that_were_run_here() -> None:
    for language in ("en", "ru"):
        guide = (ROOT / "docs" / language / "install.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^ *```\n(.*?)^ *```$", guide, re.MULTILINE | re.DOTALL)
        assert [block.split() for block in blocks] == [["sudo", INSTALL, NAME], ["sudo", INSTALL]]
