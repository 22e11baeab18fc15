"""What is said of the machine's clock."""

from pathlib import Path

import pytest

from hikflask.diagnosis import Finding, good, time_server, unknown, wrong

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
    (finding,) = time_server.check()
    return finding


def test_what_systemd_tells_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = '[ "$*" = "show --property=NTPSynchronized --value" ] && echo'

    assert told(tmp_path, f"{asked} yes", monkeypatch) == good("This machine's clock follows a time server.")
    assert told(tmp_path, f"{asked} no", monkeypatch) == wrong(
        "This machine's clock follows no time server, so terminals may get a wrong time, and right codes of second "
        "factors may be refused: `apt-get install systemd-timesyncd`, and `timedatectl timesync-status` says more."
    )


def test_what_cannot_be_known_is_neither_good_nor_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_server, "SECONDS", 0.1)

    silent = told(tmp_path, "echo No bus >&2; exit 1", monkeypatch)
    hanging = told(tmp_path, "while :; do :; done", monkeypatch)
    (tmp_path / "timedatectl").unlink()
    (missing,) = time_server.check()

    assert silent == hanging == missing == NOT_KNOWN
    assert (NOT_KNOWN.mark, good("").mark, wrong("").mark) == ("?", "ok", "WRONG")
