"""The digest of what a page, or an answer, showed before a question: the answer to it does this and nothing else.

The answer brings the digest along. When the digest of what would be done by now differs from it, nothing is done.
"""

import hashlib
import json

from hikflask.services.core.errors import PlanChanged


def digest(*facts: object) -> str:
    """Return the digest of facts that JSON can write."""
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def require_same(shown: str | None, current: str) -> None:
    """Refuse what is not as it was shown. :raises PlanChanged:"""
    if shown != current:
        raise PlanChanged
