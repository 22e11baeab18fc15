"""A real mail server on loopback, which keeps what it is given."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.processes.processes import free_port

USER, PASSWORD = "hikflask", "mail-password-1"


class MailServer:
    """What the server was given. `refuses`: it takes nothing now. `unknown`: a receiver that it refuses."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuses = False
        self.unknown = ""

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Take a receiver, or refuse it."""
        if address == self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Keep a mail, or refuse it."""
        if self.refuses:
            return "451 try again later"
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        return "250 taken"


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, way: str = "none") -> Iterator[MailServer]:
    """Run a mail server.

    :param way: with `starttls` it takes nothing before that and the sign-in of USER, with `tls` it speaks nothing else.
    """
    kept = MailServer(free_port())
    # By aiosmtpd's reckoning, only STARTTLS makes a connection one with TLS, and it warns where a password is needed
    # without that.
    asked: dict[str, dict[str, Any]] = {
        "none": {},
        "starttls": {"authenticator": _let_in, "auth_required": True, "tls_context": tls, "require_starttls": True},
        "tls": {"authenticator": _let_in, "auth_require_tls": False, "ssl_context": tls},
    }
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port, **asked[way])
    controller.start()
    yield kept
    controller.stop()


def _let_in(*given: object) -> AuthResult:
    words = given[-1]
    right = isinstance(words, LoginPassword) and (words.login, words.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)
