"""gunicorn on an address of IPv6, behind a proxy that comes by it."""

from pathlib import Path

import requests

from tests.processes.on_socket import refused_from
from tests.processes.processes import Served


class ServedByIPv6(Served):
    """The app on the machine's own address of IPv6; without a worker."""

    def __init__(self, folder: Path, address: str) -> None:
        super().__init__(folder, WORKER="external", TRUSTED_PROXY=address)
        self.url = f"http://[{address}]:{self.port}"
        self._environment["HIKFLASK_BIND"] = f"[{address}]:{self.port}"


def test_pages_are_served_to_a_proxy_that_is_believed_and_the_commands_find_them(tmp_path: Path, ipv6: str) -> None:
    app = ServedByIPv6(tmp_path, ipv6)
    app.start()
    try:
        forged = {"Authorization": "Bearer nobody-knows-it", "X-Forwarded-For": "2001:db8::7"}
        status = requests.get(f"{app.url}/api/users/", headers=forged, timeout=60).status_code
        ready = app.refused("hikflask", "ready")
    finally:
        app.stop()

    assert status == 401
    assert refused_from(tmp_path) == ["2001:db8::7"]
    assert ready.stderr == (
        "Error: The service answers and is not ready (worker): `journalctl -u hikflask -u hikflask-worker` says why.\n"
    )
