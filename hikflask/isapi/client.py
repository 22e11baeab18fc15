"""The HTTP client of one terminal: connection, Digest, TLS pin and time-outs. Only this module imports `requests`.

What the vendor allows: HTTP on 80 or HTTPS on 443 with a self-signed certificate, Digest login, one conversation at a
time (ISAPI guide, "Security"; the limits are not documented). Five to seven refused passwords lock the account for
half an hour, so the first refusal ends the conversation.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_toolbelt.adapters.fingerprint import FingerprintAdapter

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.codec import login_refusal, response_status, user_check
from hikflask.isapi.digest import Challenge, DigestLogin, best_challenge
from hikflask.isapi.errors import (
    AddressRefused,
    CertificateChanged,
    HttpsRequired,
    NoAnswer,
    Nonsense,
    TerminalError,
    Unreachable,
    WeakDigest,
    error_for,
)
from hikflask.isapi.sockets import (
    Resolver,
    Slow,
    Trip,
    certificate_fingerprint,
    is_certificate_error,
    normal_fingerprint,
    resolve_any,
    watch,
)

__all__ = ["Answer", "Client", "Requester", "certificate_fingerprint", "normal_fingerprint"]

CONNECT_SECONDS = 3.05
READ_SECONDS = 8.0
MIN_TRIES = 5  # terminals lock after 5 to 7 refused passwords (three recordings)
# A terminal closes a connection that was idle for five seconds (Keep-Alive: timeout=5, one recording). What is written
# just then is lost, and its outcome is unknown, so nothing is written on one that was idle for longer than this.
MAX_IDLE_SECONDS = 2.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
CHUNK = 64 * 1024
HEADERS = {"User-Agent": "hikflask", "Accept-Encoding": "identity", "Accept": "*/*", "Connection": "keep-alive"}
STALE = re.compile(r'\bstale="?true\b', re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    data: bytes | None = field(repr=False)
    content_type: str | None
    timeout: tuple[float, float]
    before_send: Callable[[float], None] | None
    slow: Slow | None = None

    @property
    def bare_path(self) -> str:
        """The path without its query, which may hold a token."""
        return self.path.partition("?")[0]


@dataclass(frozen=True)
class _Reply:
    answer: Answer
    challenge: str = field(repr=False)


class Client:
    """One account on one terminal. It keeps its connection and its Digest state between requests.

    Args: url is scheme and host (and port); timeout is (connect, read) in seconds, where read is the time for the whole
    answer; fingerprint is the SHA-256 of the certificate to accept at an https address, without it the certificate must
    be trusted; resolve answers which addresses may be connected to; https_only refuses http addresses before anything
    is sent; sha256_only sends no credentials to a terminal whose Digest has no SHA-256; observe is called after each
    request with its path and the seconds that it took, whether or not there was an answer.
    :raises ValueError: for an unusable address or fingerprint.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        *,
        fingerprint: str | None = None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        resolve: Resolver = resolve_any,
        https_only: bool = False,
        sha256_only: bool = False,
        transport: BaseAdapter | None = None,
        observe: Callable[[str, float], None] | None = None,
    ) -> None:
        self._observe = observe
        self._address = _address(url)
        self._username = username
        self._timeout = timeout
        self._https_only = https_only
        self._sha256_only = sha256_only
        self._login = DigestLogin(username, password)
        self._tries_left: int | None = None
        self._tries_refreshed = False
        self._trip = Trip()
        self._lock = threading.Lock()
        self._used_at = time.monotonic()
        pin = normal_fingerprint(fingerprint) if fingerprint else None
        # Off only with a pin, which is verified instead.
        self._verify = pin is None
        pinned = pin and self._address.startswith("https:")
        adapter = _PinnedAdapter(pin) if pinned else _Adapter()  # type: ignore[arg-type]
        watch(adapter.poolmanager, self._trip, resolve)
        self._adapter = transport or adapter

    def __repr__(self) -> str:
        return f"<Client {self._username} at {self._address}>"

    @property
    def is_busy(self) -> bool:
        """True while a request is under way."""
        return self._lock.locked()

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        timeout: tuple[float, float] | None = None,
        before_send: Callable[[float], None] | None = None,
        slow: Slow | None = None,
    ) -> Answer:
        """Send one request, log in if the terminal asks for it, and return the answer.

        Any status is returned, except 401 and redirects, which raise.

        Args: path begins with "/" and holds the query; timeout is (connect, read) in seconds; before_send is called
        before each HTTP round trip with the seconds it may take, and may raise to stop; slow are seconds, and what is
        called, in this thread, when the answer has not begun after them.
        :raises Unreachable: :raises NoAnswer: :raises AddressRefused: :raises CertificateChanged:
        :raises HttpsRequired: :raises LoginRefused: :raises WeakDigest: :raises Nonsense: :raises AccountLocked: for
        an error of any status that says so. :raises ValueError: for a path without its "/".
        """
        if not path.startswith("/"):
            raise ValueError("a path begins with /")  # a path without it could change the host
        call = _Call(method, path, data, content_type, timeout or self._timeout, before_send, slow)
        if self._https_only and not self._address.startswith("https:"):
            raise HttpsRequired(path=call.bare_path)
        with self._lock:
            began = time.monotonic()
            try:
                answer = self._converse(call)
            finally:
                if self._observe:
                    self._observe(call.bare_path, time.monotonic() - began)
        # A lock is not always told with a 401. Any other error is about the request.
        if answer.status >= 400 and user_check(answer).locked:
            self._login.forget()
            raise login_refusal(answer)
        return answer

    def _converse(self, call: _Call) -> Answer:
        reused = self._login.ready
        if reused:
            reply = self._round_trip(call)
            if reply.answer.status != 401:
                return reply.answer
            self._stop_if_refused(reply)
        # First without credentials: the challenge says how to send them, and such a request costs no login try.
        self._login.forget()
        reply = self._round_trip(call)
        if reply.answer.status != 401:
            return reply.answer
        if reused:
            self._stop_if_refused(reply)  # The first 401 may have had no body. This one tells whether a try was used.
        self._login.learn(self._challenge(reply))
        reply = self._round_trip(call)
        if reply.answer.status == 401 and STALE.search(reply.challenge):
            # The challenge was of a connection that the terminal has closed; the password is not refused.
            self._stop_if_refused(reply)
            self._login.learn(self._challenge(reply))
            reply = self._round_trip(call)
        answer = reply.answer
        if answer.status == 401:
            self._login.forget()
            raise login_refusal(answer)
        # A successful login resets the terminal's counter of login tries. With an old count, a later refusal of our
        # password would look like an expired nonce, and the password would be sent twice. So the count is read again.
        if not self._tries_refreshed and self._tries_left is not None and self._tries_left < MIN_TRIES:
            self._tries_refreshed = True
            self._login.forget()
        return answer

    def _stop_if_refused(self, reply: _Reply) -> None:
        """Raise the login error if a 401 refuses the password, and return if it only says that the nonce has expired.

        Only a refused password uses up a login try or locks the account. Some terminals tell the tries left only after
        a refused password, and not with the first challenge. A 401 without a challenge, or with a stale one, is about
        the nonce (two recordings; RFC 7616 section 3.3).
        """
        before, check = self._tries_left, user_check(reply.answer)
        fresh = bool(reply.challenge) and not STALE.search(reply.challenge)
        fell = check.tries_left is not None and (fresh if before is None else check.tries_left < before)
        if check.locked or fell:
            self._login.forget()
            self._tries_left = check.tries_left
            raise login_refusal(reply.answer)

    def _challenge(self, reply: _Reply) -> Challenge:
        """Return the challenge of a 401 to a request without credentials."""
        check = user_check(reply.answer)
        if check.locked:
            raise login_refusal(reply.answer)
        self._tries_left = check.tries_left
        challenge = best_challenge(reply.challenge)
        if challenge and self._sha256_only and challenge.algorithm != "SHA-256":
            raise WeakDigest(path=reply.answer.path, http_status=reply.answer.status)
        if challenge:
            return challenge
        status = response_status(reply.answer)
        if status and status.sub_status.lower() == "notactivated":
            raise error_for(status, reply.answer.status, reply.answer.path)
        raise Nonsense(message="no Digest challenge", path=reply.answer.path, http_status=reply.answer.status)

    def _round_trip(self, call: _Call) -> _Reply:
        try:
            return self._once(call)
        except NoAnswer:
            # The terminal may close a kept connection just as it is used. Only a GET is safe to repeat.
            if call.method != "GET" or self._trip.connected or not self._trip.dropped:
                raise
        return self._once(call)

    def _once(self, call: _Call) -> _Reply:
        seconds = sum(call.timeout)
        if call.before_send:
            call.before_send(seconds)
        if call.method != "GET" and time.monotonic() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        prepared = self._prepare(call)
        self._trip.begin(seconds, call.slow)
        try:
            # No session: it would keep cookies, read where a redirect leads, and ask the environment for proxies.
            sent = self._adapter.send(prepared, stream=True, timeout=call.timeout, verify=self._verify)
            with closing(sent) as response:
                body = self._body(response, call)
            self._used_at = time.monotonic()
        except AddressRefused as error:
            error.path = call.bare_path
            raise
        except requests.RequestException as error:
            raise self._terminal_error(error, call.bare_path) from error
        except ValueError as error:
            # requests and urllib3 let some through as they are, such as a chunk of negative length.
            raise Nonsense(message=type(error).__name__, path=call.bare_path) from error
        log.debug("%s %s: %s, %s bytes", call.method, call.bare_path, response.status_code, len(body))
        if 300 <= response.status_code < 400:
            raise Nonsense(message="redirect", path=call.bare_path, http_status=response.status_code)
        answer = Answer(
            response.status_code,
            response.headers.get("Content-Type", ""),
            body,
            call.bare_path,
            login_sent="Authorization" in prepared.headers,
        )
        return _Reply(answer, response.headers.get("WWW-Authenticate", ""))

    def _prepare(self, call: _Call) -> requests.PreparedRequest:
        headers = {**HEADERS, "Content-Type": call.content_type} if call.content_type else HEADERS
        prepared = requests.PreparedRequest()
        # Not prepare(), which would look for parameters, cookies and a login besides.
        prepared.prepare_method(call.method)
        prepared.prepare_url(self._address + call.path, None)
        prepared.prepare_headers(headers)
        prepared.prepare_body(call.data, None)
        authorization = self._login.header(call.method, prepared.path_url)
        if authorization:
            prepared.headers["Authorization"] = authorization
        return prepared

    def _body(self, response: requests.Response, call: _Call) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise Nonsense(message="answer too large", path=call.bare_path, http_status=response.status_code)
            if self._trip.seconds_left() < 0:
                raise NoAnswer(path=call.bare_path, http_status=response.status_code)
        return bytes(body)

    def _terminal_error(self, error: requests.RequestException, path: str) -> TerminalError:
        cause = type(error).__name__
        if isinstance(error, requests.exceptions.ContentDecodingError):
            return Nonsense(message=cause, path=path)
        if isinstance(error, requests.exceptions.SSLError) and not self._trip.sent and is_certificate_error(error):
            return CertificateChanged(path=path)
        if isinstance(error, requests.ReadTimeout) or self._trip.timed_out:
            return NoAnswer(message=cause, path=path)
        if self._trip.sent or isinstance(error, requests.exceptions.ChunkedEncodingError):
            self._trip.dropped = True
            return NoAnswer(message=cause, path=path)
        return Unreachable(message=cause, path=path)


class _Adapter(HTTPAdapter):
    """Asks one address alone, and returns of an answer what is read here: requests would look for cookies in it."""

    _pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **given: Any) -> Any:
        """Return the connections to the address, which are looked for once."""
        self._pool = self._pool or super().get_connection_with_tls_context(*args, **given)
        return self._pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return status, headers, and what the body is read from."""
        response = requests.Response()
        response.request, response.raw = req, resp
        response.status_code, response.headers = resp.status, resp.headers
        return response

    def close(self) -> None:
        """Close the connections, and forget them."""
        super().close()
        self._pool = None


class _PinnedAdapter(_Adapter, FingerprintAdapter):  # type: ignore[misc]
    """The same for a certificate with this SHA-256."""


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("the address must be http://host or https://host")
    if parts.port == 0:  # reading the port raises when it is not a number
        raise ValueError("port 0 is none")
    return f"{parts.scheme}://{parts.netloc}"
