"""The slot with which a terminal tells this program: written where it is free, written again when gone, cleared."""

import re
from dataclasses import replace

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.passages import push_slot, terminal_privacy
from hikflask.services.terminals import connection
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.event_push import Host

pytestmark = [pytest.mark.usefixtures("context")]
STRANGER = Host(url="/in/1", address="203.0.113.7", port=8080)


@pytest.fixture(autouse=True)
def pushes(app: Flask) -> None:
    """Let terminals tell by themselves."""
    app.config |= {"PASSAGES": "push", "PUSH_ADDRESS": "http://192.168.1.5:80"}


def read(terminal: Terminal) -> str:
    """Read a terminal, and return why it does not tell by itself."""
    terminal_privacy.read(terminal.id, "test", by_hand=True)
    row = terminal_privacy.of(terminal.id)
    assert row is not None
    return terminal_privacy.why_not_told(row)


def test_secret_of_256_bits_is_in_the_path_and_only_its_hash_is_kept(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    simulator.push.hosts[0] = STRANGER
    assert read(terminal) == ""

    first, own = simulator.push.hosts
    assert first == STRANGER
    assert (own.address, own.port, own.protocol) == ("192.168.1.5", 80, "HTTP")
    path = re.fullmatch(r"/events/push/([A-Za-z0-9_-]{43})", own.url)
    assert path is not None
    kept = push_slot.kept_hash(terminal.id)
    assert kept == push_slot.hash_of(path[1])
    tables = [db.session.execute(db.text(f"SELECT * FROM {name}")).all() for name in db.metadata.tables]
    assert "/events/push/" in str(tables)
    assert path[1] not in str(tables)

    # What is right stays.
    assert read(terminal) == ""
    assert simulator.push.hosts[1] == own
    # Where this server moved, the terminal gets another secret.
    app.config["PUSH_ADDRESS"] = "http://192.168.1.6:8000"
    assert read(terminal) == ""
    assert (simulator.push.hosts[1].address, simulator.push.hosts[1].port) == ("192.168.1.6", 8000)
    assert push_slot.kept_hash(terminal.id) != kept


def test_secret_is_given_to_the_device_that_is_there(simulator: Simulated, terminal: Terminal) -> None:
    simulator.serial = "7654321"

    read(terminal)

    assert connection.get_terminal(terminal.id).serial.endswith("7654321")


def test_slot_is_written_again_when_it_is_gone(simulator: Simulated, terminal: Terminal) -> None:
    read(terminal)
    simulator.push.hosts[0] = Host()

    assert read(terminal) == ""

    assert simulator.push.hosts[0].url.startswith("/events/push/")


@pytest.mark.parametrize("mode", ["off", "poll"])
def test_slot_is_cleared_once_terminals_are_not_to_tell(
    app: Flask, simulator: Simulated, terminal: Terminal, mode: str
) -> None:
    simulator.push.hosts[0] = STRANGER
    read(terminal)
    app.config |= {"PASSAGES": mode, "PUSH_ADDRESS": ""}

    read(terminal)

    assert simulator.push.hosts == [STRANGER, replace(Host(), format=simulator.push.hosts[1].format)]
    assert push_slot.kept_hash(terminal.id) == ""


def test_strangers_slots_are_never_written(simulator: Simulated, terminal: Terminal) -> None:
    simulator.push.hosts[:] = [STRANGER, replace(STRANGER, address="198.51.100.9")]
    before = list(simulator.push.hosts)

    assert read(terminal) == terminal_privacy.FULL

    assert simulator.push.hosts == before


def test_slot_that_must_keep_its_values_is_left_to_the_model(simulator: Simulated, terminal: Terminal) -> None:
    ehome = Host(protocol="EHome", port=15300)
    simulator.push.hosts[0] = ehome

    assert read(terminal) == ""

    assert simulator.push.hosts[0] == ehome
    assert simulator.push.hosts[1].address == "192.168.1.5"


def test_model_that_keeps_no_path_is_told_and_is_no_stranger(simulator: Simulated, terminal: Terminal) -> None:
    simulator.push.set_traps(keeps_url=False)

    assert read(terminal) == terminal_privacy.LOST

    assert (simulator.push.hosts[0].address, simulator.push.hosts[0].url) == ("192.168.1.5", "")
    assert terminal_privacy.foreign() == []


def test_nothing_is_written_to_a_terminal_that_was_not_compared_since_a_restore(
    simulator: Simulated, terminal: Terminal
) -> None:
    with transaction():
        db.session.execute(db.update(Terminal).values(restored_from=database_now()))

    read(terminal)

    assert [host.address for host in simulator.push.hosts] == ["0.0.0.0"] * 2
