#!/usr/bin/python3
"""Stands for systemctl in a throw-away root, where systemd is not init: starts and stops what the units say.

It knows no walls: those are what `systemd-analyze security` is asked about (tests/test_systemd_units.py).
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
PIDS = Path("/run/standin")
NGINX = "nginx"
STOP_SECONDS = 20


def values(unit: str, key: str) -> list[str]:
    """Return the values of a key in their order."""
    return re.findall(rf"^{key}=(.*)$", (UNITS / f"{unit}.service").read_text(), re.MULTILINE)


def environment(unit: str) -> dict[str, str]:
    """Return what the unit's processes see."""
    found = {"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
    for line in (UNITS / f"{unit}.service").read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "Environment":
            found |= dict(pair.split("=", 1) for pair in value.split())
        elif key == "EnvironmentFile":
            lines = re.findall(r"^(\w+)=(.*)$", Path(value).read_text(), re.MULTILINE)
            found |= {name: text.strip("'") for name, text in lines}
    return found


def as_service(unit: str, command: str) -> tuple[list[str], dict[str, str]]:
    """Return how a command of a unit is run: as its account, or as root where it begins with a plus."""
    if command.startswith("+"):
        return command[1:].split(), environment(unit)
    return ["setpriv", "--reuid=hikflask", "--regid=hikflask", "--clear-groups", *command.split()], environment(unit)


def start(unit: str) -> None:
    """Start a unit, as systemctl waits for one of Type=notify; fail with it."""
    if unit == NGINX:
        subprocess.run(["nginx"], check=True)
        return
    if is_running(unit):
        return
    folder = values(unit, "WorkingDirectory")[0]
    for name in " ".join(values(unit, "RuntimeDirectory")).split():
        made = Path("/run") / name
        made.mkdir(mode=0o750, exist_ok=True)
        subprocess.run(["chown", "hikflask:hikflask", str(made)], check=True)
    for line in values(unit, "ExecStartPre"):
        command, variables = as_service(unit, line)
        subprocess.run(command, check=True, env=variables, cwd=folder, stdout=log(unit), stderr=subprocess.STDOUT)
    command, variables = as_service(unit, values(unit, "ExecStart")[0])
    started = subprocess.Popen(
        command, env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=log(unit), stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    PIDS.mkdir(exist_ok=True)
    (PIDS / unit).write_text(str(started.pid))
    after = values(unit, "ExecStartPost")
    if after:
        wait_for(Path(environment(unit)["HIKFLASK_BIND"].removeprefix("unix:")), started)
    for line in after:
        command, variables = as_service(unit, line)
        subprocess.run(command, check=True, env=variables)


def log(unit: str) -> int:
    """Return the file that stands for the journal."""
    return os.open(f"/var/log/{unit}.journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def wait_for(path: Path, started: "subprocess.Popen[bytes]") -> None:
    """Wait until the service has opened its socket."""
    while not path.exists():
        if started.poll() is not None:
            sys.exit(f"{path} was not opened")
        time.sleep(0.1)


def is_running(unit: str) -> bool:
    """Tell whether what was started is still there."""
    pid = pid_of(unit)
    # What has ended and was not waited for has no program any more.
    return pid is not None and Path(f"/proc/{pid}/exe").exists()


def pid_of(unit: str) -> str | None:
    """Return the process of a unit, or None."""
    file = Path("/run/nginx.pid") if unit == NGINX else PIDS / unit
    return file.read_text().strip() if file.exists() else None


def stop(unit: str) -> None:
    """Stop a unit and wait for its end; what is PartOf it stops before."""
    if unit != NGINX:
        for part in ("hikflask-worker",):
            if unit in [name.removesuffix(".service") for name in values(part, "PartOf")] and is_running(part):
                stop(part)
    if not is_running(unit):
        return
    pid = int(pid_of(unit) or 0)
    os.kill(pid, signal.SIGTERM)
    give_up = time.monotonic() + STOP_SECONDS
    while Path(f"/proc/{pid}/exe").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    if unit != NGINX:
        (PIDS / unit).unlink()


def restart(unit: str) -> None:
    """Stop and start a unit, and what is part of it."""
    parts = [part for part in ("hikflask-worker",) if unit == "hikflask" and is_running(part)]
    stop(unit)
    for one in (unit, *parts):
        start(one)


def reload(unit: str) -> None:
    """Let nginx read its settings and certificates anew."""
    subprocess.run([unit, "-s", "reload"], check=True)


# Of `disable --now` the end of the unit is what is seen here.
VERBS = {
    "start": start,
    "stop": stop,
    "disable": stop,
    "restart": restart,
    "reload": reload,
    "reload-or-restart": restart,
}


def main() -> None:
    """Do what systemctl is asked for."""
    verb, *units = [word for word in sys.argv[1:] if not word.startswith("-")]
    for unit in units if verb in VERBS else ():
        VERBS[verb](unit)


if __name__ == "__main__":
    main()
