"""The slot of a terminal that tells this program that something happened: one of its httpHosts.

The secret in its path is the terminal's own, and only its hash is kept here. A slot with that secret is ours, and so is
one that leads to HIKFLASK_PUSH_ADDRESS, which an earlier secret may be in. A slot of anybody else is never written.
"""

import hashlib
import logging
import secrets
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.isapi import event_hosts
from hikflask.isapi.event_hosts import Host
from hikflask.models import EventLog
from hikflask.services.core.db import changed_rows
from hikflask.services.terminals import checks
from hikflask.services.terminals.connection import Conversation

log = logging.getLogger(__name__)
PUSH = "push"
PATH = "/events/push/"
SECRET_BYTES = 32
# Some models refuse every change of their slots unless the values of such a slot stay.
EHOME = "ehome"


def is_used() -> bool:
    """Return True when terminals are to tell by themselves."""
    return bool(current_app.config["PASSAGES"] == PUSH)


def hash_of(secret: str) -> str:
    """Return the hash of a secret, as it is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def kept_hash(terminal_id: int) -> str:
    """Return the hash of the secret that a terminal was given; an empty text for none."""
    statement = select(EventLog.push_secret_hash).where(EventLog.terminal_id == terminal_id)
    return db.session.execute(statement).scalar() or ""


def is_ours(host: Host, secret_hash: str) -> bool:
    """Return True when a slot leads to this program."""
    if host.is_empty:
        return False
    return has_secret_of(host, secret_hash) or (
        (host.address, host.port) == _address() and (not host.url or PATH in host.url)
    )


def has_secret_of(host: Host, secret_hash: str) -> bool:
    """Return True when a slot has the secret in its path, so the terminal is believed."""
    return bool(secret_hash) and hash_of(host.url.rpartition("/")[2]) == secret_hash


def is_foreign(host: Host, secret_hash: str) -> bool:
    """Return True when a slot leads to somebody else."""
    return not host.is_empty and not is_ours(host, secret_hash)


def adjust(conversation: Conversation, hosts: list[Host]) -> list[Host]:
    """Write our slot where terminals are to tell by themselves, else clear it; return the slots as they are then.

    Where it is there already, nothing is written. The secret is new each time, as only the hash of the last is known.

    :raises TerminalError: :raises LeaseLost: :raises NotComparedSinceRestore:
    """
    secret_hash = kept_hash(conversation.terminal.id)
    ours = [host for host in hosts if is_ours(host, secret_hash)]
    if not is_used():
        return _clear(conversation, hosts, ours) if ours or secret_hash else hosts
    if any(has_secret_of(host, secret_hash) and (host.address, host.port) == _address() for host in ours):
        return hosts
    slot = free_slot(hosts, secret_hash)
    if slot is None:
        log.warning(
            "terminal %s: all slots for events are taken, so it does not tell by itself", conversation.terminal.id
        )
        return hosts
    # So that it is known whose secret it is.
    checks.recognise(conversation)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    _keep_hash(conversation, hash_of(secret))
    address, port = _address()
    event_hosts.set_host(conversation, slot.slot, address=address, port=port, url=PATH + secret)
    return event_hosts.hosts(conversation)


def free_slot(hosts: list[Host], secret_hash: str) -> Host | None:
    """Return the slot that our address is written to: ours, or else an empty one."""
    ours = (host for host in hosts if is_ours(host, secret_hash))
    empty = (host for host in hosts if host.is_empty and host.protocol.lower() != EHOME)
    return next((host for hosts in (ours, empty) for host in hosts), None)


def _clear(conversation: Conversation, hosts: list[Host], ours: list[Host]) -> list[Host]:
    for host in ours:
        event_hosts.clear_host(conversation, host.slot)
    if ours:
        hosts = event_hosts.hosts(conversation)
    if not any(has_secret_of(host, kept_hash(conversation.terminal.id)) for host in hosts):
        _keep_hash(conversation, "")
    return hosts


def _address() -> tuple[str, int]:
    """Return where terminals reach this server; an empty text for nowhere."""
    parts = urlsplit(current_app.config["PUSH_ADDRESS"])
    return parts.hostname or "", parts.port or 0


def _keep_hash(conversation: Conversation, secret_hash: str) -> None:
    terminal_id = conversation.terminal.id
    with conversation.lease.write():
        kept = update(EventLog).where(EventLog.terminal_id == terminal_id)
        if not changed_rows(kept.values(push_secret_hash=secret_hash)) and secret_hash:
            db.session.add(EventLog(terminal_id=terminal_id, push_secret_hash=secret_hash))
            db.session.flush()
