"""The worker: all steps of its clean-up are done whatever happens to one, and who is silent outside stops nothing."""

import logging
import os
import threading
import time

import pytest
from flask import Flask

from hikflask.background.queue import CAPTURES, TERMINALS, OnceAMinute
from hikflask.background.worker import NamedThreads, Worker
from hikflask.extensions import db, task_queue
from hikflask.models import Alarm, AuditEntry, Heartbeat, Operator, OperatorSession, Photo, Terminal, Throttle
from hikflask.models.accounts import LDAP, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.core import heartbeat
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.signs_of_life import SECONDS, signs
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import capture_face
from tests.support.retention import DAY, age, files, forget
from tests.support.signed_in import add_operator, open_session
from tests.support.silent_server import SilentServer, silent_server
from tests.support.trail import entries, fields
from tests.support.watched import Watched

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_ended_sessions_and_old_tries_go() -> None:
    operator = add_operator("Анна", VIEWER)
    db.session.add(OperatorSession(key_sha256="1", operator_id=operator.id))
    db.session.add(OperatorSession(key_sha256="2", operator_id=operator.id, seen_at=database_now(-7201)))
    db.session.add(Throttle(key="old", since=database_now(-2 * DAY), count=1))
    db.session.add(Throttle(key="new", since=database_now(-60), count=1))
    db.session.commit()

    forget()

    assert db.session.execute(db.select(OperatorSession.key_sha256)).scalars().all() == ["1"]
    assert db.session.execute(db.select(Throttle.key)).scalars().all() == ["new"]


def test_step_that_fails_keeps_no_other_from_being_done(
    app: Flask, simulator: Simulated, terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["PHOTO_RETENTION"] = "nonsense"
    capture_face(simulator, terminal)
    age(Photo, "created_at", 3601)
    db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(-2000 * DAY)))
    db.session.commit()

    forget()

    assert "forget_photos failed" in caplog.text
    assert db.session.query(AuditEntry).filter(AuditEntry.action == "old").count() == 0
    assert files() == []


def test_threads_for_captures_and_terminals_grow_with_the_active_terminals_up_to_the_setting(app: Flask) -> None:
    app.config["WORKER_TERMINALS"] = 6
    worker = Worker(app)
    worker.start()
    try:
        threads = [dict(worker.grow())]
        for count in (5, 3):
            for _ in range(count):
                name = f"T{db.session.query(Terminal).count()}"
                registry.add(Access(name, f"http://{name}.test".lower(), "admin", "Secret12"))
            threads.append(dict(worker.grow()))
    finally:
        worker.stop()

    assert threads == [dict.fromkeys((CAPTURES, TERMINALS), count) for count in (4, 5, 6)]


def see_sweeps_go_on(worker: Worker, server: SilentServer) -> None:
    """Prove that sweeps go on while the silent server is waited for; then hang up and wait for the work's end."""
    give_up = time.monotonic() + 60
    assert server.came.wait(10)
    for _ in range(2):
        db.session.execute(db.update(Heartbeat).values(seen_at=database_now(-60)))
        db.session.commit()
        while not heartbeat.alive():
            assert time.monotonic() < give_up
            time.sleep(0.01)
    assert worker._outside.running()
    while worker._outside.running():
        server.connected[-1].close()
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_silent_directory_keeps_nothing_from_being_swept(app: Flask) -> None:
    asked = {"LDAP_BASE": "dc=x", "LDAP_GROUPS": (("admin", "cn=a,dc=x"),), "LDAP_BIND_DN": "cn=me"}
    for name in ("Анна", "Борис"):
        operator = add_operator(name)
        open_session(operator)
    db.session.execute(db.update(Operator).values(directory=LDAP))
    db.session.commit()
    app.config["SWEEP_INTERVAL"] = 0.02
    with silent_server() as directory:
        app.config.update(asked, LDAP_URL=f"ldap://127.0.0.1:{directory.port}")
        worker = Worker(app)
        worker.start()
        try:
            see_sweeps_go_on(worker, directory)
        finally:
            worker.stop()

        assert len(directory.connected) == 1


def test_silent_mail_server_keeps_nothing_from_being_swept_and_is_asked_once_in_a_pass(
    app: Flask, terminal: Terminal
) -> None:
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_TLS="none", MAIL_FROM=["a@b.cd"], MAIL_TO=["c@d.ef"])
    away = {"refused_since": database_now(), "reachable": False, "offline_since": database_now(-9999)}
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(**away))
    db.session.commit()
    app.config["SWEEP_INTERVAL"] = 0.02
    with silent_server() as mail:
        app.config["MAIL_PORT"] = mail.port
        worker = Worker(app)
        worker.start()
        try:
            see_sweeps_go_on(worker, mail)
        finally:
            worker.stop()

        assert len(mail.connected) == 1
        assert db.session.execute(db.select(Alarm.tries).order_by(Alarm.tries)).scalars().all() == [0, 1]


def test_jump_of_the_clock_is_recorded_though_nobody_does_anything(app: Flask) -> None:
    worker = Worker(app)
    for seconds in (0, 200, 2 * DAY, -2 * DAY):
        worker._sweep_once()
        assert worker._clock_lead is not None
        worker._clock_lead -= seconds
    worker._sweep_once()
    worker._sweep_once()

    recorded = [(entry.actor, fields(entry.after)) for entry in entries("clock.jumped")]
    assert recorded == [("worker", {"seconds_ahead": seconds}) for seconds in (2 * DAY, -2 * DAY)]


def test_process_ends_and_says_where_it_stands_when_any_thread_of_the_worker_hangs(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker, watched, ended = Worker(app), Watched(monkeypatch), list[int]()
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(worker._stopped, "wait", lambda _seconds: True)  # So that the sweep ends before its first pass.
    loops = [worker._sweep_until_stopped]
    for consumer in worker._consumers:
        consumer.stop_flag.set()  # So that a pass without a task waits for nothing.
        loops += [consumer._create_scheduler().loop, *(runner.loop for runner, _ in consumer.worker_threads)]
    worker._consumers.clear()  # Their threads do not live.
    noticed = []
    for make_one_pass in loops:
        make_one_pass()
        for seconds in (SECONDS - 1, 30):
            watched.pass_by(seconds)
            worker._check_threads()
            noticed.append(len(ended))
        ended.clear()
    errors = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]

    assert noticed == [0, 1] * 14
    assert errors[0].startswith("MainThread hangs:\n")
    assert "in test_process_ends_and_says_where_it_stands_when_any_thread_of_the_worker_hangs" in errors[0]
    assert errors[1] == "threads hang: MainThread; this process ends with them"


def test_thread_that_asks_another_machine_is_watched_until_it_ends(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> None:
        begun.set()
        over.wait(60)

    watched, begun, over = Watched(monkeypatch), threading.Event(), threading.Event()
    NamedThreads(app).start("mail", ask)
    begun.wait(60)
    watched.pass_by(SECONDS)
    signs.goes_on()
    hanging = signs.silent()
    over.set()
    hanging[0].join()

    assert ([thread.name for thread in hanging], signs.silent()) == (["mail"], [])


def test_queue_that_is_away_is_said_once_a_minute_however_many_threads_ask(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    log = OnceAMinute(logging.getLogger("huey.consumer"))
    for seconds in (0, 1, 59, 61):
        with monkeypatch.context() as later:
            later.setattr(time, "monotonic", lambda after=seconds: now + after)
            for _ in range(3):
                log.exception("Error reading from queue")
            log.error("Unhandled error during execution of task %s.", seconds)
    said = [record.getMessage() for record in caplog.records]

    assert said.count("Error reading from queue") == 2
    assert len([line for line in said if line.startswith("Unhandled error")]) == 4
    consumer = task_queue.lanes(app).consumer(TERMINALS, 3)
    assert {type(thread._logger) for thread in (consumer._create_worker(), consumer._create_scheduler())} == {
        OnceAMinute
    }
