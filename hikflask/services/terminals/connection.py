"""One conversation with one terminal under its lease. At its end, its result is written to the terminal's row."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import ScalarSelect, func, select, update

from hikflask.extensions import db, metrics, terminal_clients, vault
from hikflask.isapi import calls, events, faces, persons
from hikflask.isapi.client import Answer, Client
from hikflask.isapi.errors import (
    AccountLocked,
    CertificateChanged,
    LoginRefused,
    NoAnswer,
    Nonsense,
    Refused,
    TerminalError,
    WeakDigest,
)
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, end_read, fresh, transaction
from hikflask.services.core.errors import (
    LeaseLost,
    LoginStopped,
    NotComparedSinceRestore,
    ServiceError,
    TerminalRetired,
)
from hikflask.services.terminals import allowed_addresses, leases, reachability, recovery
from hikflask.signs_of_life import signs

Answered = TypeVar("Answered")

log = logging.getLogger(__name__)
# The lease ends so many seconds after the time-out of the call.
MARGIN_SECONDS = 2.0
# A lease is so much longer than its next call may take, so a conversation with a quick terminal never renews it. The
# holder's death blocks the terminal for that long, too.
SPARE_SECONDS = 10.0
# Work for many checks this often, between two requests, whether a person waits for the terminal.
CHECK_SECONDS = 0.25
# When the answer to something that is only read takes longer, the lease may be taken over meanwhile.
LEND_SECONDS = 0.4
SEARCHES = {persons.SEARCH, faces.SEARCH, events.SEARCH}
# The terminal removes somebody while it is asked for that: the removal is under way until it is finished.
WRITES_STILL = {persons.DELETE_PROCESS}
# Written to the row of a terminal that is there, whatever it said.
IS_THERE = {"reachable": True, "answered_at": database_now(), "offline_since": None, "backoff_until": None}
# Written to the row after a terminal has answered.
ANSWERED = {
    **IS_THERE,
    "last_error_code": "",
    "refused_since": None,
    "refused_code": "",
    "unlock_at": None,
}


@dataclass
class Conversation:
    """One conversation: the terminal's row as read under the lease, and the requests to it. It is an isapi Requester.

    `seconds_left` returns for how long the lease is needed at least: a capture holds its terminal until its deadline.
    `give_up_at` is when the whole conversation must end, by time.monotonic(). `pending_updates` are written to the
    terminal's row together with the end of the lease. `login_sent`: credentials were sent, and not refused.
    `yields`: it is work for many, and ends as soon as a person waits for the terminal, but never while something is
    written there. `is_reading`: anybody else may take the terminal.
    """

    terminal: Terminal
    lease: leases.Lease
    seconds_left: Callable[[], float] | None = None
    give_up_at: float | None = None
    answered: bool = False
    login_sent: bool = False
    pending_updates: dict[str, Any] = field(default_factory=dict)
    yields: bool = False
    is_reading: bool = False
    _check_at: float = field(default_factory=lambda: time.monotonic() + CHECK_SECONDS)
    _is_lent: bool = False

    def request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        """Send one request. A lease that could end before its answer is renewed first, so a late holder stops.

        :raises NoAnswer: without sending, when the time of the whole conversation is over.
        :raises LeaseLost: when another holder took the lease, or waits for it and this is work for many.
        :raises NotComparedSinceRestore: without sending, when it would write.
        """
        reads = only_reads(method, path)
        if not reads:
            refuse_before_compared(self.terminal)
        if self.give_up_at is not None:
            left = self.give_up_at - time.monotonic()
            if left <= 0:
                raise NoAnswer(message="the conversation took too long", path=path)
            config = current_app.config
            timeout = min(config["CONNECT_TIMEOUT"], left), min(config["READ_TIMEOUT"], left)
        if reads:
            self.yield_to_urgent()
        # Whoever takes the terminal from a reading of its log finds a connection that is not in use.
        key = -self.terminal.id if self.is_reading else self.terminal.id
        client = terminal_clients.get(key, self.terminal.version, lambda: new_client(self.terminal))
        end_read()
        try:
            answer = client.request(
                method,
                path,
                data=data,
                content_type=content_type,
                timeout=timeout,
                before_send=self._renew,
                slow=(LEND_SECONDS, self._lend) if reads and self.yields else None,
            )
            self.answered = True
            self.login_sent = self.login_sent or answer.login_sent
        finally:
            if self._is_lent:
                self._is_lent = False
                self.lease.take_back()
        return answer

    def yield_to_urgent(self) -> None:
        """End work for many here, where nothing is half done, when a person waits for the terminal. It goes on later.

        :raises LeaseLost: then.
        """
        if self.yields and time.monotonic() >= self._check_at:
            self._check_at = time.monotonic() + CHECK_SECONDS
            if self.lease.is_wanted():
                raise LeaseLost

    def update_row(self, **values: Any) -> None:
        """Write values to the terminal's row now, and read it again.

        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        with self.lease.write():
            changed_rows(update(Terminal).where(Terminal.id == self.terminal.id).values(**values))
            self.terminal = db.session.get_one(Terminal, self.terminal.id, populate_existing=True)

    def _lend(self) -> None:
        self._is_lent = True
        self.lease.lend()
        signs.goes_on(current_app.config["READ_TIMEOUT"])

    def _renew(self, seconds: float) -> None:
        if not self.lease.lasts(seconds + MARGIN_SECONDS):
            needed = max(seconds, self.seconds_left()) if self.seconds_left else seconds + SPARE_SECONDS
            self.lease.renew(needed + MARGIN_SECONDS)
        signs.goes_on(seconds)


def only_reads(method: str, path: str) -> bool:
    """True for a request that changes nothing at the terminal, while nothing is changed there by an earlier one."""
    return path in SEARCHES or (method == "GET" and path not in WRITES_STILL)


@contextmanager
def converse(
    terminal_id: int,
    holder: str,
    purpose: str,
    *,
    seconds: float | None = None,
    wait: float | None = None,
    total: float | None = None,
    urgent: bool = False,
    yields: bool = False,
) -> Iterator[Conversation]:
    """Acquire the terminal's lease and yield a conversation.

    :param seconds: the first length of the lease, in seconds (default: enough for a quick conversation).
    :param wait: how long to wait for the current holder, in seconds (default: LEASE_WAIT).
    :param total: how long all requests together may take, in seconds (default: no limit).
    :param urgent: a person waits for it: work for many lets the terminal go. :param yields: it is such work.
    :raises LoginStopped: when the password was refused before.
    :raises TerminalRetired: when it is out of service for good.
    :raises TerminalInUse: when the holder did not finish in time. :raises terminal_unknown: when there is no such row.
    """
    config = current_app.config
    if seconds is None:
        seconds = config["CONNECT_TIMEOUT"] + config["READ_TIMEOUT"] + SPARE_SECONDS
    wait = config["LEASE_WAIT"] if wait is None else wait
    lease = leases.acquire(terminal_id, holder, purpose, seconds + MARGIN_SECONDS, wait, urgent=urgent)
    give_up_at = None if total is None else time.monotonic() + total
    conversation = Conversation(lease.terminal, lease, give_up_at=give_up_at, yields=yields)
    conversation.is_reading = purpose == leases.PASSAGES
    failure: TerminalError | None = None
    try:
        if lease.terminal.retired_at is not None:
            raise TerminalRetired(t=lease.terminal.name)
        refuse_when_stopped(lease.terminal)
        yield conversation
    except TerminalError as error:
        failure = error
        raise
    finally:
        _end(conversation, failure)


def _end(conversation: Conversation, failure: TerminalError | None) -> None:
    """Write what a conversation showed of the terminal, and release its lease whatever fails.

    When the terminal works again, its waiting and stopped enrolments become due.
    """
    terminal, lease = conversation.lease.terminal, conversation.lease
    values: Mapping[str, Any] = {}
    try:
        if failure is not None:
            values = _record_failure(terminal, lease, failure)
        elif conversation.answered:
            # Where no credentials were asked for, it is not known whether they are right.
            values = {**ANSWERED, "login": True if conversation.login_sent else None}
            if terminal.last_error_code or terminal.reachable is False or terminal.refused_since is not None:
                with suppress(LeaseLost), lease.write():
                    recovery.resume(lease.terminal_id)
        if values:
            reachability.record(lease, is_reachable=values["reachable"])
    finally:
        lease.release(**{**conversation.pending_updates, **values})


def _record_failure(terminal: Terminal, lease: leases.Lease, error: TerminalError) -> Mapping[str, Any]:
    """Record a refused login or another certificate, and return what is written to the terminal's row."""
    if isinstance(error, LoginRefused):
        record_refused_login(terminal, error)
        return {**IS_THERE, "login": False, "last_error_code": error.code}
    if isinstance(error, CertificateChanged):
        # Only the first time goes into the audit trail.
        first = update(Terminal).where(Terminal.id == terminal.id, Terminal.last_error_code != error.code)
        with suppress(LeaseLost), lease.write():
            if changed_rows(first.values(last_error_code=error.code)):
                audit.record("terminal.certificate_changed", terminal=terminal.name)
    if not error.reached:
        since = func.coalesce(Terminal.offline_since, database_now())
        until = database_now(current_app.config["RETRY_BASE"])
        return {"reachable": False, "offline_since": since, "backoff_until": until, "last_error_code": error.code}
    # WeakDigest: the password was not sent, so it is unknown whether it is right.
    return {**IS_THERE, "login": None, "last_error_code": error.code} if isinstance(error, WeakDigest) else IS_THERE


def end_back_off(terminal_id: int | ScalarSelect[int]) -> None:
    """Let a terminal that did not answer be asked now, within the caller's transaction.

    The time stays in its row: it tells when the terminal was asked last (terminals/reachability.py).
    """
    backs_off = (Terminal.id == terminal_id, Terminal.backoff_until > database_now())
    changed_rows(update(Terminal).where(*backs_off).values(backoff_until=database_now()))


def usable_answer(ask: Callable[[], Answered]) -> Answered | None:
    """Return the answer to a request that not every model supports, or None when there is no usable answer.

    :raises TerminalError: when it may be answered later.
    """
    try:
        return ask()
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def refuse_before_compared(terminal: Terminal) -> None:
    """Refuse to write to a terminal whose rows came from a backup, before it was compared with them.

    :raises NotComparedSinceRestore: then.
    """
    if terminal.restored_from is not None:
        raise NotComparedSinceRestore(t=terminal.name)


def get_terminal(terminal_id: int) -> Terminal:
    """Return the terminal's row, fresh from the database. :raises terminal_unknown: when there is no such row."""
    terminal = fresh(Terminal, terminal_id)
    if terminal is None:
        raise ServiceError("terminal_unknown")
    return terminal


def new_client(terminal: Terminal) -> Client:
    """Return a new client, without the state of earlier conversations."""
    config = current_app.config
    return Client(
        terminal.url,
        terminal.username,
        vault.decrypt(terminal.password_encrypted),
        fingerprint=terminal.fingerprint,
        timeout=(config["CONNECT_TIMEOUT"], config["READ_TIMEOUT"]),
        resolve=allowed_addresses.allowed().places,
        https_only=allowed_addresses.requires("https"),
        sha256_only=allowed_addresses.requires("sha256"),
        transport=current_app.extensions.get("terminal_transport"),
        observe=partial(_record_call, terminal.id),
    )


def _record_call(terminal_id: int, path: str, seconds: float) -> None:
    """Count and log a call, by a name that has nothing of what was sent."""
    name = calls.name_of(path)
    metrics.counted.call(name, seconds)
    log.info("terminal %s: %s in %.3f s", terminal_id, name, seconds)


def locked_minutes(terminal: Terminal) -> int | None:
    """Return for how many more minutes the account is locked at the terminal, or None."""
    if terminal.refused_since is None or terminal.unlock_at is None:
        return None
    now = db.session.execute(select(database_now())).scalar_one()
    return max(1, round((terminal.unlock_at - now) / timedelta(minutes=1))) if terminal.unlock_at > now else None


def is_out_of_reach(terminal: Terminal) -> bool:
    """True when nothing can be asked of the terminal now: it does not answer, or refused our password."""
    return terminal.refused_since is not None or terminal.reachable is False


def asks_no_password(terminal: Terminal) -> bool:
    """True when the terminal answered a check without asking for the password, so anybody may change its people."""
    is_checked = terminal.reachable is True and terminal.capture_mode is not None and not terminal.last_error_code
    return is_checked and terminal.login is None


def refuse_when_stopped(terminal: Terminal) -> None:
    """Refuse a conversation when the terminal refused our password. The lock of an account ends after its time.

    :raises LoginStopped: with the minutes that the account stays locked.
    """
    minutes = locked_minutes(terminal)
    if minutes or (terminal.refused_since is not None and terminal.unlock_at is None):
        raise LoginStopped(terminal.refused_code, minutes)


def record_refused_login(terminal: Terminal, error: LoginRefused) -> None:
    """Write a refused login to the row, which stops all conversations.

    Nothing is written when the password was changed meanwhile, which changes `version`.
    """
    seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
    unchanged = update(Terminal).where(Terminal.id == terminal.id, Terminal.version == terminal.version)
    refused = unchanged.values(
        refused_since=database_now(),
        refused_code=error.code,
        last_error_code=error.code,
        unlock_at=None if seconds is None else database_now(seconds),
    )
    with transaction(alone=True):
        # Only the first refusal goes into the audit trail, not those after each ended lock.
        if changed_rows(refused.where(Terminal.refused_since.is_(None))):
            audit.record("terminal.password_refused", terminal=terminal.name, after={"reason": error.code})
        else:
            changed_rows(refused)
