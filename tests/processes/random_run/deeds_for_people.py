"""What is done for one person."""

import io
import time

from tests.processes.random_run.caller import DEPARTMENTS, NUMBERS, Caller, Fields
from tests.processes.random_run.world import Erased, Person, key_of

FIELDS = ("full_name", "department", "valid_to")


class ForPeople(Caller):
    """Employees are added, changed, captured, deactivated, deleted and erased."""

    def create(self) -> None:
        """Add somebody."""
        person = self.world.add_person(self.chance.choice(NUMBERS))
        given = {"full_name": self.world.name(person), "department": self.chance.choice(DEPARTMENTS)}
        given["valid_to"] = self.day()
        with self.writing(person, **given, is_active=True, there=True, number=person.number) as outcome:
            answer = self.call("POST", "/api/users/", json={"hikvision_id": person.number, **given})
            outcome["taken"] = answer.status_code == 201
        if answer.status_code == 201:
            person.id = answer.json()["id"]

    def put(self) -> None:
        """Change one field by a program."""
        if person := self.somebody():
            fact = self.chance.choice((*FIELDS, "valid_to"))
            value = self.value(person, fact)
            with self.writing(person, **{fact: value}) as outcome:
                outcome["taken"] = self.call("PUT", f"/api/users/{person.id}", json={fact: value}).ok

    def edit(self) -> None:
        """Change one field on the page; the other fields are sent as the page had them."""
        if person := self.somebody():
            fields = Fields(self.page(f"/employees/{person.id}/edit")).values
            if "full_name" not in fields:
                return
            fact = self.chance.choice(FIELDS)
            value = self.value(person, fact)
            time.sleep(self.chance.uniform(0.0, 0.5))
            with self.writing(person, **{fact: value}) as outcome:
                answer = self.post(f"/employees/{person.id}", {**fields, fact: value, "moved": "1"})
                outcome["taken"] = answer.status_code == 303

    def renumber(self) -> None:
        """Give somebody another number, for whom the face is sent anew."""
        if person := self.somebody():
            number = self.chance.choice(NUMBERS)
            person.numbers.add(number)
            with self.world.naming(numbers=[number]), self.writing(person, number=number) as outcome:
                answer = self.call("PUT", f"/api/users/{person.id}", json={"hikvision_id": number})
                outcome["taken"] = answer.ok
            if answer.ok:
                person.number = number

    def photo(self) -> None:
        """Send the photo of somebody."""
        if person := self.somebody():
            files = {"photo": ("a.jpg", io.BytesIO(person.face))}
            self.call("POST", f"/api/users/{person.id}/photo", files=files)

    def capture_by_program(self) -> None:
        """Capture somebody by a program, and bring the face to the terminal."""
        if person := self.somebody():
            terminal_id = self.camera()
            with self.run.at_terminal[terminal_id], self.world.naming([person]):
                self.world.terminals[terminal_id].present_alone(person.face)
                given = {"hikvision_id": person.number, "take_over": self.chance.random() < 0.5}
                answer = self.call("POST", f"/api/devices/{terminal_id}/start-face-capture", json=given)
            if answer.ok and self._is_face(answer.json()["photo_path"], person):
                self.call("POST", f"/api/users/{person.id}/sync-to-device", json={"device_id": terminal_id})

    def capture_on_page(self) -> None:
        """Capture somebody on the page, and save what it shows."""
        if person := self.somebody():
            fields, terminal_id = Fields(self.page(f"/employees/{person.id}/edit")).values, self.camera()
            if "full_name" not in fields:
                return
            with self.run.at_terminal[terminal_id]:
                self.world.terminals[terminal_id].present_alone(person.face)
                with self.world.naming([person]):
                    begun = self.post("/captures", fields | {"terminal_id": str(terminal_id), "take_over": "1"})
                capture = begun.headers.get("Location", "").rpartition("capture=")[2]
                page = self._captured(capture) if capture.isdecimal() else ""
            picture = page.partition('src="/uploads/')[2].partition('"')[0].partition("?")[0]
            if 'data-state="captured"' in page and self._is_face(f"/uploads/{picture}", person):
                shown = self.page(begun.headers["Location"].removeprefix(self.url))
                self.post(f"/employees/{person.id}", {**Fields(shown).values, "moved": "1"})

    def _captured(self, capture: str) -> str:
        """Return the fragment of a capture once it has ended, or after a while."""
        for _ in range(40):
            page = self.http.get(f"{self.url}/captures/{capture}", headers={"HX-Request": "true"}, timeout=60).text
            if page.partition('data-state="')[2].partition('"')[0] not in {"queued", "waiting"}:
                break
            time.sleep(0.2)
        return page

    def _is_face(self, path: str, person: Person) -> bool:
        """Look at the picture as the operator does."""
        answer = self.http.get(self.url + path, timeout=60)
        return answer.ok and key_of(answer.content) == person.key

    def leave_or_return(self) -> None:
        """Deactivate or activate somebody."""
        if person := self.somebody():
            active = self.chance.random() < 0.5
            with self.writing(person, is_active=active) as outcome:
                if self.chance.random() < 0.5:
                    outcome["taken"] = self.call("PUT", f"/api/users/{person.id}", json={"is_active": active}).ok
                else:
                    question = f"/employees/{person.id}" if active else f"/employees/{person.id}/deactivate"
                    self.agree(f"/employees/{person.id}/active", question, active="01"[active])

    def send(self) -> None:
        """Bring somebody to one terminal more."""
        if person := self.somebody():
            self.post(f"/employees/{person.id}/terminals", {"terminal_id": str(self.terminal())})

    def delete(self) -> None:
        """Delete somebody."""
        if person := self.somebody():
            with self.writing(person, there=False) as outcome:
                outcome["taken"] = self.call("DELETE", f"/api/users/{person.id}").ok

    def erase(self) -> None:
        """Erase somebody."""
        if person := self.somebody():
            begun = time.monotonic()
            with self.writing(person, there=False) as outcome:
                answer = self.agree(f"/employees/{person.id}/erase")
                outcome["taken"] = answer.status_code == 303 and "/erasures/" in answer.headers.get("Location", "")
            if outcome["taken"]:
                self.world.erased.append(Erased(person, person.numbers, begun))

    def erase_number(self) -> None:
        """Erase what is left of a number that no employee has any more."""
        number, begun = self.chance.choice(NUMBERS), time.monotonic()
        answer = self.agree("/erasures/", f"/erasures/number?number={number}", number=number)
        if answer.status_code == 303 and "/erasures/" in answer.headers.get("Location", ""):
            self.world.erased.append(Erased(None, {number}, begun))
