"""Lets tests write through the session themselves. What is written without an owner and committed by nobody fails."""

from collections.abc import Callable
from typing import Any

import pytest
from flask_sqlalchemy.session import Session

from hikflask.owned_session import OwnedSession, TransactionMisuse

UNOWNED = "unowned"
# What the program refuses and allow_tests_to_write() replaces.
REFUSES: tuple[Callable[[Any], None], ...] = (
    OwnedSession.commit,
    OwnedSession.rollback,
    OwnedSession.require_owner,
)


def allow_tests_to_write(patch: pytest.MonkeyPatch) -> None:
    """Note a write without an owner, which the program refuses; a commit by the test makes it good."""
    end_read, close = OwnedSession.end_read, OwnedSession.close

    def require_owner(session: OwnedSession) -> None:
        if session.work is None:
            session.info[UNOWNED] = True

    def ends(end: Callable[[Session], None]) -> Callable[[OwnedSession], None]:
        def by_a_test(session: OwnedSession) -> None:
            assert session.work is None, "only its owner ends a transaction"
            end(session)
            session.info.pop(UNOWNED, None)

        return by_a_test

    def clean(end: Callable[[OwnedSession], None]) -> Callable[[OwnedSession], None]:
        def when_committed(session: OwnedSession) -> None:
            if session.info.pop(UNOWNED, None):
                close(session)
                raise TransactionMisuse("something was written that nobody has committed")
            end(session)

        return when_committed

    patch.setattr(OwnedSession, "require_owner", require_owner)
    patch.setattr(OwnedSession, "commit", ends(Session.commit))
    patch.setattr(OwnedSession, "rollback", ends(Session.rollback))
    patch.setattr(OwnedSession, "end_read", clean(end_read))
    patch.setattr(OwnedSession, "close", clean(close))
