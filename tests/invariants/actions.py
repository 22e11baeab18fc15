"""What people do: operators at the pages and by the API, hands at the terminal, and what happens in between."""

from collections.abc import Callable

from flask import Flask

from hikflask.background import tasks
from hikflask.models.capture import RUNNING
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import cancel_capture, send_cancel, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import desired
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator.errors import Refusal
from tests.invariants.properties import Properties
from tests.invariants.world import World
from tests.support.due import claim_due

NUMBERS = ("1001", "1002", "1003")
NAMES = ("Иван Иванов", "Ёлкина Ольга Константиновна", "Пётр Чехов")
OPERATORS = ("Анна", "Борис")
# Of all that is forgotten, a world has captures and photos only.
FORGETTING = [step for step in tasks.FORGETTING if step.__module__.split(".")[2] in {"captures", "photos"}]
Action = Callable[[], None]


class Actions:
    """Everything that can be done to a world; each action may be refused, and then nothing came of it."""

    def __init__(self, world: World, properties: Properties) -> None:
        self.world = world
        self.properties = properties
        self.names = 0

    # Operators.

    def capture(self, who: int, number: str, terminal_id: int, take_over: bool, *, queue_only: bool = False) -> int:
        """Press the button and, unless told otherwise, let the worker take the face; return the capture's id or 0."""
        self.world.simulated[terminal_id - 1].present_alone(self.world.pictures.new(), stay=1e9)
        with self.world.process():
            draft = Draft(number, self._name(number))
            started = start_capture(terminal_id, draft, OPERATORS[who], take_over=take_over).id
            if not queue_only:
                run_capture(started)
            return started
        return 0

    def run_queued(self) -> None:
        """Let the worker take what is queued."""
        for row in self.world.sql("SELECT id FROM capture WHERE state = 'queued'"):
            with self.world.process():
                run_capture(row["id"])

    def cancel(self) -> None:
        """Cancel what runs, and tell the terminal."""
        for row in self.world.sql(f"SELECT id FROM capture WHERE state IN {RUNNING}"):
            with self.world.process():
                cancel_capture(row["id"])
                send_cancel(row["id"])

    def save(self, capture_id: int | None, number: str, name: str, app: Flask | None = None) -> None:
        """Save the form: a new employee, or a change of the one who has the number."""
        with self.world.process(app):
            known = search.by_number(number)
            draft = Draft(number, name)
            saved = save_employee(
                draft, FaceSource(capture_id, take_over=True), employee_id=known.id if known else None
            ).row
            self.properties.employees.add(saved.id)

    def save_capture(self, capture_id: int) -> None:
        """Save a capture under the number and name that were typed for it."""
        row = self.world.sql("SELECT draft_number, draft_name FROM capture WHERE id = ?", capture_id)
        if row:
            self.save(capture_id, row[0]["draft_number"], row[0]["draft_name"])

    def rename(self, number: str, app: Flask | None = None, *, valid_to: str = "") -> None:
        """Save another name, and a last day or none."""
        with self.world.process(app):
            known = search.by_number(number)
            if known:
                self.names += 1
                save_employee(Draft(number, f"{NAMES[0]} {self.names}", valid_to=valid_to), employee_id=known.id)

    def renumber(self, old: str, new: str, capture_id: int | None) -> None:
        """Save another number, with a new face."""
        with self.world.process():
            known = search.by_number(old)
            if known:
                save_employee(Draft(new, known.name), FaceSource(capture_id, take_over=True), employee_id=known.id)

    def send(self, number: str, terminal_id: int) -> None:
        """Send somebody to a further terminal."""
        with self.world.process():
            known = search.by_number(number)
            if known:
                send_to_terminal(known.id, terminal_id)

    def sync(self, who: int, number: str, terminal_id: int | None, overwrite: bool) -> None:
        """Synchronise as a program does; what is answered as verified must be so."""
        with self.world.process():
            known = search.by_number(number)
            if known:
                wished = sync_employee(known.id, terminal_id, OPERATORS[who], overwrite=overwrite).row
                reconcile(wished.id, OPERATORS[who], prove_again=True)

    def settle(self, number: str, app: Flask | None = None, *, again: bool = False) -> None:
        """Let a job bring a number to its terminals."""
        for row in self.world.sql("SELECT id FROM enrolment WHERE number = ?", number):
            with self.world.process(app):
                reconcile(row["id"], "job", prove_again=again)

    def sweep(self) -> None:
        """Let the worker do what is due."""
        claimed: list[int] = []
        with self.world.process():
            deadline.fail_overdue()
            claimed = claim_due()
        for enrolment_id in claimed:
            with self.world.process():
                reconcile(enrolment_id, "sweep")

    def forget(self) -> None:
        """Let the worker forget the pictures and drafts that were kept long enough."""
        with self.world.process():
            for step in FORGETTING:
                step()

    def let_days_pass(self) -> None:
        """Let captures have ended long ago, and those who left be gone for days: pictures and drafts are forgotten."""
        self.world.let_time_pass()
        self.world.sql("UPDATE capture SET deadline = '2001-01-01 00:00:00.000000'")
        self.world.sql("UPDATE photo SET created_at = '2001-01-01 00:00:00.000000'")
        self.world.sql("UPDATE employee SET left_at = '2001-01-01 00:00:00.000000' WHERE left_at > ''")
        self.forget()
        self.properties.taken.clear()

    def try_again(self, number: str, replace: bool) -> None:
        """Press "Try again" or "Replace" at each terminal."""
        for row in self.world.sql("SELECT id, generation FROM enrolment WHERE number = ?", number):
            with self.world.process():
                if replace:
                    desired.desire_overwrite(row["id"], row["generation"])
                else:
                    desired.retry(row["id"])

    def set_active(self, number: str, active: bool, app: Flask | None = None) -> None:
        """Let somebody leave, or come back."""
        with self.world.process(app):
            known = search.by_number(number)
            if known:
                set_active(known.id, active=active)

    def delete(self, number: str, app: Flask | None = None) -> None:
        """Delete somebody for good."""
        with self.world.process(app):
            known = search.by_number(number)
            if known:
                own = self.world.sql(
                    "SELECT c.id FROM capture c JOIN photo p ON p.id = c.photo_id WHERE p.employee_id = ?", known.id
                )
                delete_employee(known.id)
                self.properties.employees.discard(known.id)
                for row in own:
                    self.properties.taken.pop(row["id"], None)

    def change_password(self, terminal_id: int) -> None:
        """Change the password at the terminal; ours is wrong from now on, which we may find out once."""
        self.world.simulated[terminal_id - 1].login.password = f"Other{self.properties.allowed_refusals:04d}"
        self.properties.allowed_refusals += 1

    def correct_password(self, terminal_id: int) -> None:
        """Tell us the terminal's password."""
        position = terminal_id - 1
        password, profile = self.world.simulated[position].login.password, self.world.profiles[position]
        access = Access(
            f"T{position}",
            f"http://terminal{position}.test",
            "admin",
            password,
            face_by_picture=not profile.face_by_url,
        )
        with self.world.process():
            registry.change(terminal_id, access, "Анна", wait=0.0)

    # Hands at the terminal.

    def hand(self, action: str, number: str, terminal_id: int) -> None:
        """Somebody changes a record at the terminal itself."""
        register = self.world.simulated[terminal_id - 1].store
        actions: dict[str, Action] = {
            "add": lambda: register.add(number, {"name": "Чужой Человек"}),
            "other name": lambda: register.change(number, {"name": "Другое Имя"}),
            "face": lambda: register.bind(number, self.world.pictures.new()),
            "rights": lambda: register.change(
                number, {"doorRight": "1,2", "RightPlan": [{"doorNo": 2, "planTemplateNo": "7"}]}
            ),
            "remove": lambda: register.remove([number]),
            "no face": lambda: register.unbind([number]),
        }
        self.properties.touch(terminal_id, number)
        try:
            actions[action]()
        except Refusal:
            return

    # In the middle of a conversation.

    def in_between(self, action: str, number: str, terminal_id: int) -> None:
        """What others do while a conversation goes on: at the terminal, or in another server process."""
        simulated, other = self.world.simulated[terminal_id - 1], self.world.other
        actions: dict[str, Action] = {
            "capture elsewhere": lambda: simulated.capture_elsewhere(self.world.pictures.new()),
            "restart": simulated.restart,
            "kill": self.world.kill,
            "rename": lambda: self.rename(number, other),
            "leave": lambda: self.set_active(number, False, other),
            "delete": lambda: self.delete(number, other),
            "late": lambda: self._somebody_else(number),
            "password": lambda: self.change_password(terminal_id),
            "remove": lambda: self.hand("remove", number, terminal_id),
            "face": lambda: self.hand("face", number, terminal_id),
        }
        actions[action]()

    def _somebody_else(self, number: str) -> None:
        """The worker stands still for so long that another one takes over."""
        self.world.end_leases()
        self.settle(number, self.world.other)

    def _name(self, number: str) -> str:
        row = self.world.sql("SELECT name FROM employee WHERE number = ?", number)
        return str(row[0]["name"]) if row else NAMES[NUMBERS.index(number)]

    def end_all_trouble(self) -> None:
        """Faults end, passwords are corrected, and the worker has all the time it needs."""
        for terminal_id, simulated in enumerate(self.world.simulated, start=1):
            simulated.faults.clear()
            simulated.clear_hooks()
            simulated.login.unlock()
            self.world.end_leases()
            self.correct_password(terminal_id)
        for _ in range(8):
            if self.world.sql("SELECT id FROM enrolment WHERE next_attempt_at > ''"):
                self.world.let_time_pass()
                self.sweep()
