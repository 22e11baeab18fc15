"""Sends the events of a terminal to the hosts in its slots, from a thread of its own. It sends to loopback alone."""

import http.client
import threading
import time
from ipaddress import ip_address

from hikflask.simulator.terminal.event_push import PushRequest
from hikflask.simulator.terminal.terminal import Terminal

PAUSE = 1.0
"""Seconds between two looks at what waits, and so before something is sent again. The real interval is not known."""
TIMEOUT = 5.0


class EventSender:
    """The thread that sends for one terminal."""

    def __init__(self, terminal: Terminal, pause: float = PAUSE) -> None:
        self.terminal = terminal
        self.pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator events")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop once the request that is being sent is answered."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        push, last_heartbeat = self.terminal.push, time.monotonic()
        while not self._stopped.wait(self.pause):
            push.deliver(send)
            beats = push.heartbeats()
            if beats and time.monotonic() - last_heartbeat >= min(beat.host.heartbeat for beat in beats):
                last_heartbeat = time.monotonic()
                for beat in beats:
                    send(beat)


def send(request: PushRequest) -> int | None:
    """Send one request and return the status of the answer; None when nobody answers, or the host is no loopback."""
    host = request.host
    if host.addressing != "ipaddress" or not ip_address(host.address).is_loopback:
        return None
    connection = http.client.HTTPConnection(host.address, host.port, timeout=TIMEOUT)
    try:
        connection.request("POST", host.url or "/", request.body, request.headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
