"""The threads that send to webhooks: a slow receiver delays no other, and nobody waits for it."""

import time

from flask import Flask

from hikflask.background.webhooks import Sender
from hikflask.services.webhooks import registry
from tests.support.receivers import receiving

ALL = frozenset({"enrolled"})


def test_slow_receiver_delays_no_other(app: Flask) -> None:
    with receiving() as quick, receiving(hangs=True) as slow, app.app_context():
        for receiver in (slow, quick):
            registry.test(registry.add(receiver.url, ALL)[0].id)
        sender = Sender(app)
        began = time.monotonic()
        sender.start_due()
        assert slow.came.wait(10)
        assert quick.came.wait(10)
        registry.test(2)
        give_up = time.monotonic() + 10
        while len(quick.got) < 2:
            sender.start_due()
            assert time.monotonic() < give_up
            time.sleep(0.01)

        assert time.monotonic() - began < 9
        assert len(slow.got) == 1
        slow.let_go.set()
        while sender._busy:
            assert time.monotonic() < give_up
            time.sleep(0.01)
