"""The mail server: whether it lets us in. It is given no mail."""

import smtplib
from collections.abc import Iterator

from flask import current_app

from hikflask.diagnosis import Finding, good, wrong
from hikflask.services.alarms import mail_server


def check() -> Iterator[Finding]:
    """Connect to the mail server as a mail about an alarm would be sent. Needs an app context."""
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return
    place = f"The mail server {config['MAIL_SERVER']}:{config['MAIL_PORT']}"
    try:
        with mail_server.signed_in():
            pass
    except smtplib.SMTPAuthenticationError:
        yield wrong(
            f"{place} refuses our account, so no alarm is mailed: correct HIKFLASK_MAIL_USER and "
            "HIKFLASK_MAIL_PASSWORD."
        )
    except OSError as error:
        yield wrong(
            f"{place} does not let us in ({error}), so no alarm is mailed: correct HIKFLASK_MAIL_SERVER, "
            "HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this machine reach it."
        )
    else:
        yield good(f"{place} lets us in.")
