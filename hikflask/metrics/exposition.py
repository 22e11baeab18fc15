"""All metrics in the text format of Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from hikflask.extensions import metrics
from hikflask.metrics import gauges

# Every Prometheus reads this one.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class _Read(Collector):
    """Hands what was read to the library that writes the format."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return self._found


def text() -> bytes:
    """Return what the processes count, and what the database and the queue tell now."""
    told = CollectorRegistry(auto_describe=False)
    told.register(_Read(gauges.read()))
    return generate_latest(metrics.counted.registry()) + generate_latest(told)
