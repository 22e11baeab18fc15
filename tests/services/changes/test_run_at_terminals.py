"""A job that talks to a terminal waits for one that does not answer, and stops at one that refused the password."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import AccountLocked, Busy, NoAnswer, NotSupported, TerminalError, Unreachable, WrongPassword
from hikflask.models import Job, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, NewItem
from hikflask.services.changes import kinds, lifecycle
from hikflask.services.changes.kinds import TERMINALS, Kind
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.core.errors import LeaseLost, LoginStopped, ServiceError, TerminalInUse, TerminalRetired
from hikflask.services.core.progress import Progress
from tests.support.jobs import LONG, add_people, items, job, looked_again
from tests.support.removals import AGREED

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

AWAY = [Unreachable(), NoAnswer(), TerminalInUse(who="Анна", seconds=3), LeaseLost()]
STOPPED = [WrongPassword(), LoginStopped("wrong_password", None), TerminalRetired(t="Вход")]


class Talks:
    """What a job does at its terminal: an error for each call until there is none any more."""

    def __init__(self) -> None:
        self.errors: list[TerminalError | ServiceError] = []
        self.done: list[str] = []

    def item(self, item: JobItem, _: object) -> None:
        """Do one item."""
        if self.errors:
            raise self.errors.pop(0)
        self.done.append(item.number)

    def whole(self, _job: Job, progress: Progress) -> None:
        """Do it as a whole."""
        progress.report(0, 1)
        self.item(JobItem(number="all"), None)


@pytest.fixture
def talks() -> Talks:
    return Talks()


@pytest.fixture(params=["item", "whole"])
def claim(request: pytest.FixtureRequest, talks: Talks, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Claim:
    """A job of three items, or one that is done as a whole."""
    kind = Kind(talks.item, lane=TERMINALS) if request.param == "item" else Kind(None, talks.whole, lane=TERMINALS)
    monkeypatch.setitem(kinds.KINDS, "talk", kind)
    people = [NewItem(number, person) for number, person in zip("123", add_people(*"123"), strict=True)]
    return lifecycle.begin("talk", {}, terminal_id=terminal.id, items=people if request.param == "item" else [])


def seconds_left(job_id: int) -> float:
    until, now = db.session.execute(db.select(Job.claimed_until, database_now()).where(Job.id == job_id)).one()
    db.session.commit()
    left: float = (until - now).total_seconds()
    return left


@pytest.mark.parametrize("error", AWAY, ids=lambda error: error.code)
def test_job_waits_for_a_terminal_that_is_away_and_goes_on(
    claim: Claim, talks: Talks, error: TerminalError | ServiceError
) -> None:
    talks.errors = [error]

    assert not run_slice(claim, LONG)

    paused = job(claim.job_id)
    assert (paused.state, paused.done, paused.attempts) == (RUNNING, 0, 0)
    assert paused.pause is not None
    assert (paused.pause["refusal"]["code"], paused.pause["tries"]) == (error.code, 1)
    assert lifecycle.claim_orphans() == []
    assert looked_again(claim).state == DONE
    assert talks.done in (["1", "2", "3"], ["all"])


def test_back_off_doubles_and_never_gives_a_terminal_up_that_is_off(claim: Claim, talks: Talks) -> None:
    talks.errors = [Unreachable() for _ in range(12)]
    run_slice(claim, LONG)
    waits = [round(seconds_left(claim.job_id))]

    for _ in range(11):
        looked_again(claim)
        waits.append(round(seconds_left(claim.job_id)))

    assert waits == [15, 30, 60, 120, 240, 480, *[900] * 6]
    assert looked_again(claim).state == DONE


def test_terminal_in_use_is_asked_again_soon(claim: Claim, talks: Talks) -> None:
    talks.errors = [TerminalInUse(who="Анна", seconds=3)]

    run_slice(claim, LONG)

    assert round(seconds_left(claim.job_id)) == 3


@pytest.mark.parametrize("error", STOPPED, ids=lambda error: type(error).__name__)
def test_error_that_stops_conversations_ends_the_job_and_retry_goes_on(
    claim: Claim, talks: Talks, error: TerminalError | ServiceError
) -> None:
    talks.errors = [error]

    assert not run_slice(claim, LONG)

    ended = job(claim.job_id)
    assert (ended.state, ended.params["refusal"]["code"]) == (FAILED, error.code)
    assert talks.done == []
    again = lifecycle.retry(claim.job_id, AGREED)
    assert again is not None
    run_slice(again, LONG)
    assert job(claim.job_id).state == DONE
    assert talks.done in (["1", "2", "3"], ["all"])


def test_sentence_of_the_end_has_its_values(claim: Claim, talks: Talks) -> None:
    talks.errors = [AccountLocked(unlock_seconds=1800, message="locked")]

    run_slice(claim, LONG)

    about = {"t": "Вход", "name": "Вход", "address": "http://terminal.test", "text": "locked", "n": 30}
    assert job(claim.job_id).refusal == {"code": "locked", "params": about}


@pytest.mark.parametrize("error", [Busy(), ServiceError("person_not_verified")])
def test_terminal_that_answers_and_refuses_again_and_again_is_not_asked_for_ever(
    claim: Claim, talks: Talks, error: TerminalError | ServiceError
) -> None:
    talks.errors = [error] * 6
    run_slice(claim, LONG)

    for _ in range(5):
        assert job(claim.job_id).state == RUNNING
        looked_again(claim)

    ended = job(claim.job_id)
    failed_as_a_whole = ended.refusal is not None and ended.refusal["code"] == error.code
    assert failed_as_a_whole or [item[1] for item in items(claim.job_id)] == [FAILED, DONE, DONE]


def test_refusal_of_one_item_fails_it_alone(claim: Claim, talks: Talks) -> None:
    talks.errors = [NotSupported(message="UserInfo/Record")]

    run_slice(claim, LONG)

    ended = job(claim.job_id)
    assert (ended.state, ended.failed) in ((DONE, 1), (FAILED, 0))
    said = ended.refusal["code"] if ended.refusal else items(claim.job_id)[0][2]
    assert said == NotSupported.own_code


def test_progress_begins_the_back_off_anew(talks: Talks, claim: Claim) -> None:
    talks.errors = [Unreachable(), Unreachable()]
    run_slice(claim, LONG)
    looked_again(claim)
    looked_again(claim)

    assert job(claim.job_id).pause is None
