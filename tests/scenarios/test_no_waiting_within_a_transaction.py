"""Whoever has a transaction open asks nobody outside: mails, the directory, receivers and passwords refuse it."""

from collections.abc import Callable
from email.mime.text import MIMEText
from typing import Any

import pytest

from hikflask.owned_session import TransactionMisuse
from hikflask.services.accounts import ldap, passwords
from hikflask.services.alarms import mail_server
from hikflask.services.core.db import transaction
from hikflask.services.webhooks import allowed_addresses


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("wait", "given"),
    [
        (mail_server.send, (MIMEText(""),)),
        (ldap.look_up, ("ivanov",)),
        (passwords.fits, ("", None)),
        (passwords.hashed, ("",)),
        (allowed_addresses.post, ("http://127.0.0.1:9/", b"", {})),
        (allowed_addresses.refuse_unallowed, ("http://127.0.0.1:9/",)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nobody_is_waited_for_within_a_transaction(wait: Callable[..., object], given: tuple[Any, ...]) -> None:
    with pytest.raises(TransactionMisuse, match="nothing is waited for within a transaction"), transaction():
        wait(*given)
