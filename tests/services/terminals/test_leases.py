"""One holder at a time, by the database's clock; a late holder cannot write."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.config import MAX_CAPTURE_SECONDS
from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.errors import LeaseLost, ServiceError, TerminalInUse
from hikflask.services.terminals import leases
from hikflask.services.terminals.leases import Lease

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def expire(terminal: Terminal) -> None:
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(lease_until=database_now(-0.001)))
    db.session.commit()


def name_of(terminal: Terminal) -> str:
    return db.session.execute(select(Terminal.name).where(Terminal.id == terminal.id)).scalar_one()


def write_name(lease: Lease, name: str, after: Callable[[], object] = lambda: None) -> None:
    with lease.write():
        db.session.execute(db.update(Terminal).values(name=name))
        after()


def test_second_holder_is_told_who_has_the_terminal_and_for_how_long(terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Анна", "capture", 30)

    with pytest.raises(TerminalInUse) as refused:
        leases.acquire(terminal.id, "Борис", "capture", 30)

    assert refused.value.params == {"who": "Анна", "seconds": 30}


def test_lease_has_the_row_as_it_was_when_the_lease_began(terminal: Terminal) -> None:
    old = terminal.name
    db.session.commit()
    with db.engine.begin() as other:
        other.execute(db.update(Terminal).values(name="Склад"))

    assert (old, leases.acquire(terminal.id, "Анна", "capture", 30).terminal.name) == ("Вход", "Склад")


def test_released_terminal_is_free_at_once(terminal: Terminal) -> None:
    first = leases.acquire(terminal.id, "Анна", "save", 30)
    first.release()

    assert leases.acquire(terminal.id, "Борис", "save", 30).number == first.number + 1


def test_expired_lease_is_taken_over(terminal: Terminal) -> None:
    first = leases.acquire(terminal.id, "Анна", "save", 30)
    expire(terminal)

    second = leases.acquire(terminal.id, "Борис", "save", 30)

    assert second.number > first.number


def test_short_conversation_is_waited_for(app: Flask, terminal: Terminal) -> None:
    first = leases.acquire(terminal.id, "Анна", "save", 30)

    def release() -> None:
        with app.app_context():
            first.release()

    timer = threading.Timer(0.1, release)
    timer.start()
    second = leases.acquire(terminal.id, "Борис", "save", 30, wait=5)
    timer.join()

    assert second.number > first.number


def test_late_holder_can_neither_renew_nor_write(terminal: Terminal) -> None:
    late = leases.acquire(terminal.id, "Анна", "save", 30)
    expire(terminal)
    leases.acquire(terminal.id, "Борис", "save", 30)

    with pytest.raises(LeaseLost):
        late.renew(30)
    with pytest.raises(LeaseLost):
        write_name(late, "written too late")

    assert name_of(terminal) == "Вход"


def test_late_release_leaves_the_new_holder_alone(terminal: Terminal) -> None:
    late = leases.acquire(terminal.id, "Анна", "save", 30)
    expire(terminal)
    leases.acquire(terminal.id, "Борис", "save", 30)

    late.release()

    with pytest.raises(TerminalInUse) as refused:
        leases.acquire(terminal.id, "Вера", "save", 30)
    assert refused.value.params["who"] == "Борис"


def test_failed_write_leaves_nothing_behind(terminal: Terminal) -> None:
    lease = leases.acquire(terminal.id, "Анна", "save", 30)

    with pytest.raises(ZeroDivisionError):
        write_name(lease, "half", after=lambda: 1 / 0)

    assert name_of(terminal) == "Вход"


def test_holder_knows_how_long_the_terminal_is_held_without_asking(terminal: Terminal) -> None:
    lease = leases.acquire(terminal.id, "Анна", "save", 30)

    assert lease.lasts(29)
    assert not lease.lasts(31)
    lease.renew(60)
    assert lease.lasts(59)


def test_late_holder_learns_it_when_it_asks(terminal: Terminal) -> None:
    late = leases.acquire(terminal.id, "Анна", "save", 30)
    late.verify()
    expire(terminal)
    leases.acquire(terminal.id, "Борис", "save", 30)

    with pytest.raises(LeaseLost):
        late.verify()


def wanted(terminal: Terminal) -> bool:
    found = select(Terminal.id).where(Terminal.id == terminal.id, leases.IS_WANTED)
    return db.session.execute(found).scalar_one_or_none() is not None


def want(terminal: Terminal, seconds: float) -> None:
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(wanted_until=database_now(seconds)))
    db.session.commit()


def test_work_for_many_does_not_begin_where_a_person_waits(terminal: Terminal) -> None:
    want(terminal, 1.0)

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "background", "save", 30)
    leases.acquire(terminal.id, "Анна", "capture", 30, urgent=True).release()

    assert not wanted(terminal)
    leases.acquire(terminal.id, "background", "save", 30)


@pytest.mark.parametrize("seconds", [-0.001, 86400.0])
def test_who_waited_and_was_killed_keeps_nobody_away(terminal: Terminal, seconds: float) -> None:
    """Neither when the time is over, nor when the clock was set back meanwhile."""
    want(terminal, seconds)

    assert leases.acquire(terminal.id, "background", "save", 30)


def test_who_waits_says_so_until_the_time_is_over(app: Flask, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "background", "save", 30)
    seen: list[bool] = []

    def look() -> None:
        with app.app_context():
            seen.append(wanted(terminal))

    timer = threading.Timer(0.1, look)
    timer.start()
    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Анна", "capture", 30, wait=0.3, urgent=True)
    timer.join()

    assert seen == [True]
    assert not wanted(terminal)


def test_unknown_terminal_has_no_lease(context: None) -> None:  # noqa: ARG001
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        leases.acquire(404, "Анна", "save", 30)


def test_of_many_threads_one_gets_the_lease(app: Flask, terminal: Terminal) -> None:
    got: list[int] = []
    start = threading.Barrier(8)

    def race() -> None:
        with app.app_context():
            start.wait()
            try:
                got.append(leases.acquire(terminal.id, "x", "save", 30).number)
            except TerminalInUse:
                return

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 1


def test_lent_lease_is_taken_over_by_whoever_is_urgent_alone(terminal: Terminal) -> None:
    many = leases.acquire(terminal.id, "background", "save", 30)
    many.lend()

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "another worker", "save", 30)
    leases.acquire(terminal.id, "Анна", "capture", 30, urgent=True)

    with pytest.raises(LeaseLost):
        many.take_back()
    with pytest.raises(LeaseLost):
        write_name(many, "written too late")


def test_lease_that_was_taken_back_is_not_taken_over(terminal: Terminal) -> None:
    many = leases.acquire(terminal.id, "background", "save", 30)
    many.lend()
    many.take_back()

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Анна", "capture", 30, urgent=True)


def test_what_was_lent_once_is_not_lent_by_the_next_holder(terminal: Terminal) -> None:
    """Neither after the lease was released, nor when its holder was killed, nor by a late one."""
    many = leases.acquire(terminal.id, "background", "save", 30)
    many.lend()
    many.release()
    leases.acquire(terminal.id, "background", "save", 30)
    many.lend()

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Анна", "capture", 30, urgent=True)


def test_running_capture_keeps_its_lease_where_a_shorter_time_is_set_meanwhile(app: Flask, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Анна", leases.CAPTURE, MAX_CAPTURE_SECONDS)
    app.config["CAPTURE_TIMEOUT"] = 1.0

    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Борис", leases.CAPTURE, 1.0, wait=0.0)


def test_terminal_whose_log_is_read_is_taken_over_by_whoever_does_anything_else(terminal: Terminal) -> None:
    reading = leases.acquire(terminal.id, "background", leases.PASSAGES, 30)
    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "background", leases.PASSAGES, 30)

    save = leases.acquire(terminal.id, "background", "save", 30)

    assert (reading.is_wanted(), save.is_wanted()) == (True, False)
    with pytest.raises(LeaseLost):
        write_name(reading, "Склад")
    with pytest.raises(TerminalInUse):
        leases.acquire(terminal.id, "Анна", "check", 30)
