"""The mail server that is given the mails about alarms (HIKFLASK_MAIL_SERVER)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from hikflask.services.core.db import end_read

SECONDS = 15.0
STARTTLS, TLS = "starttls", "tls"


@contextmanager
def signed_in() -> Iterator[smtplib.SMTP]:
    """Connect to the server, and sign in where it asks for that, for what is done within the block.

    :raises OSError: when the server is away, or refuses our account.
    """
    end_read()
    config = current_app.config
    where = (config["MAIL_SERVER"], config["MAIL_PORT"])
    trusted = ssl.create_default_context()
    if config["MAIL_TLS"] == TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(*where, timeout=SECONDS)
    with server:
        if config["MAIL_TLS"] == STARTTLS:
            server.starttls(context=trusted)
        if config["MAIL_USER"]:
            server.login(config["MAIL_USER"], config["MAIL_PASSWORD"])
        yield server
