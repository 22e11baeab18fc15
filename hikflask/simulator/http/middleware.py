"""What happens to every request before and after its view: log, login, faults, hooks, delays and lost answers."""

from collections.abc import Callable

from flask import Response, request
from werkzeug.datastructures import Headers

from hikflask.simulator import recordings
from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.request_body import wants_json
from hikflask.simulator.http.responses import done, login_error, recorded_reply, refused
from hikflask.simulator.terminal.camera import Interrupted
from hikflask.simulator.terminal.digest_login import LoginRefused
from hikflask.simulator.terminal.terminal import KEPT_HEADERS, LoggedRequest, Terminal

REMOTE_LOGIN = 112
"""Minor of major 3 in the log of events."""
View = Callable[[Terminal], Response]


class AnswerLost(Exception):
    """The client gets no answer. `acted` tells whether the terminal did what it was asked.

    The socket server closes the connection. Without a socket the exception comes out of the WSGI application, and
    the client's transport turns it into a connection error.
    """

    def __init__(self, acted: bool) -> None:
        super().__init__("acted" if acted else "not acted")
        self.acted = acted


def request_target() -> str:
    """Path and query as on the request line: Digest signs them."""
    raw = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    return str(raw) if raw else request.full_path.rstrip("?")


def handle(terminal: Terminal, view: View) -> Response:
    """Answer one request with `view`, unless the login is refused or a fault is set. :raises AnswerLost:"""
    headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
    has_credentials = "Authorization" in request.headers
    with terminal.lock:
        now = terminal.clock.now()
        entry = LoggedRequest(request.method, request_target(), headers, request.get_data(), now, has_credentials)
        terminal.log.append(entry)
    try:
        response = _answer(terminal, view, entry)
    except Interrupted:
        raise AnswerLost(acted=False) from None
    entry.status = response.status_code
    if not response.is_streamed:
        entry.reply = response.get_data()
    return response


def _answer(terminal: Terminal, view: View, entry: LoggedRequest) -> Response:
    path = request.path
    if terminal.faults.take("drop", path):
        raise AnswerLost(acted=False)
    if terminal.latency == "recorded" and not path.endswith("/CaptureFaceData"):
        # A capture waits in its own module, while it looks for a face.
        _pause(terminal, recordings.seconds(request.method, path))
    try:
        _log_in(terminal)
    except LoginRefused as refusal:
        return _unauthorized(terminal, refusal)
    entry.logged_in = True
    return _with_faults(terminal, view, path)


def _with_faults(terminal: Terminal, view: View, path: str) -> Response:
    faults = terminal.faults
    terminal.run_hooks("before", path)
    if fault := faults.take("slow", path):
        _pause(terminal, float(fault.argument))
    if faults.take("restart", path):
        terminal.restart()
        raise AnswerLost(acted=False)
    if faults.take("lost-before", path):
        raise AnswerLost(acted=False)
    if faults.take("overwrite", path):
        terminal.trigger("capture-elsewhere")
    response = _respond(terminal, view, path)
    if faults.take("overwrite-after", path):
        terminal.trigger("capture-elsewhere")
    terminal.run_hooks("after", path)
    if faults.take("lost-after", path):
        raise AnswerLost(acted=True)
    return response


def _respond(terminal: Terminal, view: View, path: str) -> Response:
    if path.removeprefix("/ISAPI/") in terminal.profile.missing:
        return _refused(terminal, NotSupported())
    if fault := terminal.faults.take("refuse", path):
        return _refused(terminal, Refusal(fault.argument, fault.message, fault.status))
    if terminal.faults.take("ok-without-effect", path):
        return done(wants_json(), terminal.profile.crlf)
    try:
        with terminal.lock:
            terminal.store.finish_due_removal()
            return view(terminal)
    except Refusal as refusal:
        return _refused(terminal, refusal)


def _refused(terminal: Terminal, refusal: Refusal) -> Response:
    profile = terminal.profile
    response = refused(refusal, wants_json(), profile.crlf)
    if refusal.sub_status == "notSupport":
        as_200 = request.method in profile.not_supported_as_200
        response.status_code = 200 if as_200 else profile.not_supported_status
    if profile.refusals_as_200 or terminal.faults.take("refusals-as-200", request.path):
        response.status_code = 200
    return response


def _log_in(terminal: Terminal) -> None:
    """Check the Digest credentials; a picture also opens with a token that the terminal issued."""
    by_token = request.method == "GET" and request.path.startswith("/LOCALS/")
    with terminal.lock:
        if not terminal.profile.asks_password:
            return
        if by_token and request.args.get("token") in terminal.tokens:
            return
        if terminal.faults.take("locked", request.path) and not terminal.login.unlock_seconds:
            terminal.login.lock()
        faults = [terminal.faults.take(name, request.path) for name in ("nonce-uses", "nonce-seconds")]
        uses, seconds = (float(fault.argument) if fault else None for fault in faults)
        nonce = terminal.login.check(request.method, request_target(), request.authorization, uses, seconds)
        if terminal.events.traps.records_logins and terminal.login.uses_of(nonce) == 1:
            terminal.record_operation(REMOTE_LOGIN, request.remote_addr or "")
    request.environ["simulator.nonce"] = nonce


def _unauthorized(terminal: Terminal, refusal: LoginRefused) -> Response:
    with terminal.lock:
        login, profile = terminal.login, terminal.profile
        lock_seconds = login.unlock_seconds if login.is_locked else None
        silent = profile.silent_challenge and not refusal.of_password
        body = b"" if silent else login_error(profile.lock_words, login.tries_left, lock_seconds)
    response = recorded_reply(body, 401)
    response.headers.extend(Headers([("WWW-Authenticate", value) for value in refusal.challenges]))
    return response


def _pause(terminal: Terminal, seconds: float) -> None:
    with terminal.lock:
        terminal.camera.pause(seconds)
