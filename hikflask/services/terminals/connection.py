"""One conversation with one terminal under its lease. At its end, its result is written to the terminal's row."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from flask import current_app
from sqlalchemy import func, select, update

from hikflask.extensions import db, metrics, terminal_clients, vault
from hikflask.isapi import calls, faces, persons
from hikflask.isapi.client import Answer, Client
from hikflask.isapi.errors import (
    AccountLocked,
    CertificateChanged,
    LoginRefused,
    NoAnswer,
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
from hikflask.services.terminals import allowed_addresses, leases, recovery

log = logging.getLogger(__name__)
# The lease ends so many seconds after the time-out of the call.
MARGIN_SECONDS = 2.0
# A lease is so much longer than its next call may take, so a conversation with a quick terminal never renews it. The
# holder's death blocks the terminal for that long, too.
SPARE_SECONDS = 10.0
# Work for many looks that often, between two requests, whether a person waits for the terminal.
LOOK_SECONDS = 0.25
# When the answer to something that is only read takes longer, the lease may be taken over meanwhile.
LEND_SECONDS = 0.4
SEARCHES = {persons.SEARCH, faces.SEARCH}
# The terminal removes somebody while it is asked for that: the removal is under way until it is finished.
WRITES_STILL = {persons.DELETE_PROCESS}
# Written to the row of a terminal that is there, whatever it said.
IS_THERE = {"reachable": True, "answered_at": database_now(), "offline_since": None, "backoff_until": None}
# Written to the row after a terminal has answered.
ANSWERED = {
    **IS_THERE,
    "login": True,
    "last_error_code": "",
    "refused_since": None,
    "refused_code": "",
    "unlock_at": None,
}


@dataclass
class Conversation:
    """A terminal's row as read under the lease, and the client for it. It is an isapi Requester.

    `seconds_left` returns for how long the lease is needed at least: a capture holds its terminal until its deadline.
    `give_up_at` is when the whole conversation must end, by time.monotonic(). `pending_updates` are written to the
    terminal's row together with the end of the lease. `yields`: it is work for many, and ends as soon as a person waits
    for the terminal, but never while something is written there.
    """

    terminal: Terminal
    lease: leases.Lease
    client: Client
    seconds_left: Callable[[], float] | None = None
    give_up_at: float | None = None
    answered: bool = False
    pending_updates: dict[str, Any] = field(default_factory=dict)
    yields: bool = False
    _look_at: float = field(default_factory=lambda: time.monotonic() + LOOK_SECONDS)
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
            timeout = self._bounded(path)
        can_stop = self.yields and reads
        if can_stop:
            self.yield_to_urgent()
        end_read()
        try:
            answer = self.client.request(
                method,
                path,
                data=data,
                content_type=content_type,
                timeout=timeout,
                before_send=self._renew,
                slow=(LEND_SECONDS, self._lend) if can_stop else None,
            )
            self.answered = True
        finally:
            if self._is_lent:
                self._is_lent = False
                self.lease.take_back()
        return answer

    def yield_to_urgent(self) -> None:
        """End work for many here, where nothing is half done, when a person waits for the terminal. It goes on later.

        :raises LeaseLost: then.
        """
        if not self.yields or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        if self.lease.is_wanted():
            raise LeaseLost

    def update_row(self, **found: Any) -> None:
        """Write to the terminal's row now what this conversation pending_updates.

        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        with self.lease.write():
            changed_rows(update(Terminal).where(Terminal.id == self.terminal.id).values(**found))

    def _lend(self) -> None:
        self._is_lent = True
        self.lease.lend()

    def _bounded(self, path: str) -> tuple[float, float]:
        left = (self.give_up_at or 0.0) - time.monotonic()
        if left <= 0:
            raise NoAnswer(message="the conversation took too long", path=path)
        config = current_app.config
        return min(config["CONNECT_TIMEOUT"], left), min(config["READ_TIMEOUT"], left)

    def _renew(self, seconds: float) -> None:
        if self.lease.lasts(seconds + MARGIN_SECONDS):
            return
        needed = max(seconds, self.seconds_left()) if self.seconds_left else seconds + SPARE_SECONDS
        self.lease.renew(needed + MARGIN_SECONDS)


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
    :param wait: how long to wait for the present holder, in seconds (default: LEASE_WAIT).
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
    found: dict[str, Any] = {}
    pending_updates: dict[str, Any] = {}
    try:
        terminal = lease.terminal
        _refuse_unusable(terminal)
        give_up_at = None if total is None else time.monotonic() + total
        talk = Conversation(
            terminal, lease, client_for(terminal), give_up_at=give_up_at, pending_updates=pending_updates, yields=yields
        )
        try:
            yield talk
        finally:
            found = ANSWERED if talk.answered else {}
    except LoginRefused as error:
        record_refused_login(terminal, error)
        found = {**IS_THERE, "login": False, "last_error_code": error.code}
        raise
    except TerminalError as error:
        found = _found_by(error)
        if isinstance(error, CertificateChanged):
            _note_certificate(terminal, lease, error)
        raise
    finally:
        _end(lease, {**pending_updates, **found}, recovered=found is ANSWERED and _was_in_trouble(terminal))


def _end(lease: leases.Lease, found: dict[str, Any], *, recovered: bool) -> None:
    """Release the lease, even when resume() fails."""
    try:
        if recovered:
            _resume(lease)
    finally:
        lease.release(**found)


def _was_in_trouble(terminal: Terminal) -> bool:
    return bool(terminal.last_error_code) or terminal.reachable is False or terminal.refused_since is not None


def _resume(lease: leases.Lease) -> None:
    """The terminal works again: waiting and stopped enrolments become due."""
    with suppress(LeaseLost), lease.write():
        recovery.resume(lease.terminal_id)


def _refuse_unusable(terminal: Terminal) -> None:
    if terminal.retired_at is not None:
        raise TerminalRetired(t=terminal.name)
    refuse_when_stopped(terminal)


def refuse_before_compared(terminal: Terminal) -> None:
    """Refuse to write to a terminal whose rows came from a backup, before it was compared with them.

    :raises NotComparedSinceRestore: then.
    """
    if terminal.restored_from is not None:
        raise NotComparedSinceRestore(t=terminal.name)


def get_terminal(terminal_id: int) -> Terminal:
    """Return the terminal's row, fresh from the database.

    :raises terminal_unknown: when there is no such row.
    """
    terminal = fresh(Terminal, terminal_id)
    if terminal is None:
        raise ServiceError("terminal_unknown")
    return terminal


def client_for(terminal: Terminal) -> Client:
    """Return this process's client for the terminal. It is kept while address and password stay the same."""
    return terminal_clients.get(terminal.id, terminal.version, lambda: new_client(terminal))


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
        observe=partial(_note_call, terminal.id),
    )


def _note_call(terminal_id: int, path: str, seconds: float) -> None:
    """Count and log a call, by a name that has nothing of what was sent."""
    name = calls.name_of(path)
    metrics.counted.call(name, seconds)
    log.info("terminal %s: %s in %.3f s", terminal_id, name, seconds)


def refuse_when_stopped(terminal: Terminal) -> None:
    """Refuse a conversation when the terminal refused our password. The lock of an account ends after its time.

    :raises LoginStopped: with the minutes that the account stays locked.
    """
    if terminal.refused_since is None:
        return
    if terminal.unlock_at is None:
        raise LoginStopped(terminal.refused_code, None)
    now = db.session.execute(select(database_now())).scalar_one()
    if terminal.unlock_at > now:
        raise LoginStopped(terminal.refused_code, max(1, round((terminal.unlock_at - now) / timedelta(minutes=1))))


def locked_minutes(terminal: Terminal) -> int | None:
    """Return for how many more minutes the account is locked there, or None."""
    try:
        refuse_when_stopped(terminal)
    except LoginStopped as stopped:
        minutes: int | None = stopped.params["n"]
        return minutes
    return None


def record_refused_login(terminal: Terminal, error: LoginRefused) -> None:
    """Write a refused login to the row, which stops all conversations.

    Nothing is written when the password was changed meanwhile, which changes `version`.
    """
    seconds = error.unlock_seconds if isinstance(error, AccountLocked) else None
    mine = update(Terminal).where(Terminal.id == terminal.id, Terminal.version == terminal.version)
    refused = mine.values(
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


def _note_certificate(terminal: Terminal, lease: leases.Lease, error: CertificateChanged) -> None:
    """Write another certificate to the row and the audit trail, but only the first time it is seen."""
    first = update(Terminal).where(Terminal.id == terminal.id, Terminal.last_error_code != error.code)
    with suppress(LeaseLost), lease.write():
        if changed_rows(first.values(last_error_code=error.code)):
            audit.record("terminal.certificate_changed", terminal=terminal.name)


def _found_by(error: TerminalError) -> dict[str, Any]:
    if not error.reached:
        since = func.coalesce(Terminal.offline_since, database_now())
        quiet = database_now(current_app.config["RETRY_BASE"])
        return {"reachable": False, "offline_since": since, "backoff_until": quiet, "last_error_code": error.code}
    # WeakDigest: the password was not sent, so it is unknown whether it is right.
    return IS_THERE | ({"login": None, "last_error_code": error.code} if isinstance(error, WeakDigest) else {})
