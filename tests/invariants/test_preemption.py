"""Some pairs of those who act at once, at some moments: `python -m tests.invariants.preemption` tries all of both.

Each race that was met once is among them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hikflask.extensions import db
from hikflask.models import Job
from tests.invariants.preemption.laboratory import DATABASE, Laboratory, laboratory
from tests.invariants.preemption.point import ACTORS, try_pair
from tests.support.postgresql import Cluster
from tests.support.statements import counted_statements

# Moments of each pair, besides the one after all.
MAX_POINTS = 3
PAIRS = (
    ("save_capture", "captures_another"),
    ("capture", "captures_another"),
    ("save_late_capture", "deactivates"),
    ("save_file", "limits"),
    ("move", "limits"),
    ("sync", "limits"),
    ("sync", "renumbers"),
    ("sync_over_others", "deactivates"),
    ("take_off", "saves_another"),
    ("save_another", "deletes"),
    ("save_new", "saves_another"),
    ("save_new", "erases"),
    ("import_new", "erases"),
    ("import_changed", "erases"),
    ("import_dry_run", "erases"),
    ("import_several", "limits"),
    ("erase_what_is_left", "saves_another"),
    ("send", "retires_store"),
    ("activate", "retires_store"),
    ("change_group", "retires_store"),
    ("change_group", "renumbers"),
    ("change_group", "deletes"),
    ("renumber", "adds_group"),
    ("delete_group", "erases"),
    ("job_of_group", "deactivates"),
    ("job_deactivate", "activates"),
    ("forget_photos", "activates"),
    ("take_over_stranger", "saves_another"),
    ("remove_stranger", "saves_another"),
    ("delete_due", "brings_to_store"),
    ("erase_due", "brings_to_store"),
    ("job_deactivate_due", "brings_to_store"),
    ("renumber_due", "brings_to_entrance"),
    ("import_changed_due", "works"),
    ("import_undo", "limits"),
    ("take_over_employee", "limits"),
    ("undo_take_over", "saves_another"),
    ("read_on", "pushes"),
    ("erase_who_passed", "reads_log"),
)
# Here the actor has something read while nobody is kept from writing: SQLite has one writer.
ON_SQLITE = (
    ("save_late_capture", "deactivates"),
    ("save_file", "limits"),
    ("sync", "renumbers"),
    ("take_off", "saves_another"),
    ("import_new", "erases"),
    ("send", "retires_store"),
    ("take_over_stranger", "saves_another"),
    ("import_undo", "erases"),
    ("import_several", "renumbers"),
    ("correct", "checks_again"),
    ("correct_and_import", "erases"),
    ("bring_back", "deactivates"),
    ("undo_take_over", "limits"),
    ("read_first", "renumbers"),
    ("read_on", "erases"),
    ("read_on", "replaces_device"),
    ("read_long", "begins_log_anew"),
    ("push", "reads_log"),
    ("push", "erases"),
    ("forget_passages", "reads_log"),
    ("erase_who_passed", "passes"),
    ("renumber_who_passed", "reads_log"),
)


@pytest.fixture(scope="module")
def on_postgresql(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("preemption"), cluster) as lab:
        yield lab
    cluster.empty(DATABASE)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("preemption")
    (folder / migrated.name).write_bytes(migrated.read_bytes())
    with laboratory(folder, None) as lab:
        yield lab


@pytest.mark.parametrize(("actor", "other"), PAIRS)
def test_nothing_promised_is_broken_by_another_in_between(on_postgresql: Laboratory, actor: str, other: str) -> None:
    tried = try_pair(on_postgresql, actor, other, MAX_POINTS)

    assert (tried.broken, tried.applied) == ([], {actor, other})


@pytest.mark.parametrize(("actor", "other"), ON_SQLITE)
def test_the_same_where_one_writes_at_a_time(on_sqlite: Laboratory, actor: str, other: str) -> None:
    tried = try_pair(on_sqlite, actor, other, MAX_POINTS)

    assert (tried.broken, tried.applied) == ([], {actor, other})


def test_import_of_several_is_one_transaction_in_the_pairs(on_sqlite: Laboratory) -> None:
    prepare, act = ACTORS["import_several"]
    on_sqlite.reset()
    with on_sqlite.app.app_context():
        claim = prepare(on_sqlite)
        with counted_statements() as statements:
            act(on_sqlite, claim)
        job = db.session.get_one(Job, claim.job_id)

        marked = [statement for statement in statements if statement.startswith("UPDATE job_item")]
        assert (job.done, job.failed, len(marked)) == (5, 0, 1)
        db.session.remove()


def test_whoever_applies_nothing_in_a_pair_is_told(on_sqlite: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTORS, "idles", (lambda lab: lab.enrol_ivan(), lambda *_: None))

    assert try_pair(on_sqlite, "idles", "deactivates", 1).applied == {"deactivates"}
    assert try_pair(on_sqlite, "deactivate", "reads_log", 1).applied == {"deactivate"}
