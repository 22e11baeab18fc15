"""What is done for many people at once: imports, groups of terminals, jobs."""

import io
import time
from typing import Any

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import ImportRow
from hikflask.models.import_batch import WRONG
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.db import end_read
from hikflask.services.imports import batches, corrections
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import Upload
from tests.processes.random_run.caller import DEPARTMENTS, Caller, Fields
from tests.processes.random_run.world import Person, Write
from tests.support.removals import AGREED

HEADER = "ID;ФИО;Отдел;Действует до"
# So many people are new in a table, and all tables together bring about so many.
NEW_IN_A_TABLE, MAX_BROUGHT = 4, 40


class ForMany(Caller):
    """Tables come in, are corrected and undone; groups and jobs move, send and deactivate people."""

    def _table(self, people: list[Person]) -> list[str]:
        """Return rows with new values for people. Whether a row is applied is not known."""
        rows = []
        for person in people:
            number = person.number
            values = {fact: self.value(person, fact) for fact in ("full_name", "department", "valid_to")}
            # Whoever has the number meanwhile may get it.
            with self.world.lock:
                for one in self.world.people:
                    for fact, value in values.items() if number in one.numbers else ():
                        one.writes.setdefault(fact, []).append(Write(value, time.monotonic(), deed="import"))
            rows.append(f"{number};{values['full_name']};{values['department']};{values['valid_to']}")
        return rows

    def import_(self) -> None:
        """Import a table by the API."""
        people = [*self.some_people(6), *(brought := self._newcomers())]
        with self.world.naming(people):
            self._import(self._table(people))
        self._find(brought)

    def _newcomers(self) -> list[Person]:
        """Return people whom only a table knows, until there were many of them."""
        brought = sum(person.number.startswith("T") for person in self.world.people)
        count = NEW_IN_A_TABLE if brought < MAX_BROUGHT else 0
        numbers = [f"T{2000 + next(self.world.keys)}" for _ in range(count)]
        facts = {"there": True, "is_active": True}
        return [self.world.add_person(number, number=number, **facts) for number in numbers]

    def _find(self, brought: list[Person]) -> None:
        """Let everybody know those whom a table has brought."""
        for person in brought:
            found = self.call("GET", "/api/users/", params={"q": person.number}).json()
            person.id = next((row["id"] for row in found if row["hikvision_id"] == person.number), 0)

    def _import(self, rows: list[str]) -> dict[str, Any]:
        files = {"file": ("people.csv", "\n".join([HEADER, *rows]).encode("utf-8-sig"))}
        answer = self.call_confirmed("POST", "/api/users/import", "data", {"groups": "true"}, files=files)
        return dict(answer.json()) if answer.ok else {}

    def undo_import(self) -> None:
        """Import a table, and undo it: each field has the value of before or of after."""
        people, brought = self.some_people(4), self._newcomers()
        with self.world.naming([*people, *brought]):
            with self.world.lock:
                for person in people:
                    for fact in ("full_name", "department", "valid_to", "is_active"):
                        before = [Write(value, time.monotonic(), deed="undo") for value in person.allowed(fact)]
                        person.writes.setdefault(fact, []).extend(before)
            batch = self._import(self._table([*people, *brought])).get("batch")
            self._find(brought)
            if batch:
                time.sleep(self.chance.uniform(0.0, 1.0))
                with self.writing(*brought, there=False):
                    self.job_of(self.call_confirmed("POST", f"/api/users/import/{batch}/undo", "json", {}))

    def correct_import(self) -> None:
        """Check a table with wrong rows, put them right, and import it; as a process of its own."""
        people = self.some_people(4)
        rows = self._table(people)
        wrong = [row.replace(";", "!;", 1) if place % 2 else row for place, row in enumerate(rows)]
        with self.world.naming(people), self.run.app.app_context():
            try:
                table = io.BytesIO("\n".join([HEADER, *wrong]).encode())
                batch = batches.make(Upload("people.csv", table), None)
                batches.choose(batch.id, batch.fields, None, groups=True)
                run_to_end(import_jobs.start_check(batch.id))
                cells = select(ImportRow.id, ImportRow.cells).where(ImportRow.batch_id == batch.id)
                read = db.session.execute(cells.where(ImportRow.verdict == WRONG)).all()
                end_read()
                corrections.correct(batch.id, {row.id: [row.cells[0].rstrip("!"), *row.cells[1:]] for row in read})
                run_to_end(import_jobs.start_import(batch.id, AGREED))
            finally:
                db.session.remove()

    def move_many(self) -> None:
        """Move selected people to another department."""
        people, department = self.some_people(4), self.chance.choice(DEPARTMENTS)
        with self.writing(*people, department=department):
            self._start("department", people, "remove", department=department)

    def send_many(self) -> None:
        """Send selected people to a terminal."""
        self._start("send", self.some_people(5), "start", terminal_id=str(self.terminal()))

    def deactivate_many(self) -> None:
        """Deactivate selected people."""
        people = self.some_people(3)
        with self.writing(*people, is_active=False):
            self._start("deactivate", people, "deactivate")

    def _start(self, kind: str, people: list[Person], button: str, **typed: str) -> None:
        draft = self.post("/jobs/preview", {"action": kind, "employee": [str(one.id) for one in people]})
        path = draft.headers.get("Location", "").removeprefix(self.url)
        if draft.status_code != 303 or not path.rpartition("/")[2].isdecimal():
            return
        shown = Fields(self.page(path)).values
        answer = self.post(f"{path}/{button}", {**shown, **typed, "confirm": str(len(people))})
        if answer.status_code == 303:
            self.wait_for(path.rpartition("/")[2])

    def regroup(self) -> None:
        """Let a group have other terminals."""
        ids = [terminal_id for terminal_id in sorted(self.run.servers) if self.chance.random() < 0.6]
        group = f"/api/groups/{self.chance.choice(self.run.groups)}"
        self.call_confirmed("PUT", group, "json", {"device_ids": ids})

    def group_of_its_own(self) -> None:
        """Make a group, and delete it a little later."""
        given = {"name": f"Группа {next(self.world.keys)}", "device_ids": [self.terminal()], "departments": ["Офис"]}
        made = self.call_confirmed("POST", "/api/groups/", "json", given)
        time.sleep(self.chance.uniform(0.0, 2.0))
        if made.ok:
            self.call_confirmed("DELETE", f"/api/groups/{made.json()['id']}", "params", {})
