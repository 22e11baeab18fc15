"""Answers a POST with an Idempotency-Key once: the same call with the same key gets the first answer again.

A key belongs to one token and one request, and is kept for a day. While the call runs, its row is claimed for a time
that no call takes. After a crash that time passes, and the call is begun anew: whatever was committed before the crash
is then refused or found unchanged, as by any call that is sent twice.

An answer that says nothing was done for now (429, or any failure of ours or of a terminal, 500 and above) is not kept:
the call may be sent again with the same key, and is done then.
"""

import hmac
import json
import re
from dataclasses import dataclass
from hashlib import sha256

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.api.support.body import InputError
from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.http import bearer_token, body_limits, permissions
from hikflask.models import IdempotencyKey
from hikflask.models.accounts import ANSWER_SECONDS
from hikflask.models.columns import database_now
from hikflask.services.core.db import changed_rows, claim_rows, transaction
from hikflask.services.core.errors import ServiceError

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255
PATTERN = rf"^[!-~]{{1,{MAX_KEY_LENGTH}}}$"
KEPT_HEADERS = ("X-Warning",)
CHUNK = 64 * 1024
TOO_MANY, FAILED = 429, 500
# Longer than any call takes; a comparison has two minutes.
CLAIM_SECONDS = 300.0


@dataclass(frozen=True)
class Claim:
    """The right to answer a call with a key."""

    row_id: int
    number: int


@dataclass(frozen=True)
class Answer:
    """An answer: its status, the headers that belong to it, and its body."""

    status: int
    headers: dict[str, str]
    body: str


def begin(token_id: int, key: str, fingerprint: str) -> Claim | Answer:
    """Claim a call, or return the first answer to it.

    :param fingerprint: of the whole request.
    :raises idempotency_key_reused: when the key came with another request. :raises idempotency_running: when the first
        call was not answered yet. :raises idempotency_answer_gone: when the answer is not kept any more.
    """
    hashed = sha256(key.encode()).hexdigest()
    own = (IdempotencyKey.token_id == token_id, IdempotencyKey.key_sha256 == hashed)
    given = {"token_id": token_id, "key_sha256": hashed, "fingerprint": fingerprint}
    fresh = insert(IdempotencyKey).values(**given, claimed_until=database_now(CLAIM_SECONDS))
    try:
        with transaction(alone=True):
            changed_rows(delete(IdempotencyKey).where(*own, IdempotencyKey.created_at < database_now(-ANSWER_SECONDS)))
            row_id: int = db.session.execute(fresh.returning(IdempotencyKey.id)).scalar_one()
    except IntegrityError:
        return _begin_again(db.session.execute(select(IdempotencyKey).where(*own)).scalar_one_or_none(), fingerprint)
    return Claim(row_id, 1)


def _begin_again(kept: IdempotencyKey | None, fingerprint: str) -> Claim | Answer:
    """Return the answer that is kept, or claim a call anew that was not answered in time."""
    if kept is None:  # The call that had it was given up just now.
        raise ServiceError("idempotency_running")
    if kept.fingerprint != fingerprint:
        raise ServiceError("idempotency_key_reused")
    if kept.answer is not None:
        try:
            return Answer(**json.loads(vault.decrypt(kept.answer)))
        except VaultError as error:
            raise ServiceError("idempotency_answer_gone") from error
    unanswered = (IdempotencyKey.id == kept.id, IdempotencyKey.answer.is_(None))
    over = (*unanswered, IdempotencyKey.claimed_until < database_now())
    anew = {"claim_number": IdempotencyKey.claim_number + 1, "claimed_until": database_now(CLAIM_SECONDS)}
    claimed = claim_rows(select(IdempotencyKey.id, IdempotencyKey.claim_number).where(*over), anew)
    if not claimed:
        raise ServiceError("idempotency_running")
    return Claim(*claimed[0])


def call_key() -> str | None:
    """Return the key of the call that is answered, which no other token has; None where the program gave none."""
    key = request.headers.get(KEY)
    return f"{bearer_token.token_id()}:{key}" if key and "idempotency_claim" in g else None


def keep(claim: Claim, answer: Answer) -> None:
    """Keep the answer to a claimed call, encrypted, unless somebody was erased since it began."""
    text = vault.encrypt(json.dumps({"status": answer.status, "headers": answer.headers, "body": answer.body}))
    with transaction():
        changed_rows(update(IdempotencyKey).where(*_held(claim), IdempotencyKey.answer.is_(None)).values(answer=text))


def give_up(claim: Claim) -> None:
    """Forget a claimed call that has no answer to keep, so that it may be sent again at once."""
    with transaction():
        changed_rows(delete(IdempotencyKey).where(*_held(claim)))


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return IdempotencyKey.id == claim.row_id, IdempotencyKey.claim_number == claim.number


def register(app: Flask) -> None:
    """Check the key of each call once the caller is authenticated, and keep the answer once it is made."""
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_teardown)


def _before() -> ResponseReturnValue | None:
    """Return the first answer to a call that was made before with the same key, or None when the call may go on.

    :raises InputError: when the key is none. :raises ServiceError: as begin() does.
    """
    key = request.headers.get(KEY)
    if key is None or request.method != "POST" or not permissions.is_api_call() or request.routing_exception:
        return None
    if not re.fullmatch(PATTERN, key):
        raise InputError({KEY: f"A key has 1 to {MAX_KEY_LENGTH} visible ASCII characters."})
    begun = begin(bearer_token.token_id(), key, _fingerprint())
    if isinstance(begun, Claim):
        g.idempotency_claim = begun
        return None
    return Response(begun.body, begun.status, {**begun.headers, REPLAYED: "true"}, mimetype="application/json")


def _after(response: Response) -> Response:
    """Keep the answer to a call with a key, or let the call be sent again."""
    claim: Claim | None = g.get("idempotency_claim")
    if claim is None or response.status_code == TOO_MANY or response.status_code >= FAILED:
        return response
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    keep(claim, Answer(response.status_code, headers, response.get_data(as_text=True)))
    g.pop("idempotency_claim")
    return response


def _teardown(error: BaseException | None = None) -> None:  # noqa: ARG001 - Flask passes it
    """Release the claim of a call whose answer is not kept, so that it may be sent again."""
    claim: Claim | None = g.pop("idempotency_claim", None)
    if claim is not None:
        give_up(claim)


def _fingerprint() -> str:
    """Return a keyed hash of the request, which tells nobody else what was asked.

    A form with files is hashed part by part: a program that sends it again draws another boundary between them.
    """
    content = _parts() if body_limits.may_bring_file() else [sha256(body_limits.read()).hexdigest()]
    text = json.dumps([request.full_path, content])
    return hmac.new(current_app.config["SECRET_KEY"].encode(), text.encode(), sha256).hexdigest()


def _parts() -> list[list[str]]:
    fields = [[name, value] for name, values in sorted(request.form.lists(), key=str) for value in values]
    for name, files in sorted(request.files.lists(), key=str):
        for file in files:
            hashed = sha256()
            while chunk := file.stream.read(CHUNK):
                hashed.update(chunk)
            file.stream.seek(0)
            fields.append([name, file.filename or "", hashed.hexdigest()])
    return fields
