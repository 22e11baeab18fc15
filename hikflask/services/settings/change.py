"""Changes a setting that an administrator decides, or gives it back to the default; each is in the audit trail."""

from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, delete, select

from hikflask.config import MIN_AUDIT_DAYS, SETTINGS, as_text, contradiction
from hikflask.extensions import db
from hikflask.models import ChangedSetting
from hikflask.models.columns import database_now
from hikflask.models.installation import MAX_SETTING_LENGTH
from hikflask.services import audit
from hikflask.services.core.db import after_commit, changed_rows, lock_table, transaction
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.settings import stored

AUDIT = "AUDIT_RETENTION"


def change(name: str, text: str) -> None:
    """Change a setting; it is in force here at once, and in every other process within seconds.

    :param text: as it would stand in the environment.
    :raises setting_unknown: :raises setting_fixed: :raises setting_refused: with the reason; then nothing is changed.
    """
    value = _value(name, text)
    with transaction():
        before = _locked_values()
        if before[name] == value:
            return
        _refuse_contradiction({**before, name: value})
        row = db.session.get(ChangedSetting, name, populate_existing=True) or ChangedSetting(name=name)
        row.value, row.set_by, row.set_at = as_text(value), audit.current_actor().name[:128], database_now()
        db.session.add(row)
        _record("setting.changed", name, before[name], value)


def require_allowed(name: str, text: str) -> Any:
    """Return the value that change() would write, if nothing speaks against it now; it raises as change() does."""
    value = _value(name, text)
    _refuse_contradiction({**current_app.config, name: value})
    return value


def default(name: str) -> Any:
    """Return the value that reset() would give back. :raises KeyError: when the page does not change the setting."""
    return stored.of_app().defaults[name]


def reset(name: str) -> None:
    """Give a setting back to what instance/config.py says, or else to the default; in force as with change().

    :raises setting_unknown: :raises setting_fixed: :raises settings_contradict: then nothing is changed.
    """
    _refuse_unchangeable(name)
    value = default(name)
    with transaction():
        before = _locked_values()
        _refuse_contradiction({**before, name: value})
        if changed_rows(delete(ChangedSetting).where(ChangedSetting.name == name)):
            _record("setting.reset", name, before[name], value)


def in_force() -> dict[str, ChangedSetting]:
    """Return what administrators changed, by name; not what the environment fixed since, or what cannot be read."""
    rows = db.session.execute(select(ChangedSetting), execution_options={"populate_existing": True}).scalars()
    return {
        row.name: row for row in rows if may_change(row.name) and as_text(current_app.config[row.name]) == row.value
    }


def may_change(name: str) -> bool:
    """Return True when a setting is changed on the page: an administrator decides it, and no environment fixes it."""
    return name in stored.of_app().defaults


def _refuse_unchangeable(name: str) -> None:
    if name not in SETTINGS or not SETTINGS[name].decided:
        raise NotFound("setting_unknown")
    if not may_change(name):
        raise ServiceError("setting_fixed")


def _value(name: str, text: str) -> Any:
    _refuse_unchangeable(name)
    try:
        value = SETTINGS[name].read(text)
    except (TypeError, ValueError):
        if name == AUDIT and text.isdecimal() and int(text) < MIN_AUDIT_DAYS:
            raise ServiceError("audit_retention_short", n=MIN_AUDIT_DAYS) from None
        raise ServiceError("setting_refused", setting=name) from None
    if len(as_text(value)) > MAX_SETTING_LENGTH:
        raise ServiceError("setting_long", setting=name, n=MAX_SETTING_LENGTH)
    return value


def _locked_values() -> dict[str, Any]:
    """Return all settings as the table has them now, and keep others from changing it until the transaction ends."""
    lock_table(cast("Table", ChangedSetting.__table__))
    texts = {name: text for name, text in db.session.execute(stored.CHANGED)}
    return {**current_app.config, **stored.in_force(texts, stored.of_app().defaults, current_app.config)}


def _refuse_contradiction(values: dict[str, Any]) -> None:
    wrong = contradiction(values)
    if wrong:
        longer, shorter = wrong.names
        raise ServiceError(wrong.code, longer=longer, shorter=shorter, limit=as_text(values[shorter]))


def _record(action: str, name: str, before: Any, after: Any) -> None:
    audit.record(action, subject=name, before={"value": as_text(before)}, after={"value": as_text(after)})
    after_commit(stored.reload)
