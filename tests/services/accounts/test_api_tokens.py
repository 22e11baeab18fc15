"""API tokens: created and shown once, found by their hash, revoked."""

from datetime import datetime

import pytest

from hikflask.extensions import db
from hikflask.models import ApiToken, AuditEntry
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import api_tokens
from hikflask.services.audit import Actor
from hikflask.services.core.errors import NotFound, ServiceError

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def in_seconds(seconds: float) -> datetime:
    moment: datetime = db.session.execute(db.select(database_now(seconds))).scalar_one()
    return moment


def test_token_is_found_until_it_is_revoked() -> None:
    token, secret = api_tokens.create("Кадры", OPERATOR, in_seconds(3600.0))
    assert api_tokens.find(secret) is token
    assert api_tokens.find(f"{secret}x") is None

    api_tokens.revoke(token.id)

    assert api_tokens.find(secret) is None


def expire(name: str) -> None:
    db.session.execute(db.update(ApiToken).where(ApiToken.name == name).values(expires_at=database_now(-1.0)))
    db.session.commit()


def test_token_ends_after_now_and_within_ten_years() -> None:
    ten_years = api_tokens.MAX_DAYS * 86400.0

    for seconds in (-1.0, ten_years + 2 * 86400):
        with pytest.raises(ServiceError, match=r"^token_end_unusable$"):
            api_tokens.create("Кадры", OPERATOR, in_seconds(seconds))
    assert api_tokens.create("Кадры", OPERATOR, in_seconds(ten_years))[0].name == "Кадры"


def test_token_is_revoked_once_and_keeps_its_name() -> None:
    token, _ = api_tokens.create("Кадры", OPERATOR, in_seconds(3600.0))

    for _ in range(2):
        api_tokens.revoke(token.id)

    revoked = db.select(AuditEntry.subject).where(AuditEntry.action == "token.revoked")
    assert db.session.execute(revoked).scalars().all() == ["Кадры"]
    with pytest.raises(ServiceError, match=r"^token_name_known$"):
        api_tokens.create("Кадры", VIEWER, in_seconds(3600.0))
    with pytest.raises(NotFound, match=r"^token_unknown$"):
        api_tokens.revoke(token.id + 1)


def last_used(token: ApiToken) -> datetime:
    known = api_tokens.get(token.id)
    assert known is not None
    assert known.last_used_at is not None
    return known.last_used_at


def test_use_is_written_once_a_minute() -> None:
    token, secret = api_tokens.create("Кадры", OPERATOR, in_seconds(3600.0))
    api_tokens.find(secret)
    first = last_used(token)

    api_tokens.find(secret)
    assert last_used(token) == first
    db.session.execute(db.update(ApiToken).values(last_used_at=database_now(-61.0)))
    db.session.commit()
    api_tokens.find(secret)
    assert last_used(token) >= first


def test_valid_tokens_that_somebody_created_are_listed() -> None:
    with audit.acting(Actor("Анна")):
        for name in ("Склад", "Кадры", "Старый", "Отозван"):
            last, _ = api_tokens.create(name, OPERATOR, in_seconds(3600.0))
        expire("Старый")
        api_tokens.revoke(last.id)
    with audit.acting(Actor("Ольга")):
        api_tokens.create("Чужой", OPERATOR, in_seconds(3600.0))

    assert [one.name for one in api_tokens.list_valid_of("Анна")] == ["Кадры", "Склад"]
    assert len(api_tokens.list_all()) == 5


def test_reserved_name_is_refused_and_one_like_a_token_s_is_not() -> None:
    with pytest.raises(ServiceError, match=r"^name_reserved$"):
        api_tokens.create("Worker", VIEWER, in_seconds(3600.0))

    assert api_tokens.create("API HR", VIEWER, in_seconds(3600.0))[0].name == "API HR"
