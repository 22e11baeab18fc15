"""Who is said to hold a port."""

import os
import socket
from pathlib import Path

import pytest

from hikflask.diagnosis import access, ports
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

        assert ports.listener(port) == f"Port {port} is held by {own} (process {os.getpid()})."


def test_program_of_another_account_is_told_by_that_and_by_who_can_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(HEAD + ROWS)
    monkeypatch.setattr(ports, "PROCESSES", tmp_path)

    assert ports.listener(8080) == (
        f"Port 8080 is held by a program of {access.name_of(33)}, which {access.account()} may not look at: "
        "`ss -ltnp sport = :8080` names it to root."
    )


def test_port_that_nobody_has_is_told() -> None:
    port = free_port()

    assert ports.listener(port) == f"Nothing listens on port {port}."
