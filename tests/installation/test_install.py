"""From an empty Debian to an enrolled employee, and on to the next version, by the commands of the guides alone."""

import json
import os
import re
from collections.abc import Iterator

import pytest
import requests

from hikflask.simulator import SimulatorServer, Terminal
from tests.installation.browser import NAME, URL, Browser, code_in
from tests.installation.root import ThrowAwayRoot
from tests.installation.versions import BEFORE, INSTALL, NEXT, broken_version, next_version, version_of_tables
from tests.processes.processes import ROOT, until

TERMINAL_PASSWORD = "Abc12345"
PASSPHRASE = "семь сухих листьев на снегу"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """The terminal on the wall, through all of it."""
    with SimulatorServer(Terminal(TERMINAL_PASSWORD)) as started:
        yield started


def test_from_an_empty_debian_to_an_enrolled_employee_and_on_to_the_next_version(
    root: ThrowAwayRoot, server: SimulatorServer
) -> None:
    root.put_program("before", BEFORE)

    said = root.run(f"/root/before/{INSTALL}", NAME)

    assert f"hikflask {BEFORE} runs at https://{NAME}/" in said
    assert oct(root.path("var/lib/hikflask").stat().st_mode)[-3:] == "700"
    assert oct(root.path("etc/hikflask.env").stat().st_mode)[-3:] == "640"
    logs = sorted(root.path("var/log/nginx").glob("hikflask*.log"))
    owned = [(log.name, oct(log.stat().st_mode)[-3:], log.owner(), log.group()) for log in logs]
    assert owned == [(f"hikflask{which}.log", "640", "www-data", "adm") for which in ("", "_error")]
    browser = Browser(root)
    browser.becomes_first_administrator(code_in(said))
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
    next_version(root, "next", NEXT, before)
    assert f"hikflask {NEXT} runs at https://{NAME}/" in root.run(f"/root/next/{INSTALL}")
    assert version_of_tables(root) == "next"
    browser.enrol(simulator, "100223", "Ольга Ёлкина")

    broken_version(root, before)
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


def test_commands_of_the_guides_for_an_installation(root: ThrowAwayRoot) -> None:
    root.run("apt-get", "install", "-y", "git", "make", "python3-venv")
    before, certificate = Browser(root), root.path("etc/ssl/certs/hikflask.pem")
    before.verify = str(certificate.rename(certificate.with_name("before.pem")))
    mine = f"openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mine -addext subjectAltName=DNS:{NAME}"
    files = "-keyout /etc/ssl/private/hikflask.key -out /etc/ssl/certs/hikflask.pem"
    root.run(*mine.split(), *files.split())

    root.run("systemctl", "reload", "nginx")

    until(lambda: shows(Browser(root)))
    # A process of nginx that ends may still answer with the former one.
    until(lambda: not shows(before))
    root.run("systemctl", "restart", "hikflask")
    assert root.run("hikflask", "ready", "--wait", "60") == "The service is ready.\n"
    words = ("curl", "-sS", "--noproxy", "*", "--resolve", f"{NAME}:443:127.0.0.1", f"https://{NAME}/health")
    root.run(*words, status=60)
    said = root.run(*words, CURL_CA_BUNDLE="/etc/ssl/certs/hikflask.pem")
    assert json.loads(said) == {"status": "ok"}


def shows(browser: Browser) -> bool:
    """Tell whether the pages are there under the certificate that the browser trusts."""
    try:
        return browser.get(f"{URL}/sign-in").ok
    except requests.exceptions.SSLError:
        return False


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
    root.run("mv", "/var/lib/hikflask", "/var/lib/hikflask.before")
    root.run("install", "-d", "-m", "0700", "-o", "hikflask", "-g", "hikflask", "/var/lib/hikflask")
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
        # The first one takes the release: tests/release/test_release.py.
        assert [block.split() for block in blocks[1:]] == [["sudo", INSTALL, NAME], ["sudo", INSTALL]]
