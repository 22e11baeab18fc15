"""Answers a POST with an Idempotency-Key once: the same call with the same key gets the first answer again.

An answer that says nothing was done for now (429, or any failure of ours or of a terminal, 500 and above) is not kept:
the call may be sent again with the same key, and is done then.
"""

import hmac
import json
import re
from hashlib import sha256

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from hikflask.api.support.body import InputError
from hikflask.http import bearer_token, body_limits, permissions
from hikflask.services.accounts import idempotency
from hikflask.services.accounts.idempotency import Answer, Claim

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
PATTERN = rf"^[!-~]{{1,{LONGEST_KEY}}}$"
KEPT_HEADERS = ("X-Warning",)
CHUNK = 64 * 1024
TOO_MANY, FAILED = 429, 500


def register(app: Flask) -> None:
    """Look at the key of each call once it is known who calls, and keep the answer once it is made."""
    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(give_up)


def begin() -> ResponseReturnValue | None:
    """Let a call through (None), or answer it as the first time.

    :raises InputError: when the key is none. :raises ServiceError: as services/accounts/idempotency.py does.
    """
    key = request.headers.get(KEY)
    if key is None or request.method != "POST" or not permissions.is_api_call() or request.routing_exception:
        return None
    if not re.fullmatch(PATTERN, key):
        raise InputError({KEY: f"A key has 1 to {LONGEST_KEY} visible ASCII characters."})
    found = idempotency.begin(bearer_token.token_id(), key, _fingerprint())
    if isinstance(found, Claim):
        g.idempotency_claim = found
        return None
    return Response(found.body, found.status, {**found.headers, REPLAYED: "true"}, mimetype="application/json")


def end(response: Response) -> Response:
    """Keep the answer to a call with a key, or let the call be sent again."""
    claim: Claim | None = g.get("idempotency_claim")
    if claim is None or response.status_code == TOO_MANY or response.status_code >= FAILED:
        return response
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    idempotency.keep(claim, Answer(response.status_code, headers, response.get_data(as_text=True)))
    g.pop("idempotency_claim")
    return response


def give_up(error: BaseException | None = None) -> None:  # noqa: ARG001 - Flask passes it
    """Let a call be sent again whose answer is not kept."""
    claim: Claim | None = g.pop("idempotency_claim", None)
    if claim is not None:
        idempotency.give_up(claim)


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
