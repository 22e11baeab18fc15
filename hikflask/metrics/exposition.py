"""All metrics in the text format of Prometheus."""

import struct
import time
from collections.abc import Iterable
from contextlib import suppress

from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from hikflask.extensions import metrics
from hikflask.metrics import gauges
from hikflask.services.state.capture import ENDS

# Every Prometheus reads this one.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
TRIES, PAUSE = 20, 0.01


class _Gauges(Collector):
    def collect(self) -> Iterable[Metric]:
        """Return what the database and the queue tell now."""
        return gauges.read()


def text() -> bytes:
    """Return what the processes count, and what the database and the queue tell now."""
    # Not at the start: each process would leave files in the folder that they share, commands, too.
    metrics.counted.begin_at_zero(ENDS)
    return _counted() + generate_latest(_Gauges())


def _counted() -> bytes:
    """Return what the processes count. One that begins has made its file, and not yet written to it, for a moment."""
    for _ in range(TRIES):
        with suppress(struct.error):
            return generate_latest(metrics.counted.registry())
        time.sleep(PAUSE)
    return generate_latest(metrics.counted.registry())
