"""Who is said to hold a port, and what is said of the machine's clock."""

import os
import socket
from pathlib import Path

import pytest

from hikflask.diagnosis import Finding, access, good, machine, unknown, wrong
from tests.processes.processes import free_port

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
# An address of another machine at the same port does not listen, and neither does one of ours at another port.
ROWS = """\
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:B0A2 01 00000000:00000000 00:00000000 00000000     7        0 4712 1 0 20 4 30 10 -1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     8        0 4713 1 0 100 0 0 10 0
"""


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_program_that_the_account_may_look_at_is_named(family: socket.AddressFamily) -> None:
    with socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family) as server:
        port = server.getsockname()[1]
        own = Path("/proc/self/comm").read_text(encoding="utf-8").strip()

        assert machine.listener(port) == f"Port {port} is held by {own} (process {os.getpid()})."


def test_program_of_another_account_is_told_by_that_and_by_who_can_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(HEAD + ROWS)
    monkeypatch.setattr(machine, "PROCESSES", tmp_path)

    assert machine.listener(8080) == (
        f"Port 8080 is held by a program of {access.name_of(33)}, which {access.account()} may not look at: "
        "`ss -ltnp sport = :8080` names it to root."
    )


def test_port_that_nobody_has_is_told() -> None:
    port = free_port()

    assert machine.listener(port) == f"Nothing listens on port {port}."


NOT_KNOWN = unknown(
    "Whether this machine's clock follows a time server cannot be known here, as `timedatectl` is silent: "
    "in a container, look at the machine that it runs on."
)


def told(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """What is said where this is `timedatectl`."""
    program = folder / "timedatectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))
    (finding,) = machine.check_clock()
    return finding


def test_what_systemd_tells_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = '[ "$*" = "show --property=NTPSynchronized --value" ] && echo'

    assert told(tmp_path, f"{asked} yes", monkeypatch) == good("This machine's clock follows a time server.")
    assert told(tmp_path, f"{asked} no", monkeypatch) == wrong(
        "This machine's clock follows no time server, so terminals may get a wrong time, and right codes of second "
        "factors may be refused: `apt-get install systemd-timesyncd`, and `timedatectl timesync-status` says more."
    )


def test_what_cannot_be_known_is_neither_good_nor_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SECONDS", 0.1)

    silent = told(tmp_path, "echo No bus >&2; exit 1", monkeypatch)
    hanging = told(tmp_path, "while :; do :; done", monkeypatch)
    (tmp_path / "timedatectl").unlink()
    (missing,) = machine.check_clock()

    assert silent == hanging == missing == NOT_KNOWN
    assert (NOT_KNOWN.mark, good("").mark, wrong("").mark) == ("?", "ok", "WRONG")
