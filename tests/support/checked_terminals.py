"""Terminals that were checked. The check itself runs once in a process; later, what it wrote is written again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Flask
from sqlalchemy import Insert, Table, insert, select

from hikflask.extensions import db, terminal_clients, vault
from hikflask.isapi.client import Client
from hikflask.isapi.digest import best_challenge
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.db import end_read, transaction
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.connection import get_terminal, new_client
from hikflask.services.terminals.registry import AUDITED, Access
from hikflask.simulator import Profile
from hikflask.simulator import Terminal as Simulated

TABLE = cast("Table", Terminal.__table__)


@dataclass(frozen=True)
class Checked:
    """The statement that adds a terminal as one that was checked now, its values, and the tries that its login told."""

    add: Insert
    values: dict[str, Any]
    tries_left: int | None


class CheckedTerminals:
    """What the check of a fresh terminal wrote, by the app and the terminal's profile."""

    def __init__(self) -> None:
        self._written: dict[tuple[Flask, Profile], Checked] = {}

    def add(self, app: Flask, access: Access, simulator: Simulated) -> Terminal:
        """Add a terminal that is checked and logged in; needs an app context."""
        key = (app, simulator.profile)
        if simulator.people or simulator.faults.active:
            return checks.check(registry.add(access).id, "test")
        if key not in self._written:
            terminal = checks.check(registry.add(access).id, "test")
            self._written[key] = _checked(terminal)
            return terminal
        own = {name: getattr(access, name) for name in AUDITED}
        password = vault.encrypt(access.password or "")
        checked = self._written[key]
        with transaction():
            values = {**checked.values, **own, "password_encrypted": password}
            added = db.session.execute(checked.add, values).scalar_one()
            audit.record("terminal.added", terminal=access.name, after=own)
        terminal = get_terminal(added)
        end_read()
        _log_in(terminal, simulator, checked.tries_left)
        return terminal


def _checked(terminal: Terminal) -> Checked:
    row = db.session.execute(select(TABLE).where(TABLE.c.id == terminal.id)).one()._asdict()
    end_read()
    del row["id"]
    times = {name for name, value in row.items() if isinstance(value, datetime)}
    add = insert(TABLE).values(dict.fromkeys(times, database_now())).returning(TABLE.c.id)
    values = {name: value for name, value in row.items() if name not in times}
    return Checked(add, values, _client(terminal)._tries_left)


def _log_in(terminal: Terminal, simulator: Simulated, tries_left: int | None) -> None:
    client = _client(terminal)
    with simulator.lock:
        challenge = best_challenge(", ".join(simulator.login._challenges()))
    assert challenge is not None
    client._login.learn(challenge)
    client._tries_left = tries_left


def _client(terminal: Terminal) -> Client:
    return terminal_clients.get(terminal.id, terminal.version, lambda: new_client(terminal))
