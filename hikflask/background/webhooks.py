"""The threads that send to webhooks: one for each that has something to be sent, so a slow one delays no other."""

import logging
import threading

from flask import Flask

from hikflask.services.webhooks import deliveries

log = logging.getLogger(__name__)


class Sender:
    """Sends what is due, each webhook's messages in a thread of its own; start_due() returns at once."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._busy: set[int] = set()

    def start_due(self) -> None:
        """Start a thread for each webhook that has something due and no thread yet."""
        for webhook_id in deliveries.due_webhooks():
            with self._lock:
                if webhook_id in self._busy:
                    continue
                self._busy.add(webhook_id)
            threading.Thread(target=self._send, args=(webhook_id,), name=f"webhook-{webhook_id}", daemon=True).start()

    def _send(self, webhook_id: int) -> None:
        try:
            with self._app.app_context():
                while deliveries.send_next(webhook_id):
                    continue
        except Exception:  # the outermost loop
            log.exception("webhook %s failed", webhook_id)
        finally:
            with self._lock:
                self._busy.discard(webhook_id)
