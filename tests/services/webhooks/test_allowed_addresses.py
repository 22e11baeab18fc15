"""Where webhooks may go."""

import ipaddress

import pytest
from flask import Flask

from hikflask.net.client import NotSent
from hikflask.services.core.errors import ServiceError
from hikflask.services.webhooks import allowed_addresses

pytestmark = pytest.mark.usefixtures("context")
LAN = (ipaddress.ip_network("192.168.1.0/24"),)


def test_http_is_for_this_machine_and_allowed_networks_and_https_for_any(app: Flask) -> None:
    refused = ["http://192.168.1.5/", "http://8.8.8.8/", "http://169.254.169.254/latest", "https://169.254.169.254/"]
    allowed = ["http://127.0.0.1:9/", "http://[::1]/", "https://8.8.8.8/", "https://192.168.1.5/"]
    for url in refused:
        with pytest.raises(ServiceError, match=r"^webhook_address_refused$"):
            allowed_addresses.refuse_unallowed(url)
        with pytest.raises(NotSent, match="address_refused"):
            allowed_addresses.post(url, b"{}", {})
    for url in allowed:
        allowed_addresses.refuse_unallowed(url)
    app.config["WEBHOOK_NETWORKS"] = LAN
    for url in ("http://192.168.1.5/", "https://192.168.1.5/"):
        allowed_addresses.refuse_unallowed(url)
    for url in ("http://127.0.0.1/", "https://8.8.8.8/", "http://10.0.0.1/"):
        with pytest.raises(ServiceError, match=r"^webhook_address_refused$"):
            allowed_addresses.refuse_unallowed(url)
