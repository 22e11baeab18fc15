"""What is done here with the data of people besides letting them in: a paper that they sign must not leave it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import exists, or_, select

from hikflask.extensions import db
from hikflask.models import Webhook
from hikflask.services.accounts.api_tokens import IS_VALID
from hikflask.services.passages import switch, terminal_privacy


@dataclass(frozen=True)
class Uses:
    """For how many days passages and their pictures are kept, 0 for not at all; whether programs are given data.

    `addresses`: where terminals send events besides this program, each once.
    """

    passage_days: int
    picture_days: int
    has_programs: bool
    addresses: Sequence[str]


def uses() -> Uses:
    """Return what the settings, webhooks, tokens and terminals of this moment do."""
    passages, pictures = (
        current_app.config[name] if switch.is_on() else 0 for name in ("PASSAGES_KEEP", "PASSAGES_PICTURES")
    )
    programs = or_(exists().where(Webhook.is_active), exists().where(*IS_VALID))
    places = (place for _, row in terminal_privacy.foreign() for place in terminal_privacy.destinations(row))
    addresses = sorted({place.place for place in places if not place.is_ours})
    return Uses(passages, pictures, db.session.execute(select(programs)).scalar_one(), addresses)
