"""Lets operators, programs, imports, comparisons, erasures and terminals that go or are swapped meet at random.

`python -m tests.processes.random_run [--database postgresql] [--seconds 600] [--seed N]`: two serving processes, two
workers and four simulated terminals on loopback; every few seconds a process is killed with SIGKILL. Now and then all
pause, the work that is open is awaited, and what is promised is compared with the terminals' memory: whose face it is,
until when somebody may pass, who left, what was saved, what was erased. The exit status is 1 when anything is broken.

What several did at once may end with the value of any of them; what somebody saved later than all others must stay.
"""

import argparse
import io
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import requests
from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import select, update

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Erasure, ErasureRemoval, Job, OperatorSession, Photo
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT
from hikflask.services.core.db import end_read, transaction
from hikflask.services.photos import storage
from hikflask.services.state.enrolment import REMOVAL_ASKED_AGAIN
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SEED, SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw, encode
from hikflask.simulator.profiles import PROFILES, Profile
from tests.conftest import PASSWORD
from tests.processes.processes import ROOT, Served
from tests.support.apps import close
from tests.support.postgresql import Cluster, programs
from tests.support.signed_in import client_of

DEPARTMENTS = ("Охрана", "Склад", "Офис")
NUMBERS = [str(number) for number in range(2100, 2124)]
ACTORS = 6
PAUSE_EVERY = 45.0
KILL_EVERY = (3.0, 8.0)
SETTLED_WITHIN = 90.0
# The mark in a picture: so many squares of so many pixels.
BITS, MARK = 16, 22
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
}
# For what a person is asked, so no attempt goes on by itself.
FOR_A_PERSON = ("employeeNoAlreadyExist", "other_device", "not_restored", "changed_since_backup", "left_alone")


@dataclass
class Write:
    """One try to give a fact a value. `ended` is infinite, and `taken` None, while nobody knows what came of it."""

    value: Any
    begun: float
    ended: float = float("inf")
    taken: bool | None = None
    deed: str = ""

    def __str__(self) -> str:
        return f"{self.deed} {self.value!r} {self.begun % 1000:.2f}–{self.ended % 1000:.2f} {self.taken}"


@dataclass
class Person:
    """Somebody whom the run has made: what was written about the person, and a face that nobody else has."""

    key: int
    number: str
    face: bytes
    id: int = 0
    writes: dict[str, list[Write]] = field(default_factory=dict)

    def allowed(self, fact: str) -> set[Any]:
        """Return the values that a fact may have now: of each write that none was surely made after."""
        writes = [one for one in self.writes.get(fact, []) if one.taken is not False]
        last = max((one.begun for one in writes if one.taken), default=0.0)
        return {one.value for one in writes if one.ended >= last}

    def surely(self, fact: str, value: object) -> bool:
        """True when the fact has this value whatever order things happened in."""
        return self.allowed(fact) == {value}


def face_of(key: int) -> bytes:
    """Return a picture that nobody else has: the key stands at its foot in black and white, and survives a JPEG."""
    picture = Image.open(io.BytesIO(draw(NAMES[key % len(NAMES)]))).convert("RGB")
    pen, top = ImageDraw.Draw(picture), picture.height - MARK
    for place in range(BITS):
        colour = "white" if key >> place & 1 else "black"
        pen.rectangle((place * MARK, top, (place + 1) * MARK - 1, picture.height), fill=colour)
    return encode(picture)


def key_of(jpeg: bytes) -> int:
    """Return the key of the person whose face this is."""
    picture = Image.open(io.BytesIO(jpeg)).convert("L")
    row = picture.height - MARK // 2
    bits = (int(cast("int", picture.getpixel((place * MARK + MARK // 2, row))) > 127) << place for place in range(BITS))
    return sum(bits)


class Fields(HTMLParser):
    """The fields of a page's employee form as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name and given.get("type") not in {"submit", "file", "search"}:
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self.values[name] = given.get("value") or ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given.get("value") or ""


class Quietly(Served):
    """The served app, whose output goes to a file."""

    log: Path

    def _spawn(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", module, *arguments]
            started = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=output, stderr=output)
        self._processes.append(started)
        return started


class Run:
    """One run: the processes, the terminals, the people, and what was found broken."""

    def __init__(self, folder: Path, address: dict[str, str], seed: int) -> None:
        self.folder, self.address, self.seed = folder, address, seed
        self.served = Quietly(folder, **SETTINGS, **address)
        self.served.log = folder / "output.log"
        self.people: list[Person] = []
        self.lock = threading.Lock()
        self.keys = itertools.count(1)
        self.terminals: dict[int, SimulatorServer] = {}
        self.at_terminal: dict[int, threading.Lock] = {}
        self.counted: Counter[str] = Counter()
        self.problems: list[str] = []
        self.erased: list[tuple[Person, float]] = []
        # The people whom a table or a form names, and its upload.
        self.named: list[tuple[set[int], Write]] = []
        self.quiet = threading.Event()
        self.over = threading.Event()
        self.acting = 0
        self.idle = threading.Condition()
        self.killed_at = 0.0
        self.workers: list[subprocess.Popen[bytes]] = []
        self.app: Flask

    # --- the world ---

    def start(self) -> None:
        """Serve, and add terminals and groups."""
        self.served.start()
        self.app = create_app(
            {"INSTANCE_PATH": str(self.folder), "TESTING": True, "WORKER": "external", **self.address}
        )
        by_url = [self.add_terminal(f"Камера {place}", SEED) for place in (1, 2)]
        by_picture = [self.add_terminal(f"Вход {place}", PROFILES["K1T343M"]) for place in (1, 2)]
        self.groups = [
            self._group("Охрана", by_picture, ["Охрана"]),
            self._group("Склад", [by_picture[0], by_url[0]], ["Склад"]),
        ]
        self.workers = [self.served.start_worker() for _ in range(2)]

    def add_terminal(self, name: str, profile: Profile) -> int:
        """Add a terminal on a socket, and return its id."""
        simulated = Simulated(PASSWORD, profile=profile, serial=f"{next(self.keys):05d}")
        simulated.store.deletion_polls = 0
        server = SimulatorServer(simulated)
        server.start()
        with self.app.app_context():
            access = Access(name, server.url, "admin", PASSWORD, face_by_picture=profile is not SEED)
            added = checks.check(registry.add(access).id, "test").id
            db.session.remove()
        self.terminals[added], self.at_terminal[added] = server, threading.Lock()
        return added

    def _group(self, name: str, terminal_ids: list[int], departments: list[str]) -> int:
        given = {"name": name, "device_ids": terminal_ids, "departments": departments}
        answer = self.served.http.post(f"{self.served.url}/api/groups/", json=given, timeout=30)
        assert answer.ok, answer.text
        return int(answer.json()["id"])

    def stop(self) -> None:
        """Stop all."""
        for worker in [process for process in self.served._processes if process.poll() is None]:
            worker.send_signal(signal.SIGTERM)
        for process in self.served._processes:
            process.wait(60)
        self.served.http.close()
        for server in self.terminals.values():
            server.stop()
        close(self.app)

    # --- the course of it ---

    def go(self, seconds: float) -> None:
        """Let all act for so long, with pauses in which everything is compared."""
        actors = [threading.Thread(target=Actor(self, place).live, daemon=True) for place in range(ACTORS)]
        killer = threading.Thread(target=self._kill, daemon=True)
        for thread in (*actors, killer):
            thread.start()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(min(PAUSE_EVERY, max(1.0, ends - time.monotonic())))
            self._pause()
        self.over.set()
        self.quiet.clear()
        for thread in (*actors, killer):
            thread.join(60)

    def _pause(self) -> None:
        self.quiet.set()
        with self.idle:
            self.idle.wait_for(lambda: self.acting == 0, 120)
        with self.app.app_context():
            with transaction():  # Nobody asks the actors for their passwords again.
                db.session.execute(update(OperatorSession).values(confirmed_at=database_now()))
            settled = self._settle()
            if settled:
                Promises(self).check()
            db.session.remove()
        print(f"… {sum(self.counted.values())} deeds, {len(self.problems)} problems", flush=True)
        self.quiet.clear()

    def _settle(self) -> bool:
        give_up = time.monotonic() + SETTLED_WITHIN
        while left := self._open():
            if time.monotonic() > give_up:
                self.problem(f"work that does not end: {left}")
                return False
            time.sleep(0.3)
            with transaction():  # Nothing is on its way any more, so no removal waits for minutes.
                waits = update(Enrolment).where(Enrolment.refusal_code == REMOVAL_ASKED_AGAIN)
                db.session.execute(waits.values(may_arrive_until=None, next_attempt_at=database_now()))
        return True

    def _open(self) -> list[object]:
        tried = (Enrolment.next_attempt_at.is_not(None), Enrolment.refusal_code.not_in(FOR_A_PERSON))
        rows: list[object] = list(
            db.session.execute(
                select(Enrolment.terminal_id, Enrolment.number, Enrolment.desired, Enrolment.refusal_code).where(*tried)
            )
        )
        rows += db.session.execute(select(Job.kind, Job.id).where(Job.state.in_(("waiting", "running")))).all()
        rows += db.session.execute(select(Capture.id).where(Capture.state.in_(("queued", "waiting")))).all()
        awaited = select(ErasureRemoval.erasure_id).where(ErasureRemoval.gone_at.is_(None))
        rows += db.session.execute(
            select(Erasure.id).where(Erasure.completed_at.is_(None), Erasure.id.not_in(awaited))
        ).all()
        end_read()
        return rows

    def _kill(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - the same deeds each time
        while not self.over.is_set():
            self.over.wait(chance.uniform(*KILL_EVERY))
            if self.quiet.is_set() or self.over.is_set():
                continue
            self.killed_at = time.monotonic()
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

    def problem(self, what: str) -> None:
        """Keep what is broken, and say it."""
        if what not in self.problems:
            self.problems.append(what)
            print(f"BROKEN: {what}", flush=True)

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


class Actor:
    """An operator with a browser, who has a program, too. Does one thing after the other."""

    def __init__(self, run: Run, place: int) -> None:
        self.run, self.chance = run, random.Random(run.seed * 100 + place)  # noqa: S311 - so, too
        client = client_of(run.app, name=f"Оператор {place}")
        cookie = client.get_cookie("hikflask")
        assert cookie
        self.url, self.http = run.served.url, requests.Session()
        self.http.trust_env = False
        self.http.cookies.set("hikflask", cookie.value, domain="127.0.0.1")
        self.token = client.token
        self.csrf = ""

    def live(self) -> None:
        """Act until the end."""
        deeds: list[tuple[int, Callable[[], None]]] = [
            (4, self.create), (4, self.put), (4, self.edit), (3, self.photo), (3, self.capture_by_program),
            (3, self.capture_on_page), (3, self.leave_or_return), (1, self.delete), (1, self.erase), (2, self.import_),
            (2, self.compare), (1, self.send), (1, self.regroup), (1, self.trouble), (1, self.retire),
        ]  # fmt: skip
        bag = [deed for weight, deed in deeds for _ in range(weight)]
        while not self.run.over.is_set():
            if self.run.quiet.is_set():
                time.sleep(0.1)
                continue
            deed = self.chance.choice(bag)
            # A terminal may be gone by the time that something is to happen there.
            with self.run.turn(), suppress(requests.RequestException, KeyError):
                deed()
                self.run.counted[deed.__name__] += 1

    # --- calls ---

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(method, self.url + path, headers=headers, timeout=60, **given)
        return self._seen(answer, f"{method} {path}")

    def call_confirmed(self, method: str, path: str, by: str, fields: dict[str, Any], **given: Any) -> None:
        """Call the API with fields, and confirm how many lose access by it, where it asks."""
        answer = self.call(method, path, **{by: fields}, **given)
        if answer.status_code == 409 and answer.json()["error"] == "unsafe_plan":
            self.call(method, path, **{by: {**fields, "confirm": answer.json()["count"]}}, **given)

    def post(self, path: str, fields: dict[str, str]) -> requests.Response:
        """Send a form of a page."""
        if not self.csrf:
            self.csrf = Fields(self.http.get(f"{self.url}/employees/new", timeout=60).text).values.get("csrf_token", "")
        data = {**fields, "csrf_token": self.csrf}
        answer = self.http.post(self.url + path, data=data, timeout=60, allow_redirects=False)
        return self._seen(answer, f"POST {path}")

    def agree(self, path: str, question: str = "", **typed: str) -> requests.Response:
        """Answer the question of a page: what it showed is sent along."""
        page = self.http.get(self.url + (question or path), timeout=60)
        return self.post(path, {**Fields(page.text).values, **typed})

    def _seen(self, answer: requests.Response, what: str) -> requests.Response:
        if answer.status_code == 500:
            self.run.problem(f"500 for {what}: {answer.text[:200]}")
        self.run.counted[f"status {answer.status_code}"] += 1
        return answer

    @contextmanager
    def writing(self, person: Person, **values: Any) -> Iterator[dict[str, bool]]:
        """Keep what is written about somebody; `outcome["taken"]` says what came of it, nothing: not known."""
        outcome: dict[str, bool] = {}
        begun = time.monotonic()
        deed = sys._getframe(2).f_code.co_name
        writes = {fact: Write(value, begun, deed=deed) for fact, value in values.items()}
        with self.run.lock:
            for fact, write in writes.items():
                person.writes.setdefault(fact, []).append(write)
        try:
            yield outcome
        finally:
            if "taken" in outcome:
                for write in writes.values():
                    write.ended, write.taken = time.monotonic(), outcome["taken"]

    @contextmanager
    def naming(self, *people: Person) -> Iterator[None]:
        """Keep until when something is sent that names people. It never ends for us when the server is killed."""
        upload = Write(None, time.monotonic())
        self.run.named.append(({one.key for one in people}, upload))
        yield
        upload.ended = time.monotonic()

    def somebody(self) -> Person | None:
        """Return one of the people who are not surely gone."""
        with self.run.lock:
            there = [one for one in self.run.people if one.id and not one.surely("there", False)]
        return self.chance.choice(there) if there else None

    def day(self) -> str:
        """Return a last day, or none."""
        days = self.chance.randrange(0, 400)
        return (date.today() + timedelta(days)).isoformat() if days > 80 else ""  # noqa: DTZ011

    def name(self, person: Person) -> str:
        """Return a name that nobody else has."""
        return f"Иванов Иван {person.key} {next(self.run.keys)}"

    # --- deeds ---

    def create(self) -> None:
        key = next(self.run.keys)
        person = Person(key, self.chance.choice(NUMBERS), face_of(key))
        given = {"full_name": self.name(person), "department": self.chance.choice(DEPARTMENTS), "valid_to": self.day()}
        facts = {**given, "is_active": True, "there": True}
        with self.run.lock:
            self.run.people.append(person)
        with self.writing(person, **facts) as outcome:
            answer = self.call("POST", "/api/users/", json={"hikvision_id": person.number, **given})
            outcome["taken"] = answer.status_code == 201
        if answer.status_code == 201:
            person.id = answer.json()["id"]

    def put(self) -> None:
        if person := self.somebody():
            fact = self.chance.choice(("full_name", "department", "valid_to", "valid_to"))
            value = {"full_name": self.name(person), "department": self.chance.choice(DEPARTMENTS)}.get(
                fact, self.day()
            )
            with self.writing(person, **{fact: value}) as outcome:
                outcome["taken"] = self.call("PUT", f"/api/users/{person.id}", json={fact: value}).ok

    def edit(self) -> None:
        """Change one field on the page; the other fields are sent as the page had them."""
        if person := self.somebody():
            page = self.http.get(f"{self.url}/employees/{person.id}/edit", timeout=60)
            if not page.ok:
                return
            fields = Fields(page.text).values
            fact = self.chance.choice(("full_name", "department", "valid_to"))
            value = {"full_name": self.name(person), "department": self.chance.choice(DEPARTMENTS)}.get(
                fact, self.day()
            )
            time.sleep(self.chance.uniform(0.0, 0.5))
            with self.writing(person, **{fact: value}) as outcome:
                answer = self.post(f"/employees/{person.id}", {**fields, fact: value, "moved": "1"})
                outcome["taken"] = answer.status_code == 303

    def photo(self) -> None:
        if person := self.somebody():
            files = {"photo": ("a.jpg", io.BytesIO(person.face))}
            self.call("POST", f"/api/users/{person.id}/photo", files=files)

    def capture_by_program(self) -> None:
        if person := self.somebody():
            terminal_id = self.camera()
            with self.run.at_terminal[terminal_id]:
                self.run.terminals[terminal_id].terminal.present_alone(person.face)
                given = {"hikvision_id": person.number, "take_over": self.chance.random() < 0.5}
                answer = self.call("POST", f"/api/devices/{terminal_id}/start-face-capture", json=given)
            if answer.ok and self._is_face(answer.json()["photo_path"], person):
                self.call("POST", f"/api/users/{person.id}/sync-to-device", json={"device_id": terminal_id})

    def capture_on_page(self) -> None:
        if person := self.somebody():
            page = self.http.get(f"{self.url}/employees/{person.id}/edit", timeout=60)
            fields, terminal_id = Fields(page.text).values, self.camera()
            if not page.ok or "full_name" not in fields:
                return
            fields |= {"terminal_id": str(terminal_id), "take_over": "1"}
            with self.run.at_terminal[terminal_id]:
                self.run.terminals[terminal_id].terminal.present_alone(person.face)
                with self.naming(person):
                    begun = self.post("/captures", fields)
                capture = begun.headers.get("Location", "").rpartition("capture=")[2]
                state, page_text = "", ""
                for _ in range(40):
                    if not capture.isdecimal():
                        return
                    page_text = self.http.get(f"{self.url}/captures/{capture}", headers={"HX-Request": "true"}).text
                    state = page_text.partition('data-state="')[2].partition('"')[0]
                    if state not in {"queued", "waiting"}:
                        break
                    time.sleep(0.2)
            picture = page_text.partition('src="/uploads/')[2].partition('"')[0].partition("?")[0]
            if state == "captured" and self._is_face(f"/uploads/{picture}", person):
                page = self.http.get(f"{self.url}{begun.headers['Location'].removeprefix(self.url)}", timeout=60)
                self.post(f"/employees/{person.id}", {**Fields(page.text).values, "moved": "1"})

    def _is_face(self, path: str, person: Person) -> bool:
        """Look at the picture as the operator does."""
        answer = self.http.get(self.url + path, timeout=60)
        return answer.ok and key_of(answer.content) == person.key

    def camera(self) -> int:
        """Return a terminal that captures for all: the first two are never taken out of service."""
        return self.chance.choice(sorted(self.run.terminals)[:2])

    def leave_or_return(self) -> None:
        if person := self.somebody():
            active = self.chance.random() < 0.5
            with self.writing(person, is_active=active) as outcome:
                if self.chance.random() < 0.5:
                    outcome["taken"] = self.call("PUT", f"/api/users/{person.id}", json={"is_active": active}).ok
                else:
                    question = "" if active else f"/employees/{person.id}/deactivate"
                    self.agree(
                        f"/employees/{person.id}/active", question or f"/employees/{person.id}", active="01"[active]
                    )

    def delete(self) -> None:
        if person := self.somebody():
            with self.writing(person, there=False) as outcome:
                outcome["taken"] = self.call("DELETE", f"/api/users/{person.id}").ok

    def erase(self) -> None:
        if person := self.somebody():
            begun = time.monotonic()
            with self.writing(person, there=False) as outcome:
                answer = self.agree(f"/employees/{person.id}/erase")
                outcome["taken"] = answer.status_code == 303 and "/erasures/" in answer.headers.get("Location", "")
            if outcome["taken"]:
                self.run.erased.append((person, begun))

    def import_(self) -> None:
        people = [one for one in (self.somebody() for _ in range(6)) if one]
        rows = {one.number: (self.name(one), self.chance.choice(DEPARTMENTS), self.day()) for one in people}
        table = ["ID;ФИО;Отдел;Действует до"]
        for number, (name, department, day) in rows.items():
            write = (("full_name", name), ("department", department), ("valid_to", day))
            for fact, value in write:
                # Whoever has the number meanwhile may get it, and whether the row was applied is not known.
                for one in self.run.people:
                    if one.number == number:
                        one.writes.setdefault(fact, []).append(Write(value, time.monotonic(), deed="import"))
            table.append(f"{number};{name};{department};{day}")
        files = {"file": ("people.csv", "\n".join(table).encode("utf-8-sig"))}
        with self.naming(*people):
            self.call_confirmed("POST", "/api/users/import", "data", {"groups": "true"}, files=files)

    def compare(self) -> None:
        terminal_id = self.chance.choice(sorted(self.run.terminals))
        answer = self.call("POST", f"/api/devices/{terminal_id}/compare")
        if answer.ok and self.chance.random() < 0.5:
            lost = answer.json()["only_here"]
            self.call("POST", f"/api/devices/{terminal_id}/apply", json={"send": lost[:5]})

    def send(self) -> None:
        if person := self.somebody():
            terminal_id = self.chance.choice(sorted(self.run.terminals))
            self.post(f"/employees/{person.id}/terminals", {"terminal_id": str(terminal_id)})

    def regroup(self) -> None:
        ids = [terminal_id for terminal_id in sorted(self.run.terminals) if self.chance.random() < 0.6]
        group = f"/api/groups/{self.chance.choice(self.run.groups)}"
        self.call_confirmed("PUT", group, "json", {"device_ids": ids})

    def trouble(self) -> None:
        """Something goes wrong at a terminal."""
        simulated = self.run.terminals[self.chance.choice(sorted(self.run.terminals))].terminal
        path = self.chance.choice(("UserInfo/Record", "FDSetUp", "UserInfo/Modify", "UserInfoDetail/Delete"))
        simulated.faults.add(self.chance.choice(("lost-before", "lost-after", "drop")), path=path, times=1)

    def retire(self) -> None:
        """Take one of the later terminals out of service, or swap its device and bring its people back."""
        with self.run.lock:
            later = sorted(self.run.terminals)[2:]
            if not later:
                return
            terminal_id = self.chance.choice(later)
            server, is_over = self.run.terminals[terminal_id], self.chance.random() < 0.5
            if is_over:
                del self.run.terminals[terminal_id]
        if is_over:
            server.stop()
            retire = f"/terminals/{terminal_id}/retire"
            while not self._is_retired(retire) and not self.run.over.is_set():
                time.sleep(0.2)
            added = self.run.add_terminal(f"Вход {next(self.run.keys)}", PROFILES["K1T343M"])
            self.call_confirmed("PUT", f"/api/groups/{self.run.groups[0]}", "json", {"device_ids": [added]})
            return
        simulated = server.terminal
        with simulated.lock:
            simulated.store.remove(list(simulated.people))
            simulated.serial = f"{next(self.run.keys):05d}"
        self.post(f"/terminals/{terminal_id}/check", {})
        time.sleep(1.0)
        self.agree(f"/terminals/{terminal_id}/restore")

    def _is_retired(self, address: str) -> bool:
        """False where a process was killed meanwhile, or somebody was sent there since the question."""
        with suppress(requests.RequestException):
            return self.agree(address, note="разобран").status_code == 303
        return False


class Promises:
    """Compares rows, files and terminals while nobody acts; needs an app context."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def check(self) -> None:
        """Look at everything."""
        db.session.expire_all()
        people = {one.id: one for one in self.run.people if one.id}
        rows = db.session.execute(select(Employee), execution_options={"populate_existing": True}).scalars().all()
        self._facts(people, {row.id: row for row in rows})
        enrolments = (
            db.session.execute(select(Enrolment), execution_options={"populate_existing": True}).scalars().all()
        )
        for enrolment in enrolments:
            if enrolment.terminal_id in self.run.terminals:
                self._enrolment(enrolment, people)
        for terminal_id, server in self.run.terminals.items():
            self._terminal(terminal_id, server.terminal, [one for one in enrolments if one.terminal_id == terminal_id])
        self._files()
        self._erased()
        self._logs()

    def _facts(self, people: dict[int, Person], rows: dict[int, Employee]) -> None:
        for employee_id, person in people.items():
            row = rows.get(employee_id)
            who = f"person {person.key} ({person.number})"
            if (row is not None) not in person.allowed("there"):
                self.run.problem(f"{who}: {'is there again' if row else 'is lost'}")
            if row is None:
                continue
            shown = {"full_name": row.name, "department": row.department, "is_active": row.is_active}
            shown["valid_to"] = row.valid_to.isoformat() if row.valid_to else ""
            for fact, value in shown.items():
                if value not in person.allowed(fact):
                    self.run.problem(f"{who}: {fact} is {value!r}, not {person.allowed(fact)}")
                    print("  " + "\n  ".join(map(str, person.writes[fact])))

    def _enrolment(self, enrolment: Enrolment, people: dict[int, Person]) -> None:
        simulated = self.run.terminals[enrolment.terminal_id].terminal
        where = f"{enrolment.number} at terminal {enrolment.terminal_id}"
        there, face = simulated.people.get(enrolment.number), simulated.faces.get(enrolment.number)
        if enrolment.desired == ABSENT and enrolment.person == CONFIRMED and there:
            self.run.problem(f"{where}: a removal is confirmed, and somebody is there: {there['name']}")
        if enrolment.desired != PRESENT or not enrolment.employee:
            return
        if not enrolment.employee.is_active:
            self.run.problem(f"{where}: wanted, and inactive")
        if enrolment.person != CONFIRMED:
            return
        if not there or there["name"] != enrolment.employee.name:
            self.run.problem(f"{where}: confirmed, and not so there: {there and there['name']}")
            return
        self._limit(where, enrolment.employee, there)
        person = people.get(enrolment.employee_id or 0)
        if enrolment.face == CONFIRMED and (face is None or (person and key_of(face.jpeg) != person.key)):
            whose = f"the face of person {key_of(face.jpeg)}" if face else "no face"
            self.run.problem(f"{where}: green with {whose}, not of person {person and person.key}")

    def _limit(self, where: str, employee: Employee, there: dict[str, Any]) -> None:
        last, valid = employee.valid_to, there.get("Valid") or {}
        if last and valid.get("endTime") != f"{last.isoformat()}T23:59:59":
            self.run.problem(f"{where}: confirmed until {last}, and may pass there until {valid.get('endTime')}")

    def _terminal(self, terminal_id: int, simulated: Simulated, enrolments: list[Enrolment]) -> None:
        known = {one.number: one for one in enrolments}
        for number, person in simulated.people.items():
            row = known.get(number)
            if row is None or (row.desired == ABSENT and row.person == CONFIRMED):
                self.run.problem(f"{number} ({person['name']}) is at terminal {terminal_id}, and nothing says so")
        if simulated.wrong_passwords:
            self.run.problem(f"terminal {terminal_id} refused a password")

    def _files(self) -> None:
        for photo in db.session.execute(select(Photo).where(Photo.forgotten_at.is_(None))).scalars():
            if storage.path_of(photo) is None:
                self.run.problem(f"photo {photo.id} has lost its file {photo.file}")

    def _erased(self) -> None:
        kept_for_the_record = {"audit", "audit_entry", "erasure", "erasure_removal"}
        tables = [table for table in db.metadata.sorted_tables if table.name not in kept_for_the_record]
        complete = set(
            db.session.execute(select(Erasure.employee_id).where(Erasure.completed_at.is_not(None))).scalars()
        )
        # What was sent later may name the person.
        marks = [
            f"Иванов Иван {person.key} "
            for person, begun in self.run.erased
            if person.id in complete
            and not any(person.key in keys and upload.ended > begun for keys, upload in self.run.named)
        ]
        for table in tables:
            for row in db.session.execute(table.select()):
                for mark in marks:
                    if mark in str(tuple(row)):
                        self.run.problem(f"{mark.strip()} was erased, and is in {table.name}: {str(tuple(row))[:200]}")

    def _logs(self) -> None:
        output = self.run.served.log.read_text(errors="replace")
        for words in ("deadlock detected", "database is locked", "Traceback (most recent call last)"):
            if count := output.count(words):
                self.run.problem(f"{count} times in the output: {words}")
                (self.run.folder.parent / "random-run.log").write_text(output)


def run_for(seconds: float, database: str, seed: int) -> list[str]:
    """Run on a fresh database, print what was done, and return what was broken."""
    with TemporaryDirectory(prefix="random-run-") as folder:
        cluster, address = None, {}
        if database == "postgresql":
            bin_folder = programs()
            assert bin_folder, "PostgreSQL is not installed"
            cluster = Cluster(bin_folder)
            cluster.start()
            address = {"DATABASE_URL": cluster.create("random_run")}
        run = Run(Path(folder), address, seed)
        try:
            run.start()
            run.go(seconds)
            print(", ".join(f"{name} {count}" for name, count in sorted(run.counted.items())))
            return run.problems
        finally:
            run.stop()
            if cluster:
                cluster.stop()


def main() -> int:
    """Run, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    problems = run_for(asked.seconds, asked.database, asked.seed)
    print("\n".join(f"BROKEN: {one}" for one in problems) or "Nothing was broken.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
