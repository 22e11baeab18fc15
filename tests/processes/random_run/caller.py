"""Those who act: each is an operator with a browser, who has a program, too, and does one thing after the other."""

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import requests
from flask import Flask

from hikflask.isapi.errors import TerminalError
from hikflask.services.core.errors import ServiceError
from hikflask.simulator import SimulatorServer
from tests.processes.processes import Served
from tests.processes.random_run.world import Person, World, Write
from tests.support.signed_in import client_of

DEPARTMENTS = ("Охрана", "Склад", "Офис")
NUMBERS = [f"N{number}" for number in range(2100, 2124)]
# What a terminal may not be there for any more, and what a service refuses.
ANSWERS = (requests.RequestException, KeyError, ServiceError, TerminalError)


class Place(Protocol):
    """What an actor needs of the run."""

    folder: Path
    seed: int
    app: Flask
    world: World
    counted: Counter[str]
    quiet: threading.Event
    over: threading.Event
    groups: list[int]
    servers: dict[int, SimulatorServer]
    at_terminal: dict[int, threading.Lock]

    @property
    def served(self) -> Served: ...

    def turn(self) -> AbstractContextManager[None]: ...

    def add_terminal(self, name: str) -> int: ...

    def remove_terminal(self, terminal_id: int) -> None: ...


class Fields(HTMLParser):
    """The fields of a page's form as a browser would send them."""

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


class Caller:
    """How an actor calls pages and the API, and keeps what was written."""

    def __init__(self, run: Place, place: int) -> None:
        self.run, self.world = run, run.world
        self.chance = random.Random(run.seed * 100 + place)  # noqa: S311 - the same deeds each time
        client = client_of(run.app, name=f"Оператор {place}")
        cookie = client.get_cookie("hikflask")
        assert cookie
        self.url, self.http = run.served.url, requests.Session()
        self.http.trust_env = False
        self.http.cookies.set("hikflask", cookie.value, domain="127.0.0.1")
        self.token = client.token
        self.csrf = ""

    def live(self, deeds: list[tuple[int, Callable[[], None]]]) -> None:
        """Do one of these deeds after the other, as often as they weigh, until the end."""
        bag = [deed for weight, deed in deeds for _ in range(weight)]
        while not self.run.over.is_set():
            if self.run.quiet.is_set():
                time.sleep(0.1)
                continue
            deed = self.chance.choice(bag)
            with self.run.turn():
                try:
                    deed()
                    self.run.counted[deed.__name__] += 1
                except ANSWERS:
                    pass
                except Exception as error:  # noqa: BLE001 - or nobody would notice that an actor does nothing
                    self.world.problem(f"{deed.__name__} cannot be done: {error!r}")

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        """Call the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(method, self.url + path, headers=headers, timeout=60, **given)
        return self._seen(answer, f"{method} {path}")

    def call_confirmed(
        self, method: str, path: str, by: str, fields: dict[str, Any], **given: Any
    ) -> requests.Response:
        """Call the API with fields, and confirm how many lose access by it, where it asks."""
        answer = self.call(method, path, **{by: fields}, **given)
        if answer.status_code == 409 and answer.json()["error"] == "unsafe_plan":
            return self.call(method, path, **{by: {**fields, "confirm": answer.json()["count"]}}, **given)
        return answer

    def post(self, path: str, fields: dict[str, Any]) -> requests.Response:
        """Send a form of a page."""
        if not self.csrf:
            self.csrf = Fields(self.http.get(f"{self.url}/employees/new", timeout=60).text).values.get("csrf_token", "")
        data = {**fields, "csrf_token": self.csrf}
        answer = self.http.post(self.url + path, data=data, timeout=60, allow_redirects=False)
        return self._seen(answer, f"POST {path}")

    def page(self, path: str) -> str:
        """Return a page."""
        return self._seen(self.http.get(self.url + path, timeout=60), f"GET {path}").text

    def agree(self, path: str, question: str = "", **typed: str) -> requests.Response:
        """Answer the question of a page: what it showed is sent along."""
        return self.post(path, {**Fields(self.page(question or path)).values, **typed})

    def job_of(self, answer: requests.Response) -> int | None:
        """Wait for the end of the job that a call has begun; return its id, or None when it began none."""
        job_id = answer.json().get("job") if answer.ok else None
        if job_id:
            self.wait_for(job_id)
        return job_id

    def wait_for(self, job_id: int | str) -> None:
        """Wait a while for the end of a job."""
        for _ in range(60):
            if self.call("GET", f"/api/jobs/{job_id}").json().get("state") not in {"waiting", "running"}:
                return
            time.sleep(0.2)

    def _seen(self, answer: requests.Response, what: str) -> requests.Response:
        if answer.status_code == 500:
            self.world.problem(f"500 for {what}: {answer.text[:200]}")
        self.run.counted[f"status {answer.status_code}"] += 1
        return answer

    @contextmanager
    def writing(self, *people: Person, **values: Any) -> Iterator[dict[str, bool]]:
        """Keep what is written about people; `outcome["taken"]` says what came of it, nothing: not known."""
        outcome: dict[str, bool] = {}
        begun = time.monotonic()
        deed = sys._getframe(2).f_code.co_name
        made = []
        with self.world.lock:
            for person in people:
                for fact, value in values.items():
                    made.append(Write(value, begun, deed=deed))
                    person.writes.setdefault(fact, []).append(made[-1])
        try:
            yield outcome
        finally:
            if "taken" in outcome:
                for write in made:
                    write.ended, write.taken = time.monotonic(), outcome["taken"]

    def somebody(self) -> Person | None:
        """Return one of the people who are not surely gone."""
        with self.world.lock:
            there = [one for one in self.world.people if one.id and not one.surely("there", False)]
        return self.chance.choice(there) if there else None

    def some_people(self, count: int) -> list[Person]:
        """Return some of them, each once."""
        chosen = {one.key: one for one in (self.somebody() for _ in range(count)) if one}
        return list(chosen.values())

    def terminal(self) -> int:
        """Return a terminal in use."""
        return self.chance.choice(sorted(self.run.servers))

    def camera(self) -> int:
        """Return a terminal that captures for all: the first two are never taken out of service."""
        return self.chance.choice(sorted(self.run.servers)[:2])

    def day(self) -> str:
        """Return a last day, or none."""
        days = self.chance.randrange(0, 400)
        return (date.today() + timedelta(days)).isoformat() if days > 80 else ""  # noqa: DTZ011

    def value(self, person: Person, fact: str) -> str:
        """Return another value for a field of somebody."""
        made = {"full_name": self.world.name(person), "department": self.chance.choice(DEPARTMENTS)}
        return made.get(fact) or self.day()
