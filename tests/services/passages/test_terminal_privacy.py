"""What a terminal does with events by itself is read, and set right one thing at a time; each is proven by reading."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import AuditEntry, EventLog, Terminal, TerminalPrivacy
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.passages import terminal_privacy
from hikflask.services.passages.terminal_privacy import Destination, Fact
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.event_push import Host as SimulatedHost

pytestmark = [pytest.mark.usefixtures("context")]
STRANGER = SimulatedHost(url="/in/1", address="203.0.113.7", port=8080)
PLACE = Destination(2, "203.0.113.7", 8080, "/in/1", is_ours=False)


def read(terminal: Terminal) -> TerminalPrivacy:
    terminal_privacy.read(terminal.id, "test", by_hand=True)
    row = terminal_privacy.of(terminal.id)
    assert row is not None
    return row


def entries(action: str) -> list[tuple[Any, Any]]:
    found = db.session.execute(db.select(AuditEntry).filter_by(action=action).order_by(AuditEntry.id)).scalars()
    return [(entry.before, entry.after) for entry in found]


def facts(row: TerminalPrivacy) -> dict[str, tuple[bool | None, bool | None]]:
    return {fact.name: (fact.is_on, fact.decided) for fact in terminal_privacy.facts(row)}


def test_many_strangers_are_one_entry_and_sixteen_slots_are_read(simulator: Simulated, terminal: Terminal) -> None:
    simulator.push.hosts[:] = [replace(STRANGER, address=f"203.0.113.{n}") for n in range(1, 41)]

    row = read(terminal)

    assert (len(row.hosts or []), row.foreign_hosts) == (16, 16)
    addresses = ", ".join(f"203.0.113.{n}:8080" for n in range(1, 17))
    assert entries("terminal.sends_elsewhere") == [(None, {"address": addresses})]


def test_stranger_in_any_slot_is_noticed_once_whether_passages_are_kept_or_not(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    simulator.push.hosts[1] = STRANGER

    row = read(terminal)
    read(terminal)

    assert app.config["PASSAGES"] == "off"
    assert (len(row.hosts or []), row.foreign_hosts) == (2, 1)
    assert terminal_privacy.destinations(row) == [PLACE]
    assert [(found.name, privacy.foreign_hosts) for found, privacy in terminal_privacy.foreign()] == [("Вход", 1)]
    assert entries("terminal.sends_elsewhere") == [(None, {"slot": 2, "address": "203.0.113.7:8080"})]


def test_what_a_model_does_not_tell_is_unknown(simulator: Simulated, terminal: Terminal) -> None:
    missing = {"Event/notification/httpHosts", "AccessControl/AcsCfg", "AccessControl/AcsEvent/StorageCfg"}
    simulator.profile = replace(simulator.profile, missing=frozenset(missing))

    row = read(terminal)

    assert (row.hosts, row.access, row.storage_mode, row.foreign_hosts) == (None, None, "", 0)
    assert {is_on for is_on, _ in facts(row).values()} == {None}


def test_one_slot_is_cleared_and_the_others_stay(simulator: Simulated, terminal: Terminal) -> None:
    other = SimulatedHost(url="/b", address="198.51.100.9", port=80)
    simulator.push.hosts[:] = [other, STRANGER]
    shown = next(place for place in terminal_privacy.destinations(read(terminal)) if place.slot == 2)

    terminal_privacy.clear(terminal.id, 2, shown.digest, "Анна")

    assert [host.address for host in simulator.push.hosts] == ["198.51.100.9", "0.0.0.0"]
    row = terminal_privacy.of(terminal.id)
    assert row is not None
    assert (row.foreign_hosts, [place.slot for place in terminal_privacy.destinations(row)]) == (1, [1])
    assert entries("terminal.destination_cleared") == [({"slot": 2, "address": "203.0.113.7:8080"}, None)]


def test_slot_that_leads_elsewhere_by_now_is_not_cleared(simulator: Simulated, terminal: Terminal) -> None:
    simulator.push.hosts[1] = STRANGER
    (shown,) = terminal_privacy.destinations(read(terminal))
    simulator.push.hosts[1] = SimulatedHost(url="/in/1", address="203.0.113.8", port=8080)

    with pytest.raises(PlanChanged):
        terminal_privacy.clear(terminal.id, 2, shown.digest, "Анна")

    assert simulator.push.hosts[1].address == "203.0.113.8"
    row = terminal_privacy.of(terminal.id)
    assert row is not None
    assert [place.place for place in terminal_privacy.destinations(row)] == ["203.0.113.8:8080"]


def test_slot_that_reads_back_as_it_was_is_told(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.push.hosts[1] = STRANGER
    (shown,) = terminal_privacy.destinations(read(terminal))
    monkeypatch.setattr(simulator.push, "set_host", lambda *_: None)

    with pytest.raises(ServiceError, match=r"^destination_stays$") as refused:
        terminal_privacy.clear(terminal.id, 2, shown.digest, "Анна")

    assert refused.value.params == {"t": "Вход", "address": "203.0.113.7:8080"}
    assert [found.name for found, _ in terminal_privacy.foreign()] == ["Вход"]
    assert entries("terminal.destination_cleared") == []


def test_what_the_owner_decided_is_set_and_nothing_else(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config |= {"TERMINAL_PICTURES": "discard", "TERMINAL_NAMES": "hide", "PASSAGES": "poll"}
    simulator.access_settings |= {
        "saveCapPic": True, "saveVerificationPic": False, "showName": True, "showEmployeeNo": False,
    }  # fmt: skip
    simulator.storage["mode"] = "regular"
    before, row = dict(simulator.access_settings), read(terminal)
    assert facts(row) == {
        "pictures": (True, False), "names": (True, False), "ids": (False, False), "storage": (False, True),
    }  # fmt: skip

    terminal_privacy.apply_decisions(terminal.id, "Анна")

    assert simulator.access_settings == before | {"saveCapPic": False, "showName": False}
    assert simulator.storage["mode"] == "cycle"
    assert entries("terminal.privacy_set") == [
        ({"pictures": True, "names": True, "storage": False}, {"pictures": False, "names": False, "storage": True})
    ]


def test_what_is_as_before_is_told(
    app: Flask, simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["TERMINAL_NAMES"] = "hide"
    simulator.access_settings["showName"] = True
    kept = dict(simulator.access_settings)
    read(terminal)

    class Stubborn(dict[str, Any]):
        def update(self, *_: object, **__: object) -> None:
            """Keep what there is."""

    monkeypatch.setattr(simulator, "access_settings", Stubborn(kept))
    with pytest.raises(ServiceError, match=r"^privacy_not_set$"):
        terminal_privacy.apply_decisions(terminal.id, "Анна")


def test_sweep_has_it_read_when_it_is_due(
    simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    simulator.push.hosts[1] = STRANGER
    tasks.sweep()
    with transaction():
        db.session.execute(db.update(TerminalPrivacy).values(next_at=database_now(-1)))

    tasks.sweep()
    while run_jobs():
        pass

    row = terminal_privacy.of(terminal.id)
    assert row is not None
    assert row.foreign_hosts == 1


def test_fact_differs_only_where_both_are_known() -> None:
    known = [Fact("names", is_on, decided) for is_on in (None, True, False) for decided in (None, True, False)]

    assert [(fact.is_on, fact.decided) for fact in known if fact.differs] == [(True, False), (False, True)]


@pytest.mark.both_databases
def test_terminal_is_read_soon_after_it_was_added_then_once_a_day(app: Flask, terminal: Terminal) -> None:
    def let_be_due() -> None:
        with transaction():
            db.session.execute(db.update(TerminalPrivacy).values(next_at=database_now(-1)))

    assert terminal_privacy.claim_due() == []
    let_be_due()
    assert terminal_privacy.claim_due() == [terminal.id]
    assert terminal_privacy.claim_due() == []

    read(terminal)
    # Where terminals begin to tell by themselves, or cease to, their slots are looked at now.
    app.config |= {"PASSAGES": "push", "PUSH_ADDRESS": "http://192.168.1.5:80"}
    assert terminal_privacy.claim_due() == [terminal.id]
    assert terminal_privacy.claim_due() == []
    read(terminal)
    assert terminal_privacy.claim_due() == []
    app.config["PASSAGES"] = "off"
    assert terminal_privacy.claim_due() == [terminal.id]
    read(terminal)
    assert db.session.execute(db.select(EventLog.push_secret_hash)).scalar() == ""
    assert terminal_privacy.claim_due() == []

    with transaction():
        db.session.execute(db.update(Terminal).values(device_changed_at=database_now(1)))
    assert terminal_privacy.claim_due() == [terminal.id]
    assert terminal_privacy.claim_due() == []

    let_be_due()
    with transaction():
        db.session.execute(db.update(Terminal).values(refused_since=database_now()))
    assert terminal_privacy.claim_due() == []
