"""A setting is changed by the readers of config.py, with an entry in the audit trail; contradictions change nothing."""

from threading import Thread

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, ChangedSetting
from hikflask.services import audit
from hikflask.services.core.errors import ServiceError
from hikflask.services.settings import change

pytestmark = pytest.mark.usefixtures("context")


def entries() -> list[tuple[str, str, str, object, object]]:
    found = db.session.execute(db.select(AuditEntry).where(AuditEntry.action.startswith("setting.")))
    return [(one.actor, one.action, one.subject, one.before, one.after) for one in found.scalars()]


def stored_texts() -> dict[str, str]:
    return {row.name: row.value for row in db.session.execute(db.select(ChangedSetting)).scalars()}


def test_change_and_return_are_noted_with_old_and_new_value() -> None:
    with audit.acting(audit.Actor("Анна")):
        change.change("CONSENT", "require")
        change.change("CONSENT", "require")
        (row,) = change.in_force().values()
        kept = (row.name, row.value, row.set_by)
        change.reset("CONSENT")
        change.reset("CONSENT")

    assert kept == ("CONSENT", "require", "Анна")
    assert entries() == [
        ("Анна", "setting.changed", "CONSENT", {"value": "warn"}, {"value": "require"}),
        ("Анна", "setting.reset", "CONSENT", {"value": "require"}, {"value": "warn"}),
    ]
    assert stored_texts() == {}


def test_value_that_config_would_refuse_is_refused_and_nothing_is_changed() -> None:
    refused = [
        ("CONSENT", "maybe", "setting_refused"),
        ("PHOTO_RETENTION", "0", "setting_refused"),
        ("EVENT_RETENTION", "1.5", "setting_refused"),
        ("CAPTURE_TIMEOUT", "301", "setting_fixed"),
        ("COMPARE_AT", "25:00", "setting_refused"),
        ("DRIFT_INTERVAL", "nan", "setting_refused"),
        ("TIMEZONE", "/etc/passwd", "setting_refused"),
        ("AUDIT_RETENTION", "29", "audit_retention_short"),
        ("AUDIT_RETENTION", "29.5", "setting_refused"),
        ("SECRET_KEY", "q7Wn2xR9tB4mZ8kL5vJ1", "setting_unknown"),
        ("NOTHING", "1", "setting_unknown"),
    ]
    for name, text, code in refused:
        with pytest.raises(ServiceError) as error:
            change.change(name, text)
        assert error.value.code == code, name
    assert (stored_texts(), entries()) == ({}, [])


def test_settings_that_contradict_each_other_are_refused_from_either_side(app: Flask) -> None:
    with pytest.raises(ServiceError, match=r"^settings_contradict$") as shorter:
        change.change("CAPTURE_RETENTION", "60")
    assert shorter.value.params == {"longer": "CAPTURE_RETENTION", "shorter": "CAPTURE_HOLD", "limit": "120"}
    with pytest.raises(ServiceError, match=r"^settings_contradict$"):
        change.change("CAPTURE_HOLD", "3601")

    change.change("CAPTURE_RETENTION", "8000")
    change.change("CAPTURE_HOLD", "7200")
    with pytest.raises(ServiceError, match=r"^settings_contradict$"):
        change.reset("CAPTURE_RETENTION")

    assert (app.config["CAPTURE_RETENTION"], app.config["CAPTURE_HOLD"]) == (8000.0, 7200.0)


@pytest.mark.both_databases
def test_of_two_changes_at_once_that_contradict_each_other_one_is_refused(app: Flask) -> None:
    change.change("CAPTURE_RETENTION", "1000")
    refused: list[str] = []

    def run(name: str, text: str) -> None:
        with app.app_context():
            try:
                change.change(name, text)
            except ServiceError:
                refused.append(name)

    both = [Thread(target=run, args=given) for given in (("CAPTURE_RETENTION", "200"), ("CAPTURE_HOLD", "900"))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert len(refused) == 1
    assert app.config["CAPTURE_HOLD"] <= app.config["CAPTURE_RETENTION"]
