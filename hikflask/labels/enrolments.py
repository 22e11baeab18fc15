"""What a page says about each terminal of an employee: its state, the reason and when it is tried again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from flask_babel import get_locale, gettext

from hikflask import messages
from hikflask.codes.badges import BAD, BADGES, NOT_SENT, PERSON_ONLY, WARN
from hikflask.codes.refusals import FULL, PASSWORD, WHOSE, type_of
from hikflask.isapi.errors import AWAY_CODES, CLASSES, Busy, SameFace, WrongPassword
from hikflask.labels.dates import time_ago, time_at, time_since
from hikflask.models import Employee, Enrolment
from hikflask.models.enrolment import ABSENT, CONFIRMED, PRESENT, REMOVED
from hikflask.models.terminal import BY_URL, NO_CAPTURE
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.core.terminal_name import fits
from hikflask.services.state.badges import badge_of, detail_of, is_working
from hikflask.services.terminals import capacity

LEAVER_TAKEN, SAYS_FULL = "removal_taken", "says_full"
SENT_STEPS = {"face", "proof"}
_RANKS = {badge: rank for rank, badge in enumerate(BADGES)}
# Of more terminals than that a list shows how many there are of a tone; of a badge it names so many.
MAX_DOTS = 6


@dataclass(frozen=True)
class EnrolmentStatus:
    """An enrolment as a page shows it. Green is `confirmed` alone: what the terminal itself answered."""

    enrolment: Enrolment
    detail: str

    @property
    def terminal(self) -> str:
        """The terminal's name."""
        return self.enrolment.terminal.name

    @property
    def badge(self) -> str:
        """What a list says of it in a word: its detail; of a missing face or person, why it is missing."""
        return badge_of(self.enrolment, self.detail)

    @property
    def working(self) -> bool:
        """True while something is being done for it now."""
        return is_working(self.enrolment)

    @property
    def person_sent(self) -> bool:
        """True when the terminal took the person, which the face follows."""
        return self.enrolment.person == CONFIRMED or self.enrolment.step in SENT_STEPS

    @property
    def needs_capture(self) -> bool:
        """True when the person is there without a face, and only a capture at this terminal brings one, if it fits."""
        terminal = self.enrolment.terminal
        takes_no_pictures = terminal.face_mode == BY_URL and terminal.capture_mode != NO_CAPTURE
        lacks_face = self.detail == PERSON_ONLY and self.badge != NOT_SENT
        return lacks_face and terminal.is_active and takes_no_pictures and not self.lacks_capacity

    @property
    def lacks_capacity(self) -> bool:
        """True when the terminal has no room for the face, or refused it for that: a capture would not help."""
        return self.is_refused_for_capacity or capacity.is_full_of_faces(self.enrolment.terminal)

    @property
    def is_refused_for_capacity(self) -> bool:
        """True when the terminal refused person or face for lack of room, which the reason says."""
        return type_of(self.enrolment.refusal_code).cause == FULL

    @property
    def other_face(self) -> bool:
        """True when the confirmed face is another photo than the one that the employee has now."""
        employee = self.enrolment.employee
        return bool(self.detail == CONFIRMED and employee and self.enrolment.confirmed_photo_id != employee.photo_id)

    @property
    def other_name(self) -> str:
        """The name that the terminal has, where it is not the full one."""
        enrolment, employee = self.enrolment, self.enrolment.employee
        if employee is None or enrolment.desired != PRESENT or enrolment.person != CONFIRMED:
            return ""
        return enrolment.written_name if enrolment.written_name != employee.name else ""

    @property
    def own_name_too_long(self) -> str:
        """The employee's own name for terminals, where it does not fit on this one."""
        own = self.enrolment.employee.terminal_name if self.enrolment.employee else ""
        return "" if fits(self.enrolment.terminal, own) else own

    @property
    def confirmed_at(self) -> str:
        """When the terminal confirmed it."""
        return time_ago(self.enrolment.confirmed_at) if self.enrolment.confirmed_at else ""

    @property
    def retry_at(self) -> str:
        """When it is tried again by itself: a terminal that is off is left in peace for a while."""
        due, quiet = self.enrolment.next_attempt_at, self.enrolment.terminal.backoff_until
        return time_at(max(due, quiet or due)) if due else ""

    @property
    def tried_at(self) -> str:
        """When the last attempt ended without what is desired; empty while one is made."""
        tried = self.enrolment.tried_at
        return time_ago(tried) if tried and not self.working and not self.enrolment.is_confirmed else ""

    @property
    def password_refused(self) -> bool:
        """True when nothing is tried until the terminal's password is corrected."""
        return self.enrolment.terminal.refused_since is not None and type_of(self.code).step == PASSWORD

    @property
    def code(self) -> str:
        """Why it is not done; where the terminal refused the password, an earlier silence does not count any more."""
        code, terminal = self.enrolment.refusal_code, self.enrolment.terminal
        if terminal.refused_since is not None and code in {"", *AWAY_CODES} and not self.enrolment.is_confirmed:
            return terminal.refused_code or WrongPassword.own_code
        return code

    @property
    def offline_since(self) -> str:
        """Since when the terminal does not answer, without the word “since”."""
        since = self.enrolment.terminal.offline_since
        return time_since(since) if since else ""

    @property
    def away(self) -> bool:
        """True when the last attempt found nobody there, or the first one waits for a terminal that is off."""
        is_off = self.enrolment.terminal.offline_since is not None
        return self.code in AWAY_CODES or (not self.code and is_off)

    @property
    def is_busy(self) -> bool:
        """True when the terminal was busy with something else."""
        return CLASSES.get(self.code) is Busy

    @property
    def asks_whose(self) -> bool:
        """True when a person must say whose ID it is there."""
        return type_of(self.enrolment.refusal_code).step == WHOSE

    @property
    def reason(self) -> str:
        """Why it is not done, in words."""
        enrolment = self.enrolment
        if not self.code:
            return ""
        name = self.terminal
        if self.code == SameFace.own_code:
            name = enrolment.employee.name if enrolment.employee else enrolment.last_name
        params = enrolment.refusal["params"] if enrolment.refusal else {}
        now = {"t": self.terminal, "address": enrolment.terminal.url, "time": self.retry_at}
        about = {"name": name, **params, **now, **self._counts()}
        code = self.code
        if code == NumberTakenThere.code and enrolment.desired == ABSENT:
            code = LEAVER_TAKEN
        elif type_of(code).cause == FULL and about["n"] != about["max"]:
            code = SAYS_FULL
        return messages.sentence(code, **about)

    @property
    def says_when(self) -> bool:
        """True when the reason itself says when it is tried again, or that it is not."""
        if self.password_refused and self.enrolment.terminal.unlock_at is None:
            return True
        says_when = self.is_busy or type_of(self.code).says_when
        return says_when and self.enrolment.next_attempt_at is not None

    def _counts(self) -> dict[str, int | None]:
        """The numbers of a sentence: the seconds to the next attempt, or how many a full terminal holds."""
        due, terminal = self.enrolment.next_attempt_at, self.enrolment.terminal
        if due and self.is_busy:
            return {"n": max(1, round((due - datetime.now(UTC)).total_seconds()))}
        if type_of(self.code).cause != FULL:
            return {}
        counts = (terminal.people, terminal.people_capacity), (terminal.faces, terminal.face_capacity)
        count, limit = counts[self.code not in capacity.CODES_OF_PEOPLE]
        # What was counted since may be less than what the terminal refuses somebody for.
        return {"n": limit if count is None or limit is None else min(count, limit), "max": limit}


def statuses_of(employee: Employee) -> list[EnrolmentStatus]:
    """Return the status on each terminal that knows the employee, or is to know."""
    return [status_of(enrolment) for enrolment in employee.enrolments]


def worst_first(lines: Iterable[EnrolmentStatus]) -> list[EnrolmentStatus]:
    """Return the lines of an employee as a page shows them; those that only go on or are done keep their order."""
    bad = [word for word, badge in BADGES.items() if badge.tone in (BAD, WARN)]

    def rank(line: EnrolmentStatus) -> int:
        return len(bad) + (line.detail == REMOVED) if line.badge not in bad else bad.index(line.badge)

    return sorted(lines, key=rank)


def status_of(enrolment: Enrolment) -> EnrolmentStatus:
    """Return the status of one enrolment."""
    return EnrolmentStatus(enrolment, detail_of(enrolment))


@dataclass(frozen=True)
class SameBadge:
    """The terminals at which an employee has the same badge: some of their names, and how many more there are."""

    tone: str
    word: str
    names: Sequence[str]
    more: int


@dataclass(frozen=True)
class OnTerminals:
    """An employee's state on all terminals, as a list shows it: a tone for each terminal, or, of many, the counts.

    `lines` say it in words, the worst first.
    """

    dots: Sequence[str]
    counts: Sequence[tuple[str, int]]
    lines: Sequence[SameBadge]

    @property
    def worst(self) -> SameBadge:
        """The worst of it, which colours the whole."""
        return self.lines[0]


def on_terminals(badges: Iterable[tuple[str, str]]) -> OnTerminals:
    """Return what a list shows of an employee.

    :param badges: each terminal's name with the badge there, in the order of the dots; at least one.
    """
    return _on_terminals(tuple(badges), str(get_locale()))


# The rows of a list mostly show the same.
@lru_cache(maxsize=512)
def _on_terminals(badges: tuple[tuple[str, str], ...], language: str) -> OnTerminals:  # noqa: ARG001 - of the words
    names: dict[str, list[str]] = {}
    for name, badge in sorted(badges, key=lambda pair: _RANKS[pair[1]]):
        names.setdefault(badge, []).append(name)
    lines = [
        SameBadge(BADGES[badge].tone, gettext(BADGES[badge].word), there[:MAX_DOTS], max(0, len(there) - MAX_DOTS))
        for badge, there in names.items()
    ]
    if len(badges) <= MAX_DOTS:
        return OnTerminals([BADGES[badge].tone for _, badge in badges], [], lines)
    counted = Counter(BADGES[badge].tone for badge, there in names.items() for _ in there)
    return OnTerminals([], list(counted.items()), lines)
