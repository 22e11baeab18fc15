"""`make run`, as it is typed by somebody who tries the program: it prints where the pages are, and who signs in."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import requests

from tests.processes.processes import ROOT, free_port, until

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PRINTED = re.compile(r"^ *(hikflask|sign in as|password|simulated terminal): +(\S+)$", re.MULTILINE)


def answers(url: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{url}sign-in", timeout=60).ok
    return False


def test_who_tries_it_signs_in_with_what_is_printed(tmp_path: Path) -> None:
    port, simulator = free_port(), free_port()
    ports = {"HIKFLASK_PORT": str(port), "SIMULATOR_PORT": str(simulator)}
    environment = {**os.environ, **ports, "HIKFLASK_INSTANCE_PATH": str(tmp_path)}
    # The virtual environment of these tests is there already.
    command = ["make", "run", "--old-file=.venv/app", f"BIN={Path(sys.executable).parent}"]

    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as trying:
        assert trying.stdout is not None
        said = "".join(iter(trying.stdout.readline, "  Ctrl-C stops both.\n"))
        printed = dict(PRINTED.findall(said))
        url = printed["hikflask"]
        until(lambda: answers(url), 40)
        with requests.Session() as browser:
            token = TOKEN.search(browser.get(f"{url}sign-in", timeout=60).text)
            assert token
            form = {"name": printed["sign in as"], "password": printed["password"], "csrf_token": token[1]}
            signed_in = browser.post(f"{url}sign-in", form, headers={"Referer": f"{url}sign-in"}, timeout=60)
            terminals = browser.get(f"{url}terminals", timeout=60).text
        kept = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
        os.killpg(trying.pid, signal.SIGINT)
        trying.wait(30)

    assert url == f"http://127.0.0.1:{port}/"
    assert printed["simulated terminal"] == f"http://127.0.0.1:{simulator}/"
    assert signed_in.url != f"{url}sign-in"
    assert signed_in.ok
    assert "Проходная (симулятор)" in terminals
    assert not answers(url)
    # Nobody else on the machine may read what is kept.
    assert {"hikflask.sqlite3", "queue.sqlite3", "password_key", "secret_key", "uploads"} <= kept.keys()
    assert set(kept.values()) == {0}


def test_port_that_another_program_has_is_said_and_nothing_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            ["deploy/run.sh", Path(sys.executable).parent],
            cwd=ROOT,
            env={**os.environ, "HIKFLASK_PORT": str(free_port()), "SIMULATOR_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Port {port} cannot be opened (address already in use): set SIMULATOR_PORT to another one.\n"
    )
