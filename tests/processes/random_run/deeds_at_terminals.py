"""What happens at terminals: people pass, alarms ring, requests fail, other software writes, devices are swapped."""

import time
from contextlib import suppress
from datetime import date, timedelta

from tests.invariants.properties import LAST, OURS
from tests.processes.random_run.caller import ANSWERS, Caller
from tests.processes.random_run.recount_passages import ALARM
from tests.processes.random_run.world import Person

# Requests of captures, people, faces, removals, lists and logs.
PATHS = (
    *("UserInfo/Record", "FDSetUp", "UserInfo/Modify", "UserInfoDetail/Delete", "CaptureFaceData"),
    *("UserInfo/Search", "FDSearch", "AcsEvent", "UserInfo/Count", "httpHosts"),
)
FAULTS = ("lost-before", "lost-after", "drop", "ok-without-effect", "slow")
OF_CAPTURES = ("busy", "nobody", "low-quality", "picture-is-noise", "overwrite", "overwrite-after")
MAX_STRANGERS = 12


class AtTerminals(Caller):
    """People and devices do what they do."""

    def pass_by(self) -> None:
        """Somebody shows a face at a terminal, or a stranger does."""
        simulated = self.world.terminals[self.terminal()]
        known = [number for number in simulated.people if number not in self.world.strangers]
        for _ in range(self.chance.randrange(1, 5)):
            simulated.pass_by(self.chance.choice(known) if known and self.chance.random() < 0.9 else None)

    def alarm(self) -> None:
        """A terminal is opened by force."""
        self.world.terminals[self.terminal()].events.add(*ALARM)

    def see_alarm(self) -> None:
        """An operator marks an alarm as seen that the page shows."""
        terminal_id = self.terminal()
        for count in self.chance.sample(range(1, 9), 4):
            seen = {"terminal": str(terminal_id), "code": "{}/{}".format(*ALARM), "count": str(count)}
            self.post("/attention/seen", seen)

    def trouble(self) -> None:
        """Something goes wrong at a terminal."""
        faults = self.world.terminals[self.terminal()].faults
        if self.chance.random() < 0.3:
            faults.add(self.chance.choice(OF_CAPTURES), times=1)
        elif self.chance.random() < 0.1:
            faults.add("removal-fails", times=2)
        else:
            fault, path = self.chance.choice(FAULTS), self.chance.choice(PATHS)
            faults.add(fault, "3" if fault == "slow" else "", path=path, times=1)

    def compare(self) -> None:
        """Compare a terminal, and send whom it lacks."""
        terminal_id = self.terminal()
        answer = self.call("POST", f"/api/devices/{terminal_id}/compare")
        if answer.ok and self.chance.random() < 0.5:
            lost = answer.json()["only_here"]
            self.call("POST", f"/api/devices/{terminal_id}/apply", json={"send": lost[:5]})

    def take_over(self) -> None:
        """Take over somebody whom other software wrote to a terminal, or the days that it gave to somebody of ours."""
        terminal_id = self.terminal()
        made = self._stranger(terminal_id) if self.chance.random() < 0.5 else self._limited(terminal_id)
        if made is None:
            return
        person, facts = made
        with self.writing(person, **facts):
            if not self.call("POST", f"/api/devices/{terminal_id}/compare").ok:
                return
            begun = self.call("POST", f"/api/devices/{terminal_id}/apply", json={"take_over": [person.number]})
            job_id = self.job_of(begun)
            found = self.call("GET", "/api/users/", params={"q": person.number}).json()
            person.id = person.id or next((row["id"] for row in found if row["hikvision_id"] == person.number), 0)
        if job_id and person.number in self.world.strangers and self.chance.random() < 0.5:
            with self.writing(person, there=False), self.writing(person, there=True):
                self.job_of(self.call("POST", f"/api/jobs/{job_id}/undo", json={}))

    def _stranger(self, terminal_id: int) -> tuple[Person, dict[str, object]] | None:
        """Let other software write somebody with a face to a terminal."""
        if len(self.world.strangers) >= MAX_STRANGERS:
            return None
        person = self.world.add_person(f"S{next(self.world.keys)}")
        name, store = self.world.name(person), self.world.terminals[terminal_id].store
        self.world.strangers.add(person.number)
        valid = {"enable": True, "beginTime": OURS, "endTime": LAST, "timeType": "local"}
        with self.world.terminals[terminal_id].lock:
            store.add(person.number, {"name": name, "Valid": valid})
            store.bind(person.number, person.face)
        facts = {"full_name": name, "number": person.number, "department": "", "valid_to": ""}
        return person, {**facts, "there": True, "is_active": True}

    def _limited(self, terminal_id: int) -> tuple[Person, dict[str, object]] | None:
        """Let other software give another last day to somebody of ours."""
        person, simulated = self.somebody(), self.world.terminals[terminal_id]
        last = date.today() + timedelta(self.chance.randrange(100, 400))  # noqa: DTZ011
        with simulated.lock:
            there = simulated.people.get(person.number) if person else None
            if person is None or there is None:
                return None
            self.world.limited.add((terminal_id, person.number, f"{last}T23:59:59"))
            there["Valid"] = {"enable": True, "beginTime": OURS, "endTime": f"{last}T23:59:59", "timeType": "local"}
        return person, {"valid_to": last.isoformat()}

    def retire(self) -> None:
        """Take one of the later terminals out of service, or swap its device and bring its people back."""
        with self.world.lock:
            later = sorted(self.run.servers)[2:]
            if not later:
                return
            terminal_id = self.chance.choice(later)
            is_over = self.chance.random() < 0.5
            simulated = self.world.terminals[terminal_id]
            self.world.begun[terminal_id] = None
            if is_over:
                self.run.remove_terminal(terminal_id)
        if is_over:
            retire = f"/terminals/{terminal_id}/retire"
            while not self._is_retired(retire) and not self.run.over.is_set():
                time.sleep(0.2)
            added = self.run.add_terminal(f"Вход {next(self.world.keys)}")
            self.call_confirmed("PUT", f"/api/groups/{self.run.groups[0]}", "json", {"device_ids": [added]})
            return
        with simulated.lock:
            simulated.store.remove(list(simulated.people))
            simulated.serial = f"{next(self.world.keys):07d}"
            simulated.events.reset()
            simulated.pass_by(None)
        self.post(f"/terminals/{terminal_id}/check", {})
        time.sleep(1.0)
        self.agree(f"/terminals/{terminal_id}/restore")

    def _is_retired(self, address: str) -> bool:
        """False where a process was killed meanwhile, or somebody was sent there since the question."""
        with suppress(*ANSWERS):
            return self.agree(address, note="разобран").status_code == 303
        return False
