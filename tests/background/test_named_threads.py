"""Work in threads of their own: a slow one delays no other, nobody waits for it, and none runs twice at a time."""

import threading
import time
from unittest.mock import Mock

import pytest
from flask import Flask

from hikflask.background.worker import NamedThreads
from hikflask.services.webhooks import deliveries, registry
from tests.support.receivers import receiving

ALL = frozenset({"enrolled"})


def start_due(threads: NamedThreads) -> None:
    """Send what is due, as the worker does."""
    for webhook_id in deliveries.due_webhooks():
        threads.start(f"webhook-{webhook_id}", deliveries.send_due, webhook_id)


def test_slow_receiver_delays_no_other(app: Flask) -> None:
    with receiving() as quick, receiving(hangs=True) as slow, app.app_context():
        for receiver in (slow, quick):
            registry.test(registry.add(receiver.url, ALL)[0].id)
        threads = NamedThreads(app)
        began = time.monotonic()
        start_due(threads)
        assert slow.came.wait(10)
        assert quick.came.wait(10)
        registry.test(2)
        give_up = time.monotonic() + 10
        while len(quick.got) < 2:
            start_due(threads)
            assert time.monotonic() < give_up
            time.sleep(0.01)

        assert time.monotonic() - began < 9
        assert len(slow.got) == 1
        slow.let_go.set()
        while threads.running():
            assert time.monotonic() < give_up
            time.sleep(0.01)


def test_work_that_fails_is_logged_and_may_begin_again(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    threads, done = NamedThreads(app), threading.Event()

    def fail() -> None:
        raise ValueError

    threads.start("mail", fail)
    while threads.running():
        time.sleep(0.01)
    threads.start("mail", done.set)

    assert done.wait(10)
    assert [record.getMessage() for record in caplog.records] == ["mail failed"]


def test_work_for_which_there_was_no_thread_begins_the_next_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, done = NamedThreads(app), threading.Event()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        with pytest.raises(RuntimeError):
            threads.start("mail", done.set)

    threads.start("mail", done.set)

    assert done.wait(10)
