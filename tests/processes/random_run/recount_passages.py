"""The recount of passages, alarms, the cursor and webhooks, by the terminals' own lists: see recount.py."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Event, JournalAlarm, Terminal, WebhookDelivery
from hikflask.models.webhook import PASSAGE
from hikflask.services.passages import coverage
from hikflask.services.passages.store import LOCAL_TIME_LENGTH
from hikflask.services.passages.webhook_outbox import TOLD
from hikflask.services.webhooks.deliveries import DELIVERY
from tests.processes.random_run.world import World, key_in

ALARM = (1, 1030)
# A record has whole seconds, and may have been made at the end of one.
SECOND = timedelta(seconds=1)


def _events() -> list[Event]:
    rows = select(Event).order_by(Event.id)
    return list(db.session.execute(rows, execution_options={"populate_existing": True}).scalars())


def owners(world: World) -> Iterator[str]:
    """Yield events that are stored twice, and those of somebody else than who passed, by the name that was shown."""
    keys = {person.id: person.key for person in world.people if person.id}
    employees = {row.number: row for row in db.session.execute(select(Employee)).scalars()}
    moved = {person.id for person in world.people if len(person.numbers) > 1}
    stored: set[tuple[str, int, str]] = set()
    for event in _events():
        record = (event.device_serial, event.serial_no, event.device_time[:LOCAL_TIME_LENGTH])
        if record in stored:
            yield f"event {event.id} is stored twice: {record}"
        stored.add(record)
        key, owner = key_in(event.name), employees.get(event.number)
        if key and event.employee_id in keys and keys[event.employee_id] != key:
            yield f"event {event.id} of person {key} is said to be of person {keys[event.employee_id]}"
        if owner and event.employee_id != owner.id and event.name == owner.name and owner.id not in moved:
            yield f"event {event.id} of {event.number} ({event.name}) is nobody's"


def logs(world: World) -> Iterator[str]:
    """Yield records of a terminal's own list that are not here, though their time is said to be complete."""
    stored = {(event.device_serial, event.serial_no, event.device_time[:LOCAL_TIME_LENGTH]) for event in _events()}
    rows = {row.id: row for row in db.session.execute(select(Terminal)).scalars()}
    in_use = [rows[terminal_id] for terminal_id in world.terminals if terminal_id in rows]
    spans = coverage.spans_of_each(in_use)
    for terminal in in_use:
        complete = [span for span in spans[terminal.id] if span.is_complete]
        for record in world.terminals[terminal.id].events.records:
            is_covered = any(span.from_at <= record.at and record.at + SECOND <= span.to_at for span in complete)
            if is_covered and (terminal.serial, record.serial_no, record.time[:LOCAL_TIME_LENGTH]) not in stored:
                yield f"record {record.serial_no} of terminal {terminal.id} ({record.time}) is missing"


def alarms(world: World) -> Iterator[str]:
    """Yield terminals whose alarms are counted, seen or not, in another number than the terminal recorded them."""
    names = {row.id: row.name for row in db.session.execute(select(Terminal)).scalars()}
    seen: Counter[str] = Counter()
    for entry in db.session.execute(select(AuditEntry).where(AuditEntry.action == "alarm.seen")).scalars():
        if isinstance(entry.after, dict) and entry.after["code"] == "{}/{}".format(*ALARM):
            seen[entry.terminal] += entry.after["count"]
    for terminal_id, begun in world.begun.items():
        if begun is None or terminal_id not in world.terminals:
            continue
        of_code = (
            JournalAlarm.terminal_id == terminal_id,
            JournalAlarm.major == ALARM[0],
            JournalAlarm.minor == ALARM[1],
        )
        unseen = db.session.execute(select(func.coalesce(func.sum(JournalAlarm.count), 0)).where(*of_code)).scalar_one()
        log = world.terminals[terminal_id].events
        recorded = [record for record in log.records if (record.major, record.minor) == ALARM]
        expected = sum(record.serial_no > begun for record in recorded)
        if unseen + seen[names[terminal_id]] != expected:
            counted = f"{unseen} unseen and {seen[names[terminal_id]]} seen"
            yield f"terminal {terminal_id} recorded {expected} alarms, and {counted} are counted"


def followed(world: World) -> Iterator[str]:
    """Yield events that a program did not get which reads on from its cursor."""
    missed = {event.id for event in _events()} - world.followed
    if missed:
        yield f"the cursor has passed over events {sorted(missed)[:10]}"


def messages(world: World) -> Iterator[str]:
    """Yield passages that webhooks are not told of, or twice, and messages that count as taken and did not come."""
    rows = db.session.execute(select(WebhookDelivery), execution_options={"populate_existing": True}).scalars().all()
    told = Counter((row.webhook_id, row.event_id) for row in rows if row.event == PASSAGE)
    yield from (f"event {event_id} is told {count} times" for (_, event_id), count in told.items() if count > 1)
    its_events = {event_id for _, event_id in told}
    # An erasure deletes ended messages by number, also those of who had an erased person's number before.
    erased = set().union(*(one.numbers for one in world.erased))
    for event in _events():
        begun = world.begun.get(event.terminal_id or 0)
        is_new = event.terminal_id in world.terminals and begun is not None and event.serial_no > begun
        if is_new and event.kind in TOLD and event.number not in {"", *erased} and event.id not in its_events:
            yield f"event {event.id} ({event.kind}) is told to no webhook"
    came = {message.headers.get(DELIVERY) for message in world.receiver.got}
    for row in rows:
        if row.delivered_at and row.message_id not in came:
            yield f"message {row.message_id} counts as taken, and did not come"
        if row.delivered_at is None and row.next_attempt_at is None:
            yield f"message {row.message_id} was given up"


CHECKS = (owners, logs, alarms, followed, messages)
