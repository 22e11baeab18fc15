"""One run: the processes, the terminals, those who act, and the pauses in which everything is compared."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from flask import Flask
from sqlalchemy import select, update

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import (
    Capture,
    Enrolment,
    Erasure,
    ErasureRemoval,
    EventLog,
    Job,
    OperatorSession,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.columns import database_now
from hikflask.services.core.db import end_read, transaction
from hikflask.services.state.enrolment import CHANGED_AT_TERMINAL, CLAIM_SECONDS
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.services.webhooks import registry as webhooks
from hikflask.simulator import SEED, SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES, Profile
from tests.conftest import PASSWORD
from tests.processes.processes import ROOT, Served
from tests.processes.random_run import recount
from tests.processes.random_run.actors import Actor
from tests.processes.random_run.recount import FOR_A_PERSON
from tests.processes.random_run.world import World
from tests.support.apps import close
from tests.support.receivers import Receiver

ACTORS = 6
PAUSE_EVERY = 45.0
KILL_EVERY = (3.0, 8.0)
SETTLED_WITHIN = 90.0
FOLLOW_EVERY = 0.5
BY_PICTURE = PROFILES["K1T343M"]
SETTINGS = {
    "WORKER": "external",
    "PROCESSES": "2",
    "SWEEP_INTERVAL": "0.5",
    "RETRY_BASE": "0.5",
    "RETRY_MAX": "2",
    "CONNECT_TIMEOUT": "2",
    "READ_TIMEOUT": "4",
    "CAPTURE_TIMEOUT": "4",
    "API_LIMIT": "1000000",
    "BACKUP_MAX_AGE": "0",
    "PASSAGES": "push",
    "PASSAGES_INTERVAL": "2",
}


class Quietly(Served):
    """The served app, whose output goes to a file, and to which terminals push."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **settings)
        self._environment["HIKFLASK_PUSH_ADDRESS"] = self.url
        self.log = folder / "output.log"

    def _spawn(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", module, *arguments]
            started = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=output, stderr=output)
        self._processes.append(started)
        return started


class Run:
    """The processes and the terminals; what is known of them, and what was found broken, is in `world`."""

    def __init__(self, folder: Path, address: dict[str, str], seed: int, receiver: Receiver) -> None:
        self.folder, self.seed, self.world = folder, seed, World(receiver=receiver)
        self.settings = {**SETTINGS, **address}
        self.served = Quietly(folder, **self.settings)
        self.servers: dict[int, SimulatorServer] = {}
        self.at_terminal: dict[int, threading.Lock] = {}
        self.counted: Counter[str] = Counter()
        self.quiet = threading.Event()
        self.over = threading.Event()
        self.acting = 0
        self.idle = threading.Condition()
        self.workers: list[subprocess.Popen[bytes]] = []
        self.cursor = ""
        self.app: Flask

    def start(self) -> None:
        """Serve, and add terminals, groups and a receiver of all messages."""
        self.served.start()
        own = {"INSTANCE_PATH": str(self.folder), "TESTING": True, "PUSH_ADDRESS": self.served.url}
        self.app = create_app({**self.settings, **own})
        self.workers = [self.served.start_worker() for _ in range(2)]
        by_url = [self.add_terminal(f"Камера {place}", SEED) for place in (1, 2)]
        by_picture = [self.add_terminal(f"Вход {place}", BY_PICTURE) for place in (1, 2)]
        self.groups = [
            self._group("Охрана", by_picture, ["Охрана"]),
            self._group("Склад", [by_picture[0], by_url[0]], ["Склад"]),
        ]
        with self.app.app_context():
            webhooks.add(self.world.receiver.url, frozenset(("enrolled", "refused", "removed", "passage", "alarm")))
            db.session.remove()

    def add_terminal(self, name: str, profile: Profile = BY_PICTURE) -> int:
        """Add a terminal on a socket, of whose log the first record was read, and return its id."""
        simulated = Simulated(PASSWORD, profile=profile, serial=f"{next(self.world.keys):07d}")
        simulated.store.deletion_polls = 0
        simulated.pass_by(None)
        server = SimulatorServer(simulated)
        server.start()
        with self.app.app_context():
            access = Access(name, server.url, "admin", PASSWORD, face_by_picture=profile is not SEED)
            added = checks.check(registry.add(access).id, "test").id
            give_up = time.monotonic() + SETTLED_WITHIN
            while not self._is_read(added, simulated) and time.monotonic() < give_up and not self.over.is_set():
                time.sleep(0.2)
            db.session.remove()
        self.servers[added], self.at_terminal[added] = server, threading.Lock()
        self.world.begun[added] = simulated.events.next_serial - 1
        self.world.terminals[added] = simulated
        return added

    def remove_terminal(self, terminal_id: int) -> None:
        """Stop a terminal for good."""
        del self.world.terminals[terminal_id]
        self.servers.pop(terminal_id).stop()

    def _group(self, name: str, terminal_ids: list[int], departments: list[str]) -> int:
        given = {"name": name, "device_ids": terminal_ids, "departments": departments}
        answer = self.served.http.post(f"{self.served.url}/api/groups/", json=given, timeout=30)
        assert answer.ok, answer.text
        return int(answer.json()["id"])

    def stop(self) -> None:
        """Stop all."""
        for process in [process for process in self.served._processes if process.poll() is None]:
            process.send_signal(signal.SIGTERM)
        for process in self.served._processes:
            process.wait(60)
        self.served.http.close()
        for server in self.servers.values():
            server.stop()
        close(self.app)

    # --- the course of it ---

    def go(self, seconds: float) -> None:
        """Let all act for so long, with pauses in which everything is compared."""
        actors = [threading.Thread(target=Actor(self, place).act, daemon=True) for place in range(ACTORS)]
        others = [threading.Thread(target=act, daemon=True) for act in (self._kill, self._follow)]
        for thread in (*actors, *others):
            thread.start()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(min(PAUSE_EVERY, max(1.0, ends - time.monotonic())))
            self._pause()
        self.over.set()
        self.quiet.clear()
        for thread in (*actors, *others):
            thread.join(60)

    def _pause(self) -> None:
        self.quiet.set()
        with self.idle:
            self.idle.wait_for(lambda: self.acting == 0, 120)
        for simulated in list(self.world.terminals.values()):
            simulated.faults.clear()
        with self.app.app_context():
            with transaction():  # Nobody asks the actors for their passwords again.
                db.session.execute(update(OperatorSession).values(confirmed_at=database_now()))
            if self._settle():
                self.world.end_writes()
                while self._follow_on():
                    pass
                for problem in recount.broken(self.world):
                    self.world.problem(problem)
            db.session.remove()
        self._read_output()
        print(f"… {sum(self.counted.values())} deeds, {len(self.world.problems)} problems", flush=True)
        self.quiet.clear()

    def _settle(self) -> bool:
        give_up = time.monotonic() + SETTLED_WITHIN
        while left := self._open():
            if time.monotonic() > give_up:
                self.world.problem(f"work that does not end: {left}")
                return False
            time.sleep(0.3)
            with transaction():  # Nothing is on its way any more, so nothing waits for minutes to be proven once more.
                waits = update(Enrolment).where(Enrolment.may_arrive_until >= Enrolment.next_attempt_at)
                db.session.execute(waits.values(may_arrive_until=None, next_attempt_at=database_now()))
                # Nor does anybody come who would decide, within ten minutes, about what a comparison has found.
                found = update(Enrolment).where(Enrolment.refusal_code == CHANGED_AT_TERMINAL)
                found = found.where(Enrolment.next_attempt_at > database_now(CLAIM_SECONDS))
                db.session.execute(found.values(next_attempt_at=database_now()))
        return True

    def _open(self) -> list[object]:
        tried = (Enrolment.next_attempt_at.is_not(None), Enrolment.refusal_code.not_in(FOR_A_PERSON))
        awaited = select(ErasureRemoval.erasure_id).where(ErasureRemoval.gone_at.is_(None))
        statements = (
            select(Enrolment.terminal_id, Enrolment.number, Enrolment.desired, Enrolment.refusal_code).where(*tried),
            select(Job.kind, Job.id).where(Job.state.in_(("waiting", "running"))),
            select(Capture.id).where(Capture.state.in_(("queued", "waiting"))),
            select(Erasure.id).where(Erasure.completed_at.is_(None), Erasure.id.not_in(awaited)),
            select(WebhookDelivery.id, WebhookDelivery.event).where(WebhookDelivery.next_attempt_at.is_not(None)),
            select(Terminal.id, Terminal.lease_purpose).where(Terminal.lease_until > database_now()),
        )
        rows: list[object] = [row for statement in statements for row in db.session.execute(statement)]
        for terminal_id, simulated in self.world.terminals.items():
            rows += [] if self._is_read(terminal_id, simulated) else [f"the log of terminal {terminal_id}"]
        end_read()
        return rows

    def _is_read(self, terminal_id: int, simulated: Simulated) -> bool:
        """Tell whether the log of a terminal was read to its end."""
        columns = (EventLog.anchor_serial, EventLog.older_than, EventLog.state)
        row = db.session.execute(select(*columns).where(EventLog.terminal_id == terminal_id)).first()
        end_read()
        last = simulated.events.next_serial - 1
        return bool(row and row.anchor_serial == last and row.older_than is None and "pass" not in row.state)

    def _kill(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - the same deeds each time
        while not self.over.is_set():
            self.over.wait(chance.uniform(*KILL_EVERY))
            if self.quiet.is_set() or self.over.is_set():
                continue
            if chance.random() < 0.5:
                place = chance.randrange(len(self.workers))
                self.workers[place].kill()
                self.workers[place].wait()
                self.workers[place] = self.served.start_worker()
                self.counted["worker killed"] += 1
                continue
            children = Path(f"/proc/{self.served.web.pid}/task/{self.served.web.pid}/children").read_text().split()
            if children:
                with suppress(ProcessLookupError):
                    os.kill(int(chance.choice(children)), signal.SIGKILL)
                self.counted["web process killed"] += 1

    def _follow(self) -> None:
        """A program that reads on from its cursor, and keeps what it has got."""
        while not self.over.wait(FOLLOW_EVERY):
            if not self.quiet.is_set():
                with self.turn(), suppress(requests.RequestException):
                    self._follow_on()

    def _follow_on(self) -> bool:
        query = {"since": self.cursor, "limit": "20"}
        answer = self.served.http.get(f"{self.served.url}/api/events/", params=query, timeout=60)
        if not answer.ok:
            self.world.problem(f"{answer.status_code} for the events behind {self.cursor!r}: {answer.text[:200]}")
            return False
        found = answer.json()
        self.world.followed |= {event["id"] for event in found["events"]}
        self.cursor = found["next"]
        return bool(found["events"])

    def _read_output(self) -> None:
        output = self.served.log.read_text(errors="replace")
        for words in ("deadlock detected", "database is locked", "Traceback (most recent call last)"):
            if count := output.count(words):
                self.world.problem(f"{count} times in the output: {words}")
                (self.folder.parent / "random-run.log").write_text(output)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One deed, for which a pause waits."""
        with self.idle:
            self.acting += 1
        try:
            yield
        finally:
            with self.idle:
                self.acting -= 1
                self.idle.notify_all()
