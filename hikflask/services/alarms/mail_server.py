"""The mail server that is given the mails about alarms (HIKFLASK_MAIL_SERVER)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.header import Header
from email.mime.text import MIMEText

from flask import current_app

from hikflask.net.client import NAME_SECONDS, cut_off_after
from hikflask.services import audit
from hikflask.services.accounts import rate_limit
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import ServiceError
from hikflask.signs_of_life import signs

# For each answer of the server, and for all of them together.
SECONDS, TOTAL_SECONDS = 15.0, 60.0
STARTTLS, TLS = "starttls", "tls"
READY = 220
# So many test mails within so many seconds.
TESTS, WINDOW_SECONDS = 5, 600.0


@contextmanager
def signed_in() -> Iterator[smtplib.SMTP]:
    """Connect and sign in for the block. :raises OSError: when the server is away, or refuses our account."""
    end_read()
    config = current_app.config
    where = (config["MAIL_SERVER"], config["MAIL_PORT"])
    trusted = ssl.create_default_context()
    signs.goes_on(TOTAL_SECONDS + NAME_SECONDS)
    if config["MAIL_TLS"] == TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(timeout=SECONDS)
    # The name that the certificate is checked for. A constructor that is told it connects at once, and is not cut off.
    server._host = config["MAIL_SERVER"]  # type: ignore[attr-defined]
    with cut_off_after(TOTAL_SECONDS, lambda: server.sock), server:
        code, words = server.connect(*where)
        if code != READY:
            raise smtplib.SMTPConnectError(code, words)
        if config["MAIL_TLS"] == STARTTLS:
            server.starttls(context=trusted)
        if config["MAIL_USER"]:
            server.login(config["MAIL_USER"], config["MAIL_PASSWORD"])
        yield server


def compose(subject: str, text: str) -> MIMEText:
    """Return a mail to all who get the alarms."""
    config = current_app.config
    message = MIMEText(text, _charset="utf-8")
    message["From"], message["To"] = config["MAIL_FROM"][0], ", ".join(config["MAIL_TO"])
    # All of it encoded: EmailMessage would decode what looks encoded in a name, and its line breaks would be headers.
    message["Subject"] = Header(f"hikflask: {subject}", "utf-8")  # type: ignore[assignment]
    message["Auto-Submitted"] = "auto-generated"
    return message


def send(message: MIMEText) -> dict[str, tuple[int, bytes]]:
    """Give a mail to the server; return the receivers that it refused, each with code and words, where it took others.

    :raises OSError: when the server is away, or refuses our account or the mail.
    """
    with signed_in() as server:
        return server.send_message(message)


def send_test(message: MIMEText) -> None:
    """Give a test mail to the server. The audit trail has what came of it.

    :raises TooOften: :raises ServiceError: with a code for what the server refuses, and its words (params: text).
    """
    rate_limit.count_try("test-mail", TESTS, WINDOW_SECONDS)
    try:
        if refused := send(message):
            raise smtplib.SMTPRecipientsRefused(refused)
    except OSError as error:
        refusal = _refusal(error)
        audit.record_alone("mail.tested", after={"address": message["To"], "reason": refusal.code})
        raise refusal from error
    audit.record_alone("mail.tested", after={"address": message["To"]})


def _refusal(error: OSError) -> ServiceError:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return ServiceError("mail_account_refused", text=_reply(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = (f"{address} ({_reply(*reply)})" for address, reply in error.recipients.items())
        return ServiceError("mail_receivers_refused", text=", ".join(replies))
    if isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        return ServiceError("mail_refused", text=_reply(error.smtp_code, error.smtp_error))
    place = f"{current_app.config['MAIL_SERVER']}:{current_app.config['MAIL_PORT']}"
    return ServiceError("mail_server_away", address=place, text=str(error))


def _reply(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
