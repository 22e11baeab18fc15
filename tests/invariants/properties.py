"""What must be true at every moment, whatever happened: read beside the app, compared with the terminals' memory."""

import hashlib
import sqlite3

from hikflask.models import Terminal
from hikflask.services.core.terminal_name import name_for
from hikflask.simulator import Terminal as Simulated
from tests.invariants.world import World

Key = tuple[int, str]
EVERYTHING = """
SELECT e.*, coalesce(e.refusal ->> '$.code', '') AS refusal_code,
       m.name AS employee_name, m.terminal_name, m.valid_to, t.name_bytes, m.is_active,
       m.number AS employee_number, w.sha256 AS wanted_sha256, c.sha256 AS confirmed_sha256,
       c.file AS confirmed_file, t.refused_since,
       c.forgotten_at AS confirmed_forgotten_at
FROM enrolment e JOIN terminal t ON t.id = e.terminal_id LEFT JOIN employee m ON m.id = e.employee_id
LEFT JOIN photo w ON w.id = e.photo_id LEFT JOIN photo c ON c.id = e.confirmed_photo_id
"""
AWAITED = "SELECT photo_id FROM enrolment WHERE desired = 'present' AND (person <> 'confirmed' OR face <> 'confirmed')"
WRONG_FLAGS = """SELECT id FROM employee WHERE has_face <> EXISTS (SELECT 1 FROM enrolment
WHERE employee_id = employee.id AND desired = 'present' AND photo_id IS NOT NULL)"""
LONG_AGO = "2002"  # in actions.py days pass by setting times back to 2001
OURS = "2000-01-01T00:00:00"  # the first moment of validity that we write, and nobody else
LAST = "2037-12-31T23:59:59"
# Doors and plan: as we write them, and as hands set them.
PLANS = {"1": "1", "1,2": "7"}


def key(row: sqlite3.Row) -> Key:
    """Return terminal and number of an enrolment."""
    return row["terminal_id"], row["number"]


def is_green(row: sqlite3.Row) -> bool:
    """Tell whether a page shows person and face as confirmed."""
    return bool(row["desired"] == "present" and row["person"] == row["face"] == "confirmed")


def is_gone(row: sqlite3.Row) -> bool:
    """Tell whether a page shows that the terminal confirmed the removal."""
    return row["desired"] == "absent" and row["person"] == "confirmed" and not row["confirmed_by"]


class Properties:
    """Watches one example: which records hands touched since they were proven, and what must not be lost."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.touched: set[Key] = set()
        self.touched_now: set[Key] = set()
        self.proven: dict[Key, str] = {}
        self.taken: dict[int, str] = {}
        self.over: dict[int, int] = {}
        self.employees: set[int] = set()
        self.faces: dict[int, set[str]] = {}
        self.allowed_refusals = 0

    def touch(self, terminal_id: int, number: str) -> None:
        """Note that somebody changed this record at the terminal by hand."""
        self.touched.add((terminal_id, number))
        self.touched_now.add((terminal_id, number))

    def check(self) -> None:
        """Compare rows, files and terminals."""
        rows = self.world.sql(EVERYTHING)
        for row in rows:
            self._notice_proof(row)
        self.touched_now.clear()
        self._check_photos()
        for row in rows:
            self._check_green(row)
            self._check_desired(row)
            self._check_removal(row)
        for position, simulated in enumerate(self.world.simulated):
            self._check_terminal(simulated, {row["number"]: row for row in rows if row["terminal_id"] == position + 1})
        self._check_captures()
        self._check_employees()

    def _simulated(self, row: sqlite3.Row) -> Simulated:
        terminal_id: int = row["terminal_id"]
        return self.world.simulated[terminal_id - 1]

    def _notice_proof(self, row: sqlite3.Row) -> None:
        """A proof of this very step outweighs what hands did before it."""
        if (
            (is_green(row) or is_gone(row))
            and self.proven.get(key(row)) != row["confirmed_at"]
            and key(row) not in self.touched_now
        ):
            self.touched.discard(key(row))
        self.proven[key(row)] = row["confirmed_at"]

    def _check_green(self, row: sqlite3.Row) -> None:
        if not is_green(row):
            return
        assert not row["face_unverified"], "a face in doubt is green"
        assert row["photo_id"] == row["confirmed_photo_id"], "green is about another photo"
        assert row["refusal_code"] == "", f"green and refused ({row['refusal']})"
        if key(row) in self.touched:
            return
        simulated, number = self._simulated(row), row["number"]
        assert number in simulated.people, "green, and nobody is there"
        terminal = Terminal(name="", name_bytes=row["name_bytes"])
        shown = name_for(terminal, row["employee_name"], row["terminal_name"])
        assert simulated.people[number]["name"] == row["written_name"] == shown, "green under another name"
        self._check_rights(row, simulated.people[number])
        assert number in simulated.faces, "green without a face"
        assert simulated.faces[number].sha256 == row["confirmed_sha256"], "green with another face"
        if not row["confirmed_forgotten_at"]:
            assert sha256(self.world.uploads / row["confirmed_file"]) == row["confirmed_sha256"]

    def _check_rights(self, row: sqlite3.Row, person: dict[str, object]) -> None:
        valid, plans = person.get("Valid"), person.get("RightPlan")
        assert isinstance(valid, dict), "green without a validity"
        assert isinstance(plans, list), "green without a plan"
        if is_ours(person):
            last = f"{row['valid_to']}T23:59:59" if row["valid_to"] else LAST
            assert valid["endTime"] == last, "green with another limit"
        assert [plan["planTemplateNo"] for plan in plans] == [PLANS[str(person["doorRight"])]], (
            "green with other rights"
        )

    def _check_desired(self, row: sqlite3.Row) -> None:
        confirmed = is_green(row) or (row["desired"] == "absent" and row["person"] == "confirmed")
        if not confirmed:
            assert row["next_attempt_at"] or row["refusal_code"], "what is wanted is forgotten without a reason"
        if row["face_unverified"]:
            # Where somebody else has the number, the attempt of a person's decision sees to the face first.
            decided = row["refusal_code"] == "employeenoalreadyexist"
            assert row["next_attempt_at"] or row["refused_since"] or decided, "a doubt is forgotten"
        if row["desired"] == "present":
            assert row["is_active"], "wanted, but inactive or deleted"
            assert row["employee_number"] == row["number"], "wanted under a number that the employee has no more"

    def _check_removal(self, row: sqlite3.Row) -> None:
        """Whatever name the record has; only hands that added it since may have put somebody there."""
        if is_gone(row):
            person = self._simulated(row).people.get(row["number"])
            assert not is_ours(person), "a removal is confirmed and the person is there"
            assert person is None or key(row) in self.touched, "a removal is confirmed and somebody is there"

    def _check_terminal(self, simulated: Simulated, rows: dict[str, sqlite3.Row]) -> None:
        for number, person in simulated.people.items():
            if is_ours(person):
                assert number in rows, "somebody of ours is on the terminal and nothing says so"
        for number, face in simulated.faces.items():
            row = rows.get(number)
            if row and key(row) not in self.touched and row["desired"] == "present" and not row["face_unverified"]:
                assert face.sha256 in self._own_photos(row), "somebody else's face is bound, and nothing doubts it"
        assert simulated.wrong_passwords <= self.allowed_refusals, "a refused password was sent again"

    def _check_photos(self) -> None:
        """A photo has its file until it is forgotten; the row of one that is superseded may go before its face does."""
        for row in self.world.sql("SELECT * FROM photo"):
            self.faces.setdefault(row["employee_id"], set()).add(row["sha256"])
            file = self.world.uploads / row["file"]
            if not row["forgotten_at"]:
                assert sha256(file) == row["sha256"], "a photo has lost its file"
            if row["file_deleted_at"]:
                assert not file.exists(), "a forgotten photo has its file still"

    def _own_photos(self, row: sqlite3.Row) -> set[str]:
        return self.faces.get(row["employee_id"], set())

    def _check_captures(self) -> None:
        found = "SELECT c.*, p.forgotten_at FROM capture c LEFT JOIN photo p ON p.id = c.photo_id"
        running: list[int] = []
        for row in self.world.sql(found):
            if row["state"] in {"captured", "used"}:
                self.taken.setdefault(row["id"], row["draft_number"] + row["draft_name"])
                if row["state"] == "used" and row["deadline"] < LONG_AGO:
                    self.over[row["id"]] = row["photo_id"]
                assert row["state"] == "used" or not row["forgotten_at"], "a picture is shown and cannot be saved"
                assert row["draft_number"] + row["draft_name"] == self.taken[row["id"]], "what was typed is another"
        for row in self.world.sql("SELECT terminal_id FROM capture WHERE state IN ('queued', 'waiting')"):
            running.append(row["terminal_id"])
        assert len(running) == len(set(running)), "two captures run on one terminal"

    def _check_employees(self) -> None:
        there = {row["id"] for row in self.world.sql("SELECT id FROM employee")}
        assert self.employees <= there, "a saved employee is lost"
        assert not self.world.sql(WRONG_FLAGS), "the flag of the list and the enrolments differ"
        lost = set(self.taken) - {row["id"] for row in self.world.sql("SELECT id FROM capture")}
        awaited = {row["photo_id"] for row in self.world.sql(AWAITED)}
        for capture_id in lost:
            # Its row goes in time, but never while a terminal has yet to confirm its face.
            assert capture_id in self.over, "a picture is lost"
            assert self.over[capture_id] not in awaited, "the row that tells where the face is has gone too early"
            del self.taken[capture_id]

    def check_end(self) -> None:
        """After all trouble, with enough attempts: confirmed, or refused with a reason that a person can act on."""
        for row in self.world.sql(EVERYTHING):
            removed = row["desired"] == "absent" and row["person"] == "confirmed"
            refused = row["refusal_code"] and row["refusal_code"] not in UNFINISHED
            assert is_green(row) or removed or refused, f"still open: {dict(row)}"
            assert not row["face_unverified"] or row["refusal_code"] == "employeenoalreadyexist", (
                "a doubt was never cleared"
            )


NOT_VERIFIED = {"person_not_verified", "name_not_verified", "face_not_verified", "removal_not_verified"}
NOT_VERIFIED |= {"validity_not_verified", "rights_not_verified", "removal_not_shown"}
NOT_VERIFIED |= {"removal_asked_again"}
UNFINISHED = {"unreachable", "no_answer", "devicebusy", "terminal_in_use", "wrong_password", "locked"} | NOT_VERIFIED


def is_ours(person: dict[str, object] | None) -> bool:
    """Tell whether this very record was added by us."""
    valid = person.get("Valid") if person else None
    return isinstance(valid, dict) and valid.get("beginTime") == OURS


def sha256(path: object) -> str:
    """Return the hash of a file's bytes."""
    with open(str(path), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
