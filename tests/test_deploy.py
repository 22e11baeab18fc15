"""The files of deploy/: what they let the server do, what they let browsers use, and what they keep no log of."""

import os
import re
import runpy
import subprocess
import time
from configparser import ConfigParser
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.errors import HaltServer

from hikflask.api.comparisons import COMPARE_SECONDS
from hikflask.config import MAX_CAPTURE_SECONDS, SETTINGS

DEPLOY = Path(__file__).parents[1] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
SERVERS = (DEPLOY / "nginx.conf").read_text(encoding="utf-8").split("\nserver {")[1:]


def service(unit: Path) -> dict[str, str]:
    """What a unit says of its service."""
    # What stands more than once counts by its last line.
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit, encoding="utf-8")
    return dict(parser["Service"])


def directives(server: str, name: str) -> list[str]:
    """The values of an nginx directive, wherever it stands in a server."""
    return re.findall(rf"^\s*{name}\s+([^;]+);", server, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_runs_as_an_account_of_its_own_that_gets_no_more_rights(unit: Path) -> None:
    found = service(unit)

    assert (found["User"], found["Group"], found["NoNewPrivileges"]) == ("hikflask", "hikflask", "true")
    # A command that begins with one of these is run with the rights of root: nginx's group gets the socket by one.
    as_root = [value for name, value in found.items() if name.startswith("Exec") and value[0] in "+!"]
    assert as_root in ([], ["+/usr/bin/chgrp www-data /run/hikflask /run/hikflask/gunicorn.sock"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_may_write_its_own_folder_alone(unit: Path) -> None:
    found = service(unit)

    assert (found["ProtectSystem"], found["ProtectHome"], found["PrivateTmp"]) == ("strict", "true", "true")
    assert (found["StateDirectory"], found["StateDirectoryMode"], found["UMask"]) == ("hikflask", "0700", "0077")
    assert "Environment=HIKFLASK_INSTANCE_PATH=/var/lib/hikflask" in unit.read_text(encoding="utf-8").split()
    assert not [name for name in found if name in {"ReadWritePaths", "BindPaths"}]
    assert (found["AmbientCapabilities"], found["CapabilityBoundingSet"]) == ("", "")


def test_there_are_the_three_units() -> None:
    assert [unit.name for unit in UNITS] == ["hikflask-backup.service", "hikflask-worker.service", "hikflask.service"]


def test_proxy_gives_an_idle_connection_up_before_the_server_closes_it() -> None:
    server = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    (idle,) = directives((DEPLOY / "nginx.conf").read_text(encoding="utf-8").partition("}")[0], "keepalive_timeout")

    # In seconds; a form that is sent on a connection that is closed at this moment is not sent again: 502.
    assert int(idle.removesuffix("s")) < server["keepalive"]


@pytest.mark.parametrize("value", ["0", "-1", "257", "1.5", ""])
def test_number_of_threads_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HIKFLASK_PROCESSES", value)

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))

    assert ended.value.code == "HIKFLASK_PROCESSES cannot be used: set it to a whole number between 1 and 256."


def test_server_ends_once_each_serving_process_dies_at_once_and_not_while_one_lives_or_while_it_stops() -> None:
    settings = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))

    def deaths_until_end(lived: float, *, listens: bool = True, other: float | None = None) -> int | None:
        others = {} if other is None else {1: SimpleNamespace(begun=time.monotonic() - other)}
        server = SimpleNamespace(WORKERS=others, LISTENERS=[object()] if listens else [])
        for number in range(1, 9):
            worker = SimpleNamespace()
            settings["pre_fork"](server, worker)
            worker.begun -= lived
            with suppress(HaltServer):
                settings["child_exit"](server, worker)
                continue
            return number
        return None

    assert deaths_until_end(0.1) == deaths_until_end(0.1, other=0.1) == 5
    assert deaths_until_end(60) is None
    assert deaths_until_end(0.1, other=60) is None
    assert deaths_until_end(0.1, listens=False) is None


@pytest.mark.parametrize(
    ("marks", "ran", "runs", "kept"),
    [
        # Back by hand to the one that worked before, which is stopped or runs; a newer one worked, and was rejected.
        (["1 worked", "2 worked"], "1", False, {"1", "new"}),
        (["1 worked", "2 worked"], "1", True, {"1", "new"}),
        (["1 worked", "2 worked"], "2", True, {"2", "new"}),
        # Installed by an early version of the script, which left no mark.
        (["1 complete", "2 worked"], "1", True, {"1", "new"}),
        (["1 complete"], "1", False, {"1", "new"}),
        # The version that ran is dead, the next one was never ready, and this one is good.
        (["1 worked", "2 failed"], "2", False, {"1", "new"}),
        (["1 complete", "2 failed"], "2", False, {"1", "new"}),
        (["1 worked", "2 complete"], "2", False, {"1", "new"}),
        (["1 complete", "2 complete"], "", False, {"2", "new"}),
        ([], "", False, {"new"}),
    ],
)
def test_upgrade_keeps_the_version_that_ran_and_never_one_that_did_not(
    tmp_path: Path, marks: list[str], ran: str, runs: bool, kept: set[str]
) -> None:
    versions = tmp_path / "versions"
    for number, (version, mark) in enumerate(words.split() for words in [*marks, "new complete", "new worked"]):
        (versions / version).mkdir(parents=True, exist_ok=True)
        for name in {"complete", mark}:
            (versions / version / name).touch()
            os.utime(versions / version / name, (number, number))
    if ran:
        (tmp_path / "current").symlink_to(versions / ran)
    script = (DEPLOY / "install.sh").read_text(encoding="utf-8").removesuffix('\nmain "$@"\n')
    ready = "true" if runs else "false"
    steps = f"home={tmp_path}; new={versions}/new; command_of() {{ {ready}; }}; note_what_runs; remove_old_versions"

    subprocess.run(["bash", "-c", f"{script}\n{steps}"], check=True, timeout=30)

    assert {path.name for path in versions.iterdir()} == kept


def test_proxy_waits_for_the_longest_calls_of_programs() -> None:
    (secure,) = [server for server in SERVERS if "listen 443 ssl;" in server]
    calls = secure.partition("location /api/ {")[2].partition("}")[0]
    (waits,) = directives(calls, "proxy_read_timeout")

    assert int(waits.removesuffix("s")) > max(MAX_CAPTURE_SECONDS, COMPARE_SECONDS) + 20
    assert "proxy_read_timeout" not in (DEPLOY / "hikflask_proxy.conf").read_text(encoding="utf-8")


def test_proxy_speaks_tls_1_2_and_1_3_alone_with_ciphers_that_are_good_today() -> None:
    (secure,) = [server for server in SERVERS if "listen 443 ssl;" in server]

    assert directives(secure, "ssl_protocols") == ["TLSv1.2 TLSv1.3"]
    assert directives(secure, "ssl_ciphers") == ["ECDHE+AESGCM:ECDHE+CHACHA20"]


def test_server_writes_down_no_addresses_and_proxy_no_queries() -> None:
    """A search has a name in its address."""
    logs = [log for server in SERVERS for log in directives(server, "access_log")]
    assert set(logs) == {"off", "/var/log/nginx/hikflask.log hikflask"}
    (form,) = re.findall(r"log_format hikflask ([^;]+);", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))
    assert not re.search(r"\$(request_uri|request|args|query_string|http_\w+|remote_user)\b", form)
    assert runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))["accesslog"] is None


@pytest.mark.parametrize("file", ["install.sh", "compose.yaml"])
def test_site_of_a_machine_without_ipv6_is_the_same_but_for_that(file: str) -> None:
    (expression,) = re.findall(r"'(/\^ \*listen [^']+)'", (DEPLOY / file).read_text(encoding="utf-8"))
    shipped = (DEPLOY / "nginx.conf").read_text(encoding="utf-8").splitlines()

    said = subprocess.run(
        ["sed", "-e", expression, str(DEPLOY / "nginx.conf")], capture_output=True, text=True, check=True, timeout=30
    ).stdout

    ipv6 = ["[::]:80 default_server", "[::]:443 ssl default_server", "[::]:80", "[::]:443 ssl"]
    left_out = [f"    listen {where};" for where in ipv6]
    assert said.splitlines() == [line for line in shipped if line not in left_out]
    assert [line for line in shipped if line in left_out] == left_out


def test_proxy_lets_in_what_an_import_takes() -> None:
    limits = directives("\n".join(SERVERS), "client_max_body_size")
    files = SETTINGS["IMPORT_FILE_LIMIT"].default + SETTINGS["IMPORT_PHOTOS_LIMIT"].default

    # The form around them has less than a megabyte. The calls of the API have the same limit as the pages.
    # The first two are for terminals. The pages for errors take what was refused.
    assert [limit for limit in limits if limit != "0"] == ["4m", "4m", "11m", *[f"{files + 1}m"] * 2]
