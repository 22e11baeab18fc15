"""What a job does as a whole: its progress, its stop, its death in the middle, and the items that it adds."""

from collections.abc import Callable

import pytest

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED
from hikflask.services.changes import kinds, lifecycle
from hikflask.services.changes.kinds import Kind
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice, run_to_end
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import BadPhoto
from hikflask.services.core.progress import Progress
from tests.support.jobs import add_people, items, job, started

pytestmark = pytest.mark.usefixtures("context")

Whole = Callable[[Job, Progress], bool | None]


@pytest.fixture
def claim_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Whole], Claim]:
    """Start a job of a kind that does this as a whole."""

    def start(whole: Whole) -> Claim:
        monkeypatch.setitem(kinds.KINDS, "whole", Kind(lambda _item, _params: None, whole))
        return started("whole", [])

    return start


def test_progress_is_committed_and_the_end_is_done(claim_of: Callable[[Whole], Claim]) -> None:
    seen: list[tuple[str, int, int]] = []

    def whole(this: Job, progress: Progress) -> None:
        for done in (1, 2, 3):
            progress.report(done, 3)
            seen.append((job(this.id).state, job(this.id).done, job(this.id).total))

    claim = claim_of(whole)
    run_to_end(claim)

    assert seen == [(RUNNING, 1, 3), (RUNNING, 2, 3), (RUNNING, 3, 3)]
    assert (job(claim.job_id).state, job(claim.job_id).done) == (DONE, 3)


def test_total_does_not_go_down_while_the_whole_is_done(claim_of: Callable[[Whole], Claim]) -> None:
    seen: list[tuple[int, int]] = []

    def whole(this: Job, progress: Progress) -> None:
        for done, total in ((0, 5), (1, 7), (2, 3), (3, 3)):
            progress.report(done, total)
            seen.append((job(this.id).done, job(this.id).total))

    claim = claim_of(whole)
    run_to_end(claim)

    assert seen == [(0, 5), (1, 7), (2, 7), (3, 7)]
    assert (job(claim.job_id).done, job(claim.job_id).total) == (3, 3)


def test_stop_ends_it_at_the_next_report(claim_of: Callable[[Whole], Claim]) -> None:
    reported: list[int] = []

    def whole(this: Job, progress: Progress) -> None:
        for done in (1, 2, 3):
            with transaction():
                db.session.add(JobItem(job_id=this.id, number=str(done)))
                progress.report(done, 3)
            reported.append(done)
            lifecycle.stop_job(this.id)

    claim = claim_of(whole)
    run_to_end(claim)

    assert reported == [1]
    assert job(claim.job_id).state == STOPPED
    assert [number for number, _, _ in items(claim.job_id)] == ["1"]


def test_refusal_fails_the_job_and_is_kept_for_its_page(claim_of: Callable[[Whole], Claim]) -> None:
    def whole(_job: Job, progress: Progress) -> None:
        progress.report(1, 2)
        raise BadPhoto(n=7)

    claim = claim_of(whole)
    run_to_end(claim)

    ended = job(claim.job_id)
    assert ended.state == FAILED
    assert ended.ended_at is not None
    assert ended.refusal == {"code": "photo_unreadable", "params": {"n": 7}}


def test_killed_in_the_middle_it_is_done_again_from_its_beginning(claim_of: Callable[[Whole], Claim]) -> None:
    tries: list[int] = []

    def whole(_job: Job, progress: Progress) -> None:
        tries.append(1)
        progress.report(len(tries), 2)
        if len(tries) == 1:
            raise KeyboardInterrupt

    claim = claim_of(whole)
    with pytest.raises(KeyboardInterrupt):
        run_slice(claim)
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()
    (again,) = lifecycle.claim_orphans()
    run_to_end(again)
    run_to_end(again)

    assert len(tries) == 2
    assert job(claim.job_id).state == DONE


@pytest.mark.both_databases
def test_worker_that_was_late_reports_nothing(claim_of: Callable[[Whole], Claim]) -> None:
    def whole(this: Job, progress: Progress) -> None:
        db.session.execute(db.update(Job).where(Job.id == this.id).values(claim_number=Job.claim_number + 1))
        db.session.commit()
        progress.report(9, 9)

    claim = claim_of(whole)
    run_to_end(claim)

    assert (job(claim.job_id).state, job(claim.job_id).done) == (RUNNING, 0)


def test_items_that_the_whole_added_are_done_after_it(claim_of: Callable[[Whole], Claim]) -> None:
    (person,) = add_people("7")

    def whole(this: Job, progress: Progress) -> None:
        with transaction():
            progress.report(10, 10)
            db.session.add(JobItem(job_id=this.id, number="7", employee_id=person))

    claim = claim_of(whole)
    run_to_end(claim)

    assert items(claim.job_id) == [("7", "done", "")]
    assert (job(claim.job_id).state, job(claim.job_id).done, job(claim.job_id).total) == (DONE, 11, 11)


def test_whole_that_has_more_to_do_comes_again_after_others(claim_of: Callable[[Whole], Claim]) -> None:
    calls: list[int] = []

    def whole(_job: Job, progress: Progress) -> bool:
        calls.append(1)
        progress.report(len(calls), 3)
        return len(calls) < 3

    claim = claim_of(whole)

    assert (run_slice(claim), run_slice(claim), run_slice(claim)) == (True, True, False)

    assert len(calls) == 3
    ended = job(claim.job_id)
    assert (ended.state, ended.done, ended.attempts) == (DONE, 3, 0)


def test_slices_without_progress_are_not_lost_claims(claim_of: Callable[[Whole], Claim]) -> None:
    claim = claim_of(lambda _job, _progress: True)

    for _ in range(2 * lifecycle.MAX_ATTEMPTS):
        assert run_slice(claim)

    assert (job(claim.job_id).state, job(claim.job_id).attempts) == (RUNNING, 0)
