"""An installation with the address of a PostgreSQL database: everything is there, and nothing beside it in SQLite."""

import os
import re
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from cryptography.fernet import Fernet

from tests.installation.browser import ADMINISTRATOR, NAME, Browser, code_in
from tests.installation.root import ThrowAwayRoot
from tests.installation.versions import BEFORE, INSTALL, NEXT, next_version, without_face_detection
from tests.support.postgresql import Cluster, programs

PROGRAM = "of-a-test"
# The server asks for none; what is told of it here is where it stands.
PASSWORD = "s3cret 'Пароль'/@:&%"

APT = """#!/bin/sh
set -eu
echo "$*" >>/var/log/asked-of-apt
[ "$1" = update ] || mv /usr/bin/pg_dump.away /usr/bin/pg_dump
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server without databases of ours; skips without one, save in CI."""
    bin_folder = programs()
    if bin_folder is None:
        assert not os.environ.get("CI"), "PostgreSQL must be installed in CI"
        pytest.skip("PostgreSQL is not installed")
    server = Cluster(bin_folder)
    server.start()
    yield server
    server.stop()


def without_programs_of_postgresql(root: ThrowAwayRoot) -> None:
    """Let pg_dump be away until a program that stands for apt-get is asked: not each mirror has its package."""
    root.run("mv", "/usr/bin/pg_dump", "/usr/bin/pg_dump.away")
    root.put_command("apt-get", APT)


def answered(url: str, question: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [str(row[0]) for row in connection.execute(question)]


def files_of_sqlite(root: ThrowAwayRoot) -> list[str]:
    data = root.path("var/lib/hikflask")
    return [path.name for path in data.rglob("*") if path.is_file() and path.read_bytes()[:6] == b"SQLite"]


def test_everything_is_in_postgresql_alone_and_is_upgraded_there(root: ThrowAwayRoot, cluster: Cluster) -> None:
    url = f"{cluster.create('installed')}?application_name={PROGRAM}&connect_timeout=10"
    root.put_program("before", BEFORE)
    without_face_detection(root, "before")
    without_programs_of_postgresql(root)

    nowhere = url.replace("/installed?", "/nowhere?")
    failed = root.run(f"/root/before/{INSTALL}", NAME, nowhere, status=1)
    why, what_to_do = failed.splitlines()[-2:]
    assert why.startswith("Error: The database does not answer: connection failed: ")
    assert why.endswith('FATAL:  database "nowhere" does not exist')
    assert what_to_do == (
        "Nothing runs yet: make the database ready, or run this again with its right address and password."
    )
    for address in (url.replace("hikflask@", "hikflask:s3cret@"), f"{url}&password=s3cret"):
        refused = root.run(f"/root/before/{INSTALL}", NAME, address, status=1)
        assert refused == (
            "POSTGRESQL_URL must have no password, since everybody on this machine can read it in the list of "
            "processes: leave it out. It is asked for, or read from standard input with --password-stdin.\n"
        )
    said = root.run(f"/root/before/{INSTALL}", NAME, url, "--password-stdin", stdin=f"{PASSWORD}\n")
    (stored,) = re.findall("^HIKFLASK_DATABASE_URL='(.*)'$", root.path("etc/hikflask.env").read_text(), re.MULTILINE)
    assert stored == url.replace("hikflask@", f"hikflask:{quote(PASSWORD, safe='')}@")

    asked = ["update -qq", "install -y -qq --no-install-recommends postgresql-client"]
    assert root.path("var/log/asked-of-apt").read_text().splitlines() == asked
    root.path("usr/local/bin/apt-get").unlink()
    root.run("apt-get", "install", "postgresql-client")
    browser = Browser(root)
    browser.becomes_first_administrator(code_in(said))
    assert answered(url, "SELECT name FROM operator") == [ADMINISTRATOR]
    # The pages and the worker.
    connected = "SELECT DISTINCT pid FROM pg_stat_activity WHERE datname = 'installed' AND application_name = '{}'"
    assert len(answered(url.partition("?")[0], connected.format(PROGRAM))) >= 2
    other = root.run(f"/root/before/{INSTALL}", NAME, url.replace("installed", "other"), status=1)
    assert other == "/etc/hikflask.env names another database: change it there, after `hikflask database copy-to`.\n"
    other = root.run(f"/root/before/{INSTALL}", "other.example", status=1)
    what_to_do = "add it to HIKFLASK_HOSTS there, and have it in the certificate."
    assert other == f"/etc/hikflask.env does not name other.example: {what_to_do}\n"

    (head,) = answered(url, "SELECT version_num FROM alembic_version")
    next_version(root, "next", NEXT, head)
    without_face_detection(root, "next")
    without_programs_of_postgresql(root)
    assert f"hikflask {NEXT} runs at https://{NAME}/" in root.run(f"/root/next/{INSTALL}")

    assert root.path("var/log/asked-of-apt").read_text().splitlines() == [*asked, *asked]
    assert answered(url, "SELECT version_num FROM alembic_version") == ["next"]
    assert answered(url, "SELECT to_regclass('of_the_next_version')") == ["of_the_next_version"]
    (backup,) = root.path("var/lib/hikflask-backups").glob("hikflask-*.tar")
    checked = root.run("hikflask", "restore", "--check", f"/var/lib/hikflask-backups/{backup.name}")
    assert f", postgresql, revision {head}: " in checked
    assert "The backup is whole. Nothing was changed.\n" in checked
    browser.signs_in()
    assert root.run("hikflask", "doctor").endswith("Everything is as it should be.\n")
    assert files_of_sqlite(root) == []
    second_machine_asks_for_the_keys(root, url)


def second_machine_asks_for_the_keys(root: ThrowAwayRoot, url: str) -> None:
    """Install once more, without settings, first without keys, then with another one."""
    cure = (
        "copy secret_key and password_key of the first machine to /var/lib/hikflask (mode 0600, owner hikflask), then "
        "run this again. For an installation of its own, make an empty database.\n"
    )
    words = ("terminal", "add", "Вход", "http://192.168.255.254", "admin", "--password-stdin")
    root.run("hikflask", *words, stdin=f"{PASSWORD}\n")
    root.path("etc/hikflask.env").unlink()
    data = root.path("var/lib/hikflask")
    keys = data / "secret_key", data / "password_key"
    for key in keys:
        key.rename(key.with_suffix(".kept"))
    said = root.run(f"/root/next/{INSTALL}", NAME, url, status=1)
    assert said.endswith(f"Nothing runs yet: something is stored in the database, and its keys are not here: {cure}")
    assert [key.name for key in keys if key.exists()] == []
    for key in keys:
        key.with_suffix(".kept").rename(key)
    keys[1].write_bytes(Fernet.generate_key())
    said = root.run(f"/root/next/{INSTALL}", NAME, url, status=1)
    why, what_to_do = said.splitlines(keepends=True)[-2:]
    assert why.startswith("Error: The password key does not open what is stored for “Вход”: ")
    encrypted = "the database is encrypted with other keys than those in /var/lib/hikflask"
    assert what_to_do == f"Nothing runs yet: {encrypted}: {cure}"
    assert not root.path("etc/hikflask.env").exists()
