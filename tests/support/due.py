"""What the sweep would take up now."""

from hikflask.services.enrolments import schedule


def claim_due(limit: int = 20) -> list[int]:
    """Claim what is due on any terminal, as the sweep does, and return the ids."""
    return [enrolment_id for turn in schedule.claim_turns(limit) for enrolment_id in turn]
