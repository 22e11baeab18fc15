"""How far an import is: which of its jobs is the current one, and what can be done next."""

from dataclasses import dataclass

from hikflask.codes.refusals import COLUMNS, type_of
from hikflask.models import ImportBatch, Job
from hikflask.models.import_batch import VERDICTS
from hikflask.models.job import FAILED, STOPPED
from hikflask.services.changes import queries
from hikflask.services.imports import queries as imports

CHOOSING = "choosing"
CHECKING = "checking"
CHECKED = "checked"
IMPORTING = "importing"
IMPORTED = "imported"
UNDOING = "undoing"
UNDONE = "undone"


@dataclass(frozen=True)
class Stage:
    """An import with its current job (None before the first one), and the stage that both are at.

    `choosing`: no dry run yet. `checking`: it runs, or ended without a result. Of `importing` and `undoing` the job is
    open, of `imported` and `undone` it has ended, in whatever way.
    """

    batch: ImportBatch
    job: Job | None
    name: str

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict."""
        return {verdict: getattr(self.batch, verdict) for verdict in VERDICTS}

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.counts.values())

    @property
    def to_do(self) -> int:
        """How many rows something would be done for."""
        return self.batch.new + self.batch.changed

    @property
    def is_running(self) -> bool:
        """True while a job waits or runs."""
        return self.job is not None and self.job.is_open

    @property
    def can_check(self) -> bool:
        """True when the dry run was stopped or interrupted, and not by a question, which the columns answer."""
        return self.name == CHECKING and self.is_cut_short and not self.asks

    @property
    def asks(self) -> bool:
        """True when the dry run found a column of which somebody must say what it is."""
        refusal = self.job.refusal if self.job else None
        return refusal is not None and type_of(refusal["code"]).step == COLUMNS

    @property
    def can_reopen(self) -> bool:
        """True once the dry run has ended in whatever way: its columns can be chosen again."""
        return self.name in {CHECKED, CHECKING} and not self.is_running

    @property
    def can_import(self) -> bool:
        """True after the dry run, and when the import was stopped or interrupted: it goes on with the rows left."""
        return self.name == CHECKED or (self.name == IMPORTED and self.is_cut_short)

    @property
    def can_undo(self) -> bool:
        """True while something is imported, and no job goes on; an undo that was stopped or interrupted goes on."""
        is_at_rest = self.name == IMPORTED or (self.name == UNDONE and self.is_cut_short)
        return is_at_rest and imports.applied(self.batch.id) > 0

    @property
    def is_cut_short(self) -> bool:
        """True when the current job was stopped or interrupted."""
        return self.job is not None and self.job.state in {FAILED, STOPPED}

    @property
    def is_over(self) -> bool:
        """True once the import itself was started: nothing of it can be chosen any more."""
        return self.batch.import_job_id is not None


def of(batch: ImportBatch) -> Stage:
    """Return the stage of an import."""
    if batch.undo_job_id and (job := queries.find_job(batch.undo_job_id)):
        return Stage(batch, job, UNDOING if job.is_open else UNDONE)
    if batch.import_job_id and (job := queries.find_job(batch.import_job_id)):
        return Stage(batch, job, IMPORTING if job.is_open else IMPORTED)
    job = queries.find_job(batch.check_job_id) if batch.check_job_id else None
    if job is None and batch.checked_at is None:
        return Stage(batch, None, CHOOSING)
    is_open = job is not None and job.is_open
    return Stage(batch, job, CHECKED if batch.checked_at and not is_open else CHECKING)
