"""What a terminal does with events by itself: to whom it sends them, which pictures it keeps, and what it shows.

It is read once a day whether passages are kept or not: a terminal that sends names and faces to a stranger is a danger
in any case. What the owner decided is set by one click, and proven by reading it again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hikflask.extensions import db
from hikflask.isapi import access_config, event_hosts
from hikflask.isapi.event_hosts import Host
from hikflask.models import EventLog, Terminal, TerminalPrivacy
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, claim_rows, transaction
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.core.shown import digest
from hikflask.services.passages import push_slot, switch
from hikflask.services.terminals import connection, leases
from hikflask.services.terminals.connection import Conversation, usable_answer

PRIVACY = "privacy"
# A person waits for the page.
MAX_SECONDS = 12.0
DAY_SECONDS, HOUR_SECONDS = 86400.0, 3600.0
# A reading that failed is tried again after this time; so is a slot that could not be written or cleared.
RETRY_SECONDS = 600.0
# A new terminal is read so soon.
FIRST_SECONDS = 60.0
PICTURES, NAMES, IDS, STORAGE = "pictures", "names", "ids", "storage"
# What is on when any of these switches of AcsCfg is. Pictures are those of who passes, not the faces that are enrolled.
SWITCHES = {
    PICTURES: ("saveCapPic", "saveVerificationPic"),
    NAMES: ("showName",),
    IDS: ("showEmployeeNo",),
}
# Why a terminal does not tell by itself: no slot is free, or it did not keep what was written to one.
FULL, LOST = "full", "lost"
# The mode of StorageCfg in which the newest events take the place of the oldest.
RING = "cycle"
ROWS = cast("Table", TerminalPrivacy.__table__)


@dataclass(frozen=True)
class Destination:
    """A slot of httpHosts that is in use: where it leads, and whether that is this program.

    `digest` is of what the slot has, so that a click clears what was shown.
    """

    slot: int
    address: str
    port: int
    url: str
    is_ours: bool

    @property
    def place(self) -> str:
        """Return address and port."""
        return f"{self.address}:{self.port}" if self.port else self.address

    @property
    def digest(self) -> str:
        """Return the digest of where the slot leads."""
        return digest(self.slot, self.address, self.port, self.url)


@dataclass(frozen=True)
class Fact:
    """One thing that a terminal does by itself, and what the owner decided about it; None: not known, not decided."""

    name: str
    is_on: bool | None
    decided: bool | None

    @property
    def differs(self) -> bool:
        """True when the terminal does otherwise than decided."""
        return None not in {self.is_on, self.decided} and self.is_on != self.decided


def of(terminal_id: int) -> TerminalPrivacy | None:
    """Return what was read of a terminal; None when nothing was yet."""
    row = db.session.get(TerminalPrivacy, terminal_id, populate_existing=True)
    return row if row and row.read_at else None


def destinations(row: TerminalPrivacy) -> list[Destination]:
    """Return where a terminal sends events: strangers first."""
    hosts = [(_host(slot), slot["is_ours"]) for slot in row.hosts or ()]
    places = [_destination(host, is_ours=is_ours) for host, is_ours in hosts if not host.is_empty]
    return sorted(places, key=lambda place: (place.is_ours, place.slot))


def _destination(host: Host, *, is_ours: bool = False) -> Destination:
    return Destination(host.slot, host.address, host.port, host.url, is_ours)


def _stored(host: Host, secret_hash: str) -> dict[str, Any]:
    """Return a slot as it is stored: of ours without the secret. `tells`: it has the secret that was given last."""
    is_ours = push_slot.is_ours(host, secret_hash)
    shown = replace(host, url=push_slot.PATH) if is_ours else host
    return asdict(shown) | {"is_ours": is_ours, "tells": push_slot.has_secret_of(host, secret_hash)}


def _host(slot: dict[str, Any]) -> Host:
    return Host(**{name: slot[name] for name in ("slot", "address", "port", "url", "protocol")})


def facts(row: TerminalPrivacy) -> list[Fact]:
    """Return what a terminal keeps and shows, beside what the owner decided."""
    decided, access = _decided(), row.access or {}
    told = {name: [access[switch] for switch in switches if switch in access] for name, switches in SWITCHES.items()}
    on = {name: any(values) if values else None for name, values in told.items()}
    on[STORAGE] = row.storage_mode == RING if row.storage_mode else None
    return [Fact(name, is_on, decided[name]) for name, is_on in on.items()]


def _decided() -> dict[str, bool | None]:
    pictures = {"keep": True, "discard": False}.get(current_app.config["TERMINAL_PICTURES"])
    names = {"show": True, "hide": False}.get(current_app.config["TERMINAL_NAMES"])
    # What is read here must not be deleted there before.
    return {PICTURES: pictures, NAMES: names, IDS: names, STORAGE: True if switch.is_on() else None}


def why_not_told(row: TerminalPrivacy) -> str:
    """Return why a terminal does not tell by itself though it is to: FULL or LOST; an empty text where it does."""
    if not push_slot.is_used() or row.hosts is None:
        return ""
    if any(slot["tells"] for slot in row.hosts):
        return ""
    secret_hash = push_slot.kept_hash(row.terminal_id)
    if secret_hash:
        return LOST
    return "" if push_slot.free_slot([_host(slot) for slot in row.hosts], secret_hash) else FULL


def foreign() -> Sequence[tuple[Terminal, TerminalPrivacy]]:
    """Return the terminals in use that send events to somebody else, by name, with what was read of them."""
    statement = (
        select(Terminal, TerminalPrivacy)
        .join(TerminalPrivacy, TerminalPrivacy.terminal_id == Terminal.id)
        .where(Terminal.is_active, TerminalPrivacy.foreign_hosts > 0)
        .order_by(Terminal.name)
    )
    rows = db.session.execute(statement, execution_options={"populate_existing": True})
    return [(terminal, row) for terminal, row in rows]


def read(terminal_id: int, holder: str, *, by_hand: bool = False) -> None:
    """Read what a terminal does by itself, and write or clear the slot with which it tells this program.
    :raises TerminalError: when it does not answer, or refuses the slot. :raises ServiceError: as a check does.
    """
    wait = None if by_hand else 0.0
    with connection.converse(
        terminal_id, holder, PRIVACY, wait=wait, total=MAX_SECONDS, urgent=by_hand, yields=not by_hand
    ) as conversation:
        hosts = usable_answer(lambda: event_hosts.hosts(conversation))
        _write(conversation, hosts, **_asked(conversation))
        if hosts is not None and conversation.terminal.restored_from is None:
            adjusted = push_slot.adjust(conversation, hosts)
            _write(conversation, adjusted)


def clear(terminal_id: int, slot: int, shown: str, holder: str) -> None:
    """Clear a slot that leads to somebody else, and read again that it is empty.

    :param shown: the digest of where the slot led when the question was asked.
    :raises PlanChanged: when it leads elsewhere by now. :raises destination_stays: when it reads back as it was.
    :raises TerminalError: :raises ServiceError: as a check does.
    """
    with connection.converse(terminal_id, holder, PRIVACY, total=MAX_SECONDS, urgent=True) as conversation:
        hosts = event_hosts.hosts(conversation)
        secret_hash = push_slot.kept_hash(terminal_id)
        found = (host for host in hosts if host.slot == slot and push_slot.is_foreign(host, secret_hash))
        place = next(map(_destination, found), None)
        if place is None or place.digest != shown:
            _write(conversation, hosts)
            raise PlanChanged
        event_hosts.clear_host(conversation, slot)
        hosts = event_hosts.hosts(conversation)
        left = next((host for host in hosts if host.slot == slot and not host.is_empty), None)
        with conversation.lease.write():
            _write(conversation, hosts)
            if left is None:
                before = {"slot": slot, "address": place.place}
                audit.record("terminal.destination_cleared", terminal=conversation.terminal.name, before=before)
        if left is not None:
            raise ServiceError("destination_stays", t=conversation.terminal.name, address=place.place)


def apply_decisions(terminal_id: int, holder: str) -> None:
    """Set what a terminal keeps and shows as the owner decided, and read it again.

    :raises privacy_not_set: when the terminal said OK, but something is as before.
    :raises TerminalError: :raises ServiceError: as a check does.
    """
    with connection.converse(terminal_id, holder, PRIVACY, total=MAX_SECONDS, urgent=True) as conversation:
        _write(conversation, **_asked(conversation))
        before = [fact for fact in _facts_of(terminal_id) if fact.differs]
        changes = _changes(terminal_id, before)
        if changes:
            access_config.set_switches(conversation, changes)
        if any(fact.name == STORAGE for fact in before):
            access_config.set_storage_mode(conversation, RING)
        asked = _asked(conversation)
        with conversation.lease.write():
            _write(conversation, **asked)
            after = _facts_of(terminal_id)
            audit.record(
                "terminal.privacy_set",
                terminal=conversation.terminal.name,
                before={fact.name: fact.is_on for fact in before},
                after={fact.name: fact.is_on for fact in after if fact.name in {old.name for old in before}},
            )
        if any(fact.differs for fact in after):
            raise ServiceError("privacy_not_set", t=conversation.terminal.name)


def _facts_of(terminal_id: int) -> list[Fact]:
    row = of(terminal_id)
    return facts(row) if row else []


def _changes(terminal_id: int, differing: list[Fact]) -> dict[str, bool]:
    """Return the switches to change. To keep pictures, or show a name, all switches of it are on."""
    row = of(terminal_id)
    access = (row.access if row else None) or {}
    decided = {fact.name: bool(fact.decided) for fact in differing if fact.name in SWITCHES}
    return {switch: value for name, value in decided.items() for switch in SWITCHES[name] if switch in access}


def _asked(conversation: Conversation) -> dict[str, Any]:
    """Ask for what the terminal keeps and shows, and return it as columns of its row."""
    access = usable_answer(lambda: access_config.switches(conversation))
    mode = usable_answer(lambda: access_config.storage_mode(conversation)) or ""
    return {"access": access, "storage_mode": mode[:16]}


def _write(conversation: Conversation, hosts: list[Host] | None = None, **values: Any) -> None:
    """Write what was read to the terminal's row; a stranger who was not there before is in the audit trail."""
    terminal = conversation.terminal
    with conversation.lease.write():
        secret_hash = push_slot.kept_hash(terminal.id)
        before = of(terminal.id)
        if hosts is not None:
            strangers = [_destination(host) for host in hosts if push_slot.is_foreign(host, secret_hash)]
            values |= {"hosts": [_stored(host, secret_hash) for host in hosts], "foreign_hosts": len(strangers)}
            known = {place.place for place in destinations(before)} if before else set()
            new = [place for place in strangers if place.place not in known]
            if new:
                after: dict[str, Any] = {"slot": new[0].slot} if len(new) == 1 else {}
                after["address"] = ", ".join(place.place for place in new)
                audit.record("terminal.sends_elsewhere", terminal=terminal.name, after=after)
        if push_slot.is_used() != bool(secret_hash):
            seconds = RETRY_SECONDS
        else:
            # Some terminals stop to tell after a restart, until their slots are read.
            seconds = HOUR_SECONDS if secret_hash else DAY_SECONDS
        values |= {"read_at": database_now(), "next_at": database_now(seconds)}
        if not changed_rows(update(TerminalPrivacy).where(TerminalPrivacy.terminal_id == terminal.id).values(**values)):
            db.session.add(TerminalPrivacy(terminal_id=terminal.id, **values))
            db.session.flush()


def claim_due() -> list[int]:
    """Claim the idle terminals whose privacy is to be read now, and return their ids.

    Where terminals begin or cease to tell by themselves, or another device stands there, that is at once.
    """
    in_use = (Terminal.is_active, Terminal.face_mode.is_not(None))
    asked = select(Terminal.id).where(*in_use, leases.MAY_BE_ASKED, leases.FREE)
    has_secret = exists().where(EventLog.terminal_id == TerminalPrivacy.terminal_id, EventLog.push_secret_hash != "")
    is_otherwise = ~has_secret if push_slot.is_used() else has_secret
    is_another = exists().where(
        Terminal.id == TerminalPrivacy.terminal_id, Terminal.device_changed_at > TerminalPrivacy.read_at
    )
    # One that was just tried is due within RETRY_SECONDS.
    due = or_(
        TerminalPrivacy.next_at <= database_now(),
        or_(is_otherwise, is_another) & (TerminalPrivacy.next_at > database_now(RETRY_SECONDS)),
    )
    _add_rows()
    statement = select(TerminalPrivacy.terminal_id).where(TerminalPrivacy.terminal_id.in_(asked), due)
    if db.session.execute(statement.limit(1)).first() is None:
        return []
    return [row.terminal_id for row in claim_rows(statement, {"next_at": database_now(RETRY_SECONDS)})]


def _add_rows() -> None:
    """Add the rows of terminals that have none, so that they are read soon."""
    has_row = exists().where(TerminalPrivacy.terminal_id == Terminal.id)
    new = select(Terminal.id, database_now(FIRST_SECONDS)).where(~has_row)
    if db.session.execute(new.limit(1)).first() is None:
        return
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    rows = insert(ROWS).from_select(["terminal_id", "next_at"], new).on_conflict_do_nothing()
    with transaction(alone=True):
        db.session.execute(rows)
