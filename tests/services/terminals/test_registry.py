"""The stored password is shown to nothing that was not there when it was typed."""

import dataclasses
from typing import Any

import pytest

from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("context")

PIN = "cd" * 32


def access(url: str, **more: Any) -> Access:
    return Access("Вход", url, "admin", PASSWORD, **more)


@pytest.mark.parametrize("url", ["http://192.168.1.65", "http://192.168.1.64:8080", "https://192.168.1.64"])
def test_stored_password_is_not_shown_to_another_address(url: str) -> None:
    registry.add(access("http://192.168.1.64"))

    with pytest.raises(ServiceError, match=r"^terminal_password_needed$"):
        registry.change(1, dataclasses.replace(access(url), password=None), "operator")

    assert [terminal.url for terminal in registry.list_all()] == ["http://192.168.1.64"]
    assert registry.change(1, access(url), "operator").url == url


@pytest.mark.parametrize(("before", "after"), [(PIN, "ab" * 32), (PIN, None), (None, PIN)])
def test_stored_password_is_not_shown_to_another_certificate(before: str | None, after: str | None) -> None:
    registry.add(access("https://192.168.1.64", fingerprint=before))

    with pytest.raises(ServiceError, match=r"^terminal_password_needed$"):
        registry.change(1, dataclasses.replace(access("https://192.168.1.64"), password=None, fingerprint=after), "x")

    assert [terminal.fingerprint for terminal in registry.list_all()] == [before]
    assert registry.change(1, access("https://192.168.1.64", fingerprint=after), "x").fingerprint == after
