"""Settings under a name that no setting has, which so change nothing, or in a file that is not as it should be."""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from flask import Flask

from hikflask import config
from hikflask.diagnosis import Finding, access, wrong

PREFIX = "HIKFLASK_"
ENVIRONMENT = Path("/etc/hikflask.env")
# What others than the app read: gunicorn.conf.py, run.sh, and the simulator.
READ_BY_OTHERS = ("INSTANCE_PATH", "BIND", "PROCESSES", "THREADS", "PORT", "SIMULATOR_PASSWORD")
NAMES = {f"{PREFIX}{name}" for name in (*config.SETTINGS, *READ_BY_OTHERS)}
# Of Flask and its extensions config.py may have more; only what is like one of these is told.
NAMES_IN_FILE = {*config.SETTINGS, *config.FLASK_SETTINGS, *Flask.default_config}
LIKENESS = 0.85
CA = f"{PREFIX}LDAP_CA"


def check(folder: Path, environment: Path = ENVIRONMENT) -> Iterator[Finding]:
    """Name the settings of the environment and of config.py that change nothing, or name a file that is not seen.

    :param environment: the file with the settings of the service, which holds passwords.
    """
    if environment.exists() and environment.stat().st_mode & stat.S_IROTH:
        yield wrong(f"Others can read {environment}, with the passwords in it: run `chmod o= {environment}`.")
    for name in sorted(os.environ.keys() - NAMES):
        meant = _meant_setting(name.upper())
        if meant or name.startswith(PREFIX):
            yield _misspelt(name, meant)
    certificate = os.environ.get(CA)
    hiding = access.hidden(Path(certificate)) if certificate else ""
    if hiding:
        yield wrong(f"{CA} cannot be used: {hiding}")
    with suppress(config.ConfigError):  # It is told by who makes the app.
        for name in sorted(config.in_file(folder).keys() - NAMES_IN_FILE):
            meant = _meant(name.removeprefix(PREFIX), NAMES_IN_FILE)
            if meant:
                yield _misspelt(f"{name} in {folder / 'config.py'}", meant)


def _meant_setting(name: str) -> str:
    """Return the setting that is like a name. A prefix that is right makes no two of them alike."""
    if not name.startswith(PREFIX):
        return _meant(name, NAMES)
    meant = _meant(name.removeprefix(PREFIX), {setting.removeprefix(PREFIX) for setting in NAMES})
    return meant and f"{PREFIX}{meant}"


def _meant(name: str, names: Collection[str]) -> str:
    return next(iter(get_close_matches(name, names, 1, LIKENESS)), "")


def _misspelt(name: str, meant: str) -> Finding:
    question = f"did you mean {meant}?" if meant else "docs/en/settings.md lists all settings."
    return wrong(f"{name} is no setting, so it changes nothing: {question}")
