"""No secret comes into the audit trail: every action is done with known ones, then the table is searched."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.labels.audit import ACTIONS
from hikflask.models import AuditEntry, Operator, OperatorSession, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.services.audit import Entry
from hikflask.services.audit.search import AuditFilter, list_entries
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.run import run_to_end
from hikflask.services.departments import queries as departments
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.terminals import registry
from tests.cli.test_terminals import run
from tests.conftest import HOST, PASSWORD
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import Desk, typed
from tests.support.filled_forms import form_to
from tests.support.groups import change_group, make_group
from tests.support.import_batches import table as people_table
from tests.support.import_batches import upload
from tests.support.removals import AGREED
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

CHANGED, WRONG, TYPED_FOR_A_NAME = "Zq7-changed-pw", "Zq7-wrong-pw", "Zq7-password-as-name"
TYPED_AS_A_NOTE = "Zq7-personal-note"
CHOSEN = "семь зелёных лодок плывут"
URL = f"http://{HOST}"
# Deeds that need another device, a certificate, a killed worker or time that passes; they are noted in the same way,
# and tests/scenarios/test_audit_entries.py and those of retention do them. Comparisons: tests/services/comparisons; the
# company's directory: tests/services/accounts/test_ldap_check.py.
# Doors that do not open: tests/services/terminals/test_door.py.
# Restores: tests/scenarios/test_restored_backup.py. Passages: tests/web/passages and tests/services/passages.
ELSEWHERE = {
    "alarm.seen",
    "capture.failed",
    "capture.forgotten",
    "capture.superseded",
    "capture.taken_over",
    "clock.jumped",
    "difference.left_alone",
    "difference.taken_back",
    "employee.renumbered",
    "employee.validity_over",
    "enrolment.person_confirmed",
    "enrolment.refused",
    "enrolment.removal_chosen",
    "enrolment.removed_by_hand",
    "enrolment.replaced",
    "enrolment.somebody_elses",
    "enrolment.taken_over",
    "enrolment.taking_over_undone",
    "installation.restored",
    "mail.tested",
    "operator.left_directory",
    "passage.viewed",
    "passages.deleted",
    "passages.exported",
    "photo.forgotten",
    "sign_in.throttled",
    "terminal.certificate_changed",
    "terminal.compared",
    "terminal.destination_cleared",
    "terminal.door_not_known",
    "terminal.door_refused",
    "terminal.other_device",
    "terminal.people_lost",
    "terminal.privacy_set",
    "terminal.restore_ended",
    "terminal.restored",
    "terminal.sends_elsewhere",
}


def trail(app: Flask) -> list[Entry]:
    with app.app_context():
        return list_entries(AuditFilter(), 10_000)[0]


def table(app: Flask) -> str:
    """The whole table as text."""
    with app.app_context():
        rows = [repr(tuple(row)) for row in db.session.execute(db.select(AuditEntry.__table__))]
    return "\n".join([*rows, *map(repr, trail(app))])


def employees_come_and_go(desk: Desk) -> None:
    place = desk.save()
    desk.client.post(place, data=typed(full_name="Иван Петров"))
    desk.upload(OTHER_FACE, place, full_name="Иван Петров")
    desk.client.get(re.findall(r'src="(/uploads/[^"]+)"', desk.text(place))[0]).close()
    with desk.client.application.app_context():
        enrolment_id = db.session.execute(db.text("SELECT id FROM enrolment")).scalar_one()
    desk.client.post(f"/enrolments/{enrolment_id}/retry")
    for card, taken in (("7", "take-away"), ("8", "lost")):
        desk.client.post(f"{place}/cards", data={"number": card})
        desk.client.post(f"{place}/cards/{card_id(desk)}/{taken}")
    assert desk.client.application.test_cli_runner().invoke(args=["cards", "list"]).exit_code == 0
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    desk.client.post(f"{place}/active", data={"active": "1"})
    capture_id = desk.client.post("/captures", data=typed(employee_id="1")).location.rpartition("=")[2]
    desk.client.post(f"/captures/{capture_id}/cancel")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()
    captured = typed(hikvision_id="100555", capture_id=desk.capture(hikvision_id="100555"), take_over="1")
    client_of(desk.client.application, OPERATOR, "Лев").post("/employees/", data=captured)
    desk.run_jobs()


def card_id(desk: Desk) -> int:
    with desk.client.application.app_context():
        return int(db.session.execute(db.text("SELECT id FROM card")).scalar_one())


def many_are_selected(desk: Desk) -> None:
    job = desk.client.post("/jobs/preview", data={"action": "department", "all": "1"}).location
    desk.client.post(f"{job}/start", data={"department": "Склад"})
    desk.client.post(f"{job}/stop")
    desk.client.post(f"{job}/retry")
    file = desk.client.post("/jobs/preview", data={"action": "export", "all": "1"}).location
    desk.client.post(f"{file}/start", data={"format": "csv"})
    desk.run_jobs()
    assert desk.client.get(f"{file}/file", buffered=True).status_code == 200


def people_are_imported(desk: Desk) -> None:
    upload(desk.client, people_table("100700;Анна Иванова;Склад;"))
    for step in ("columns", "start", "undo"):
        sent = {"number": "0", "name": "1", "rows": "1", "mapping_name": "Кадры"}
        desk.client.post(f"/imports/1/{step}", data=sent)
        desk.run_jobs()
    desk.client.post("/imports/mappings/1", data={"name": "Отдел кадров"})
    desk.client.post("/imports/mappings/1/delete")


def departments_come_and_go(client: FlaskClient) -> None:
    for name in ("Склад 1", "Склад 2", "Склад 3"):
        client.post("/departments/", data={"name": name})
    with client.application.app_context():
        one, other, third = (one.id for one in departments.list_all() if one.name.startswith("Склад "))
    client.post(f"/departments/{one}", data={"name": "Архив 1"})
    question = client.get(f"/departments/merge?department={one}&into={other}").text
    form_to(question, "/departments/merge").send(client)
    client.post(f"/departments/{third}/delete")


def groups_come_and_go(desk: Desk) -> None:
    with desk.client.application.app_context():
        save_employee(Draft("100444", "Ольга"))
        group_id = make_group("Офис", [desk.terminal.id], "Охрана", added=["100444"])
        change_group(group_id, Wanted("Офис", [], ["Охрана"]))
        changing.change(group_id, None, run_to_end, AGREED)


def people_have_rights(desk: Desk) -> None:
    place = desk.save(hikvision_id="100333")
    desk.client.post(f"{place}/consent", data={"given_on": "2026-01-15", "basis": "consent", "note": TYPED_AS_A_NOTE})
    desk.client.post(f"{place}/consent/withdraw")
    desk.client.post(f"{place}/export").close()
    desk.client.post(f"{place}/erase")
    desk.run_jobs()
    with desk.client.application.app_context():
        tasks.sweep()


def terminals_come_and_go(app: Flask, client: FlaskClient) -> None:
    form = {"name": "Вход", "url": URL, "username": "admin", "is_active": "y"}
    client.post("/terminals/1", data={**form, "password": WRONG, "username": "operator"})
    client.post("/terminals/1/check")
    client.post("/terminals/1/try-once")
    client.post("/terminals/1", data={**form, "password": PASSWORD})
    client.post("/terminals/1/clock")
    app.config["DOOR"] = "admin"
    client.post("/terminals/1/open-door", data={"reason": "курьер"})
    run(app, "add", "Склад", "http://other.test", "admin", "--password-stdin", password=CHANGED)
    with app.app_context():
        other = registry.find_by_name("Склад")
        assert other is not None
    retire = f"/terminals/{other.id}/retire"
    form_to(client.get(retire).text, retire).send(client, note="сгорел")
    client.post(f"/terminals/{other.id}/delete")


def settings_are_changed(client: FlaskClient) -> None:
    page = "/administration/settings/CAPTURE_HOLD"
    assert client.post(page, data={"value": "60"}).status_code == 303
    assert client.post(f"{page}/default").status_code == 303


def webhooks_come_and_go(client: FlaskClient) -> str:
    """Return the secret that was shown."""
    page = client.post("/webhooks/", data={"url": "http://127.0.0.1:9/hook", "enrolled": "y"}).text
    client.post("/webhooks/1/test")
    client.post("/webhooks/1/active", data={"on": "0"})
    client.post("/webhooks/1/delete")
    found = re.search(r'id="secret">([^<]+)<', page)
    assert found
    return found.group(1)


def operators_come_and_go(client: FlaskClient) -> list[str]:
    """Return the secrets that were shown."""
    made = client.post("/operators/", data={"name": "Борис", "role": OPERATOR}).text
    client.post("/operators/2", data={"role": ADMIN, "is_active": "y"})
    again = client.post("/operators/2/password").text
    shown = [re.search(r'id="secret">([^<]+)<', page) for page in (made, again)]
    page = client.post("/tokens/", data={"name": "HR", "role": OPERATOR, "expires_on": tomorrow()}).text
    client.post("/tokens/2/revoke")
    token = re.search(r"hik_[\w-]+", page)
    assert all(shown)
    assert token
    return [*(found.group(1) for found in shown if found), token.group(0)]


def factor_comes_and_goes(app: Flask) -> list[str]:
    """Return the secret and the recovery codes that were shown."""
    mine, visitor = client_of(app, OPERATOR, "Олег"), app.test_client()
    (secret,) = re.findall(r": <code>([A-Z2-7 ]+)</code>", mine.get("/account/second-factor").text)
    code = pyotp.TOTP(secret.replace(" ", "")).now()
    made = mine.post("/account/second-factor", data={"code": code}).text
    mine.post("/confirm", data={"password": OPERATOR_PASSWORD})
    first = re.findall(r"<li><code>([a-z2-7-]+)</code>", made)
    again = mine.post("/account/second-factor/codes", data={"code": first[0]}).text
    codes = [*first, *re.findall(r"<li><code>([a-z2-7-]+)</code>", again)]
    visitor.post("/sign-in", data={"name": "Олег", "password": OPERATOR_PASSWORD})
    for given in (codes[0], codes[-1]):
        visitor.post("/sign-in/code", data={"code": given})
    assert mine.post("/account/second-factor/off", data={"code": codes[-2]}).status_code == 303
    return [secret, secret.replace(" ", ""), *codes, *(one.replace("-", "") for one in codes)]


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


def sign_in_and_out(app: Flask, token: str) -> None:
    visitor = app.test_client()
    app.config["SESSIONS_PER_OPERATOR"] = 1
    for name, password in (("Анна", WRONG), (TYPED_FOR_A_NAME, CHANGED), ("Анна", OPERATOR_PASSWORD)):
        visitor.post("/sign-in", data={"name": name, "password": password})
    visitor.post("/confirm", data={"password": WRONG})
    for password in (WRONG, OPERATOR_PASSWORD):
        visitor.post("/operators/", data={"name": "Глеб", "role": OPERATOR, "own_password": password})
    change = {"password": OPERATOR_PASSWORD, "new_password": CHOSEN, "repeated": CHOSEN}
    visitor.post("/account/password", data=change)
    visitor.post("/sign-out")
    left_open = client_of(app, OPERATOR, "Вера")
    other = client_of(app, OPERATOR, "Вера")
    number = re.search(r"/account/sessions/(\d+)/end", other.get("/account/").text)
    assert number
    other.post(f"/account/sessions/{number.group(1)}/end")
    assert left_open.get("/account/").status_code == 303
    other.get("/administration?password=" + CHANGED)
    other.post("/account/sign-out-everywhere")
    for secret in (token, WRONG):
        other.get("/api/users/", headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.usefixtures("terminal")
def test_no_deed_brings_a_secret_into_the_trail(app: Flask, client: FlaskClient, desk: Desk) -> None:
    employees_come_and_go(desk)
    many_are_selected(desk)
    people_are_imported(desk)
    departments_come_and_go(client)
    groups_come_and_go(desk)
    people_have_rights(desk)
    terminals_come_and_go(app, client)
    settings_are_changed(client)
    shown = [webhooks_come_and_go(client), *operators_come_and_go(client)]
    factor = factor_comes_and_goes(app)
    rotated = app.test_cli_runner().invoke(args=["secrets", "rotate"])
    assert rotated.exit_code == 0
    client.post("/audit/export")
    sign_in_and_out(app, shown[-1])

    done = {entry.action for entry in trail(app)}
    assert set(ACTIONS) - done == ELSEWHERE
    kept = table(app)
    known = [PASSWORD, CHANGED, WRONG, CHOSEN, OPERATOR_PASSWORD, TYPED_FOR_A_NAME, TYPED_AS_A_NOTE]
    for secret in [*shown, *factor, *stored(app), *known]:
        assert secret not in kept
        assert hashlib.sha256(secret.encode()).hexdigest() not in kept
    for picture in (FACE, OTHER_FACE):
        assert base64.b64encode(picture)[:60].decode() not in kept
        assert str(picture[:20])[2:-1] not in kept


def stored(app: Flask) -> list[str]:
    """What is encrypted, hashed or a key in the database and the instance folder."""
    with app.app_context():
        columns = (Terminal.password_encrypted, Operator.password_hash, OperatorSession.key_sha256)
        rows = [value for column in columns for value in db.session.execute(db.select(column)).scalars()]
    keys = Path(app.config["PASSWORD_KEY_FILE"]).read_text(encoding="ascii").split()
    return [*rows, *keys, app.config["SECRET_KEY"]]
