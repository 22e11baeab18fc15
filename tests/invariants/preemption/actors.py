"""Who acts: each of ACTORS prepares a case and then does something in it; OTHERS come before one of its statements."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Capture, Department, Enrolment, ImportBatch, ImportRow, Job, Terminal, TerminalGroup
from hikflask.models.capture import WAITING
from hikflask.models.columns import database_now
from hikflask.models.import_batch import APPLIED, WRONG
from hikflask.models.terminal import UNKNOWN
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.changes import lifecycle as jobs
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.comparisons import plan
from hikflask.services.comparisons import undo as take_over_undo
from hikflask.services.core.dates import today
from hikflask.services.core.db import end_read, transaction
from hikflask.services.departments import merging
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile, reconcile_row
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.imports import batches, corrections
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.photos import deletion
from hikflask.services.photos.retention import forget_photos
from hikflask.services.provisioning import bring_people
from hikflask.services.terminals.checks import check
from tests.invariants.preemption.laboratory import Laboratory
from tests.support import imports
from tests.support.captures import IVAN, OTHER_FACE, THIRD_FACE
from tests.support.comparisons import compare
from tests.support.jobs import started
from tests.support.removals import AGREED

# What is prepared is given to the act.
Prepare = Callable[[Laboratory], Any]
Act = Callable[[Laboratory, Any], object]

NEW_NAME, NEW_NUMBER, OTHER_NUMBER, OTHER_DEPARTMENT = "Иван Петров", "100999", "100888", "Склад"
ROW = "100222;Иван Иванов;Охрана"
# Of a wholly other name an import would ask whether it is the same person, and leave the row out.
RENAMED_ROW, MOVED_ROW = "100222;Иванов Иван;Охрана", "100222;Иванов Иван;Склад"
WRONG_ROWS = ("100222!;Иван Иванов;Охрана", "300001;Кто То;Охрана")
# With Ivan: so many are changed, or added, in one transaction.
COLLEAGUES = (Draft("300001", "Анна Белова", "Охрана"), Draft("300002", "Ольга Ёлкина", "Охрана"))
SEVERAL_ROWS = (
    *("300002;Ёлкина Ольга;Склад", RENAMED_ROW, "300001;Белова Анна;Охрана"),
    *("300004;Глеб Котов;Склад", "300003;Вера Орлова;Охрана"),
)
# Somebody else, who gets Ivan's number.
PYOTR = Draft(IVAN.number, "Пётр Чехов", "Охрана")


# Cases: each returns Ivan's id.


def _at_entrance(lab: Laboratory) -> int:
    return lab.enrol_ivan()


def at_both(lab: Laboratory) -> int:
    return lab.enrol_ivan(lab.store)


def _grouped(lab: Laboratory) -> int:
    lab.add_group(lab.entrance, lab.store)
    return lab.enrol_ivan(lab.store)


def _due(lab: Laboratory) -> int:
    """The worker may bring Ivan to the terminals of his group at any moment."""
    lab.add_group(lab.entrance, lab.store)
    ivan = lab.save_ivan()
    send_to_terminal(ivan, lab.store.id)
    return ivan


def _inactive(lab: Laboratory) -> int:
    ivan = _grouped(lab)
    set_active(ivan, active=False)
    lab.reconcile_ivan()
    return ivan


def _with_other_group(prepare: Prepare) -> Prepare:
    def prepared(lab: Laboratory) -> int:
        lab.add_group(lab.store, department=OTHER_DEPARTMENT)
        return int(prepare(lab))

    return prepared


def captured(prepare: Prepare, number: str = IVAN.number) -> Prepare:
    """Ivan's id and a face that was taken for him."""

    def prepared(lab: Laboratory) -> tuple[int, FaceSource]:
        ivan = prepare(lab)
        return ivan, FaceSource(lab.capture(replace(IVAN, number=number), employee_id=ivan), "Анна")

    return prepared


def _late(lab: Laboratory) -> tuple[int, FaceSource]:
    """A capture whose deadline is past, and that nobody has ended."""
    ivan = _grouped(lab)
    queued = start_capture(lab.entrance.id, IVAN, "Анна", employee_id=ivan).id
    late = {"state": WAITING, "deadline": database_now(-60)}
    with transaction():
        db.session.execute(update(Capture).where(Capture.id == queued).values(**late))
    return ivan, FaceSource(queued, "Анна")


def _newcomer(lab: Laboratory) -> FaceSource:
    source = FaceSource(lab.capture(PYOTR), "Анна")
    lab.add_group(lab.entrance, lab.store)
    return source


# Acts.


def change(lab: Laboratory, employee_id: int, source: FaceSource | None = None, **changed: str) -> object:
    """Save what a page or a program changed, and note it: whoever saves something else does not undo it."""
    draft = replace(IVAN, **changed)  # type: ignore[arg-type]
    saved = save_employee(draft, source or FaceSource(), employee_id=employee_id, fields=changed)
    for name, value in changed.items():
        lab.saved[employee_id, name].add(value)
    return saved


def _file(face: bytes, terminal: Terminal) -> FaceSource:
    return FaceSource(upload=io.BytesIO(face), terminal_id=terminal.id)


def _sync(lab: Laboratory, employee_id: int, *, overwrite: bool = False) -> object:
    row = sync_employee(employee_id, lab.entrance.id, "Анна", overwrite=overwrite).row
    return reconcile_row(row, "Анна", prove_again=True)


def _forget(lab: Laboratory, _: object) -> None:
    """Keep no photos any more."""
    lab.app.config["PHOTO_RETENTION"] = "never"
    try:
        forget_photos()
        deletion.remove_files()
        deletion.remove_rows()
    finally:
        lab.app.config["PHOTO_RETENTION"] = "employed"


# What may happen to somebody who is on the terminals, or is just being brought there.
ACTS: dict[str, tuple[Callable[[Prepare], Prepare] | None, Act]] = {
    "rename": (None, lambda lab, ivan: change(lab, ivan, name=NEW_NAME)),
    "save_file": (None, lambda lab, ivan: change(lab, ivan, _file(OTHER_FACE, lab.store))),
    "save_capture": (captured, lambda lab, case: change(lab, *case)),
    "renumber": (lambda case: captured(case, NEW_NUMBER), lambda lab, case: change(lab, *case, number=NEW_NUMBER)),
    "move": (_with_other_group, lambda lab, ivan: change(lab, ivan, department=OTHER_DEPARTMENT)),
    "sync": (captured, lambda lab, case: _sync(lab, case[0])),
    "deactivate": (None, lambda _, ivan: set_active(ivan, active=False)),
    "delete": (None, lambda _, ivan: delete_employee(ivan)),
    "erase": (None, lambda _, ivan: erase_employee(ivan)),
    "retire": (None, lambda lab, _: retire_terminal(lab.store.id, "украден", "Анна")),
}
ACTORS: dict[str, tuple[Prepare, Act]] = {
    f"{name}{when}": (around(case) if around else case, act)
    for name, (around, act) in ACTS.items()
    for when, case in (("", _grouped), ("_due", _due))
}
ACTORS |= {
    "save_late_capture": (_late, lambda lab, case: change(lab, *case)),
    "save_new": (_newcomer, lambda _, source: save_employee(PYOTR, source)),
    "save_another": (_at_entrance, lambda lab, _: save_employee(PYOTR, _file(THIRD_FACE, lab.store))),
    "capture": (at_both, lambda lab, ivan: lab.capture(employee_id=ivan)),
    "sync_over_others": (at_both, lambda lab, ivan: _sync(lab, ivan, overwrite=True)),
    "send": (_at_entrance, lambda lab, ivan: send_to_terminal(ivan, lab.store.id)),
    "retry": (at_both, lambda _, __: desired.retry(queries.of_number(IVAN.number)[0].id)),
    "activate": (_inactive, lambda _, ivan: set_active(ivan, active=True)),
    "erase_what_is_left": (lambda lab: delete_employee(_grouped(lab)), lambda _, __: erase_by_number(IVAN.number)),
    "compare": (at_both, lambda lab, _: compare(lab.store)),
    "bring": (lambda lab: lab.save_ivan(), lambda lab, _: lab.reconcile_ivan()),
    "take_off": (lambda lab: set_active(lab.enrol_ivan(), active=False), lambda lab, _: lab.reconcile_ivan()),
    "forget_photos": (at_both, _forget),
}


# Groups and terminals.


def _group_of_entrance(lab: Laboratory) -> int:
    group_id = lab.add_group(lab.entrance)
    lab.enrol_ivan()
    lab.work()
    return group_id


def _group_with_ivan(lab: Laboratory) -> int:
    lab.enrol_ivan()
    group_id = lab.add_group(lab.entrance, lab.store, added=[IVAN.number])
    lab.work()
    return group_id


def _let_in(lab: Laboratory, group_id: int | None, name: str) -> object:
    """Let Ivan and his department belong to a group of both terminals."""
    added = [IVAN.number] if lab.ivans_id() else []
    wanted = Wanted(name, [lab.entrance.id, lab.store.id], [IVAN.department], added)
    return changing.change(group_id, wanted, tasks.enqueue_job, AGREED)


def _take_pictures(lab: Laboratory) -> None:
    """A terminal is checked that takes pictures after all, and Ivan waits for that with another one."""
    ivan = lab.enrol_ivan(lab.store)
    with transaction():
        db.session.execute(update(Terminal).where(Terminal.id == lab.store.id).values(face_mode=UNKNOWN))
    change(lab, ivan, FaceSource(upload=io.BytesIO(OTHER_FACE)))


ACTORS |= {
    "change_group": (_group_of_entrance, lambda lab, group_id: _let_in(lab, group_id, "Охрана")),
    "delete_group": (_group_with_ivan, lambda _, group_id: changing.change(group_id, None, tasks.enqueue_job, AGREED)),
    "check_terminal": (_take_pictures, lambda lab, _: check(lab.store.id, "Анна")),
}


# Jobs: what is prepared is the claim.


def _job_of_group(lab: Laboratory) -> Claim:
    lab.enrol_ivan()
    lab.add_group(lab.entrance, lab.store)
    return Claim(db.session.execute(select(Job.id)).scalar_one(), 1)


def _import_undo(lab: Laboratory) -> Claim:
    lab.add_group(lab.entrance, lab.store)
    lab.enrol_ivan()
    batch_id = imports.checked(MOVED_ROW, groups=True)
    run_to_end(imports.started(import_jobs.start_import, batch_id))
    assert [row.state for row in imports.rows(batch_id)] == [APPLIED]
    return imports.started(import_jobs.start_undo, batch_id)


def _dry_run(lab: Laboratory) -> Claim:
    lab.enrol_ivan()
    strangers = [f"2{number:05};Кто То {number};Охрана" for number in range(501)]
    return imports.started(import_jobs.start_check, imports.made(*strangers, MOVED_ROW, groups=True))


def _import(prepare: Prepare, *rows: str) -> Prepare:
    def prepared(lab: Laboratory) -> Claim:
        prepare(lab)
        batch_id = imports.checked(*rows, terminal_id=lab.store.id, groups=True)
        return imports.started(import_jobs.start_import, batch_id)

    return prepared


def _with_colleagues(prepare: Prepare) -> Prepare:
    def prepared(lab: Laboratory) -> None:
        _with_other_group(prepare)(lab)
        for colleague in COLLEAGUES:
            save_employee(colleague)

    return prepared


def _planned(action: str, name_there: str, case: Prepare | None) -> Prepare:
    """A plan for Ivan's number, under which the second terminal has another face or, if no name is given, nobody."""

    def prepared(lab: Laboratory) -> Claim:
        if case:
            case(lab)
        there = lab.simulated[lab.store.id].store
        there.remove([IVAN.number])
        if name_there:
            there.add(IVAN.number, {"employeeNo": IVAN.number, "name": name_there})
            there.bind(IVAN.number, THIRD_FACE)
        ivan = frozenset([IVAN.number])
        choices = plan.Choices(numbers={IVAN.number: action}, same_person=ivan, same_face=ivan)
        made = plan.make(compare(lab.store), choices)
        return jobs.begin("apply", made.job_params, terminal_id=lab.store.id, items=made.items)

    return prepared


def _taken_over(lab: Laboratory) -> Claim:
    """Somebody who was on the second terminal before has become an employee, and is one no more when this is undone."""
    claim = _planned(plan.TAKE_OVER, IVAN.name, None)(lab)
    run_to_end(claim)
    lab.settle()
    return take_over_undo.start(claim.job_id)


JOBS: dict[str, Prepare] = {
    "job_of_group": _job_of_group,
    "job_send": lambda lab: started("send", [lab.enrol_ivan()], terminal_id=lab.store.id),
    "job_send_due": lambda lab: started("send", [lab.save_ivan()], terminal_id=lab.store.id),
    "job_move": lambda lab: started("department", [_with_other_group(_grouped)(lab)], department=OTHER_DEPARTMENT),
    "job_deactivate": lambda lab: started("deactivate", [_grouped(lab)]),
    "job_deactivate_due": lambda lab: started("deactivate", [_due(lab)]),
    "import_new": _import(lambda lab: lab.add_group(lab.store), ROW),
    "import_changed": _import(_grouped, RENAMED_ROW),
    "import_changed_due": _import(_due, RENAMED_ROW),
    "import_several": _import(_with_colleagues(_grouped), *SEVERAL_ROWS),
    "import_several_due": _import(_with_colleagues(_due), *SEVERAL_ROWS),
    "import_undo": _import_undo,
    "import_dry_run": _dry_run,
    "take_over_employee": _planned(plan.TAKE_OVER, IVAN.name, _at_entrance),
    "take_over_stranger": _planned(plan.TAKE_OVER, IVAN.name, None),
    "send_who_is_missing": _planned(plan.SEND, "", at_both),
    "remove_who_differs": _planned(plan.REMOVE, "Другое Имя", at_both),
    "remove_stranger": _planned(plan.REMOVE, "Чужой", None),
    "undo_take_over": _taken_over,
}
ACTORS |= {name: (prepare, lambda _, claim: run_to_end(claim)) for name, prepare in JOBS.items()}


# What a person does with an import, and with a device in another one's place.


def _wrong_import(lab: Laboratory) -> int:
    lab.add_group(lab.store)
    lab.enrol_ivan()
    return imports.checked(*WRONG_ROWS, groups=True)


def _correct(batch_id: int, corrected: str) -> int:
    wrong = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.verdict == WRONG)
    row_ids = db.session.execute(wrong).scalars().all()
    end_read()
    return corrections.correct(batch_id, {row_id: corrected.split(";") for row_id in row_ids})


def _correct_and_import(_: Laboratory, batch_id: int) -> None:
    _correct(batch_id, RENAMED_ROW)
    run_to_end(imports.started(import_jobs.start_import, batch_id))


def _replace_device(lab: Laboratory) -> None:
    lab.enrol_ivan(lab.store)
    simulated = lab.simulated[lab.store.id]
    with simulated.lock:
        simulated.serial = "00777"
        simulated.store.remove(list(simulated.people))
    check(lab.store.id, "test")


def _bring_back(lab: Laboratory, _: object) -> None:
    shown = bring_people.digest(db.session.get_one(Terminal, lab.store.id, populate_existing=True))
    end_read()
    claim = bring_people.begin(lab.store.id, shown)
    assert claim is not None
    run_to_end(claim)


ACTORS |= {
    "correct": (_wrong_import, lambda _, batch_id: _correct(batch_id, RENAMED_ROW)),
    "correct_and_import": (_wrong_import, _correct_and_import),
    "bring_back": (_replace_device, _bring_back),
}


# Others.


def _renumber(lab: Laboratory, ivan: int) -> object:
    source = FaceSource(lab.capture(replace(IVAN, number=OTHER_NUMBER), employee_id=ivan), "Анна")
    return change(lab, ivan, source, number=OTHER_NUMBER)


def _erase(lab: Laboratory) -> object:
    ivan = lab.ivans_id()
    return erase_employee(ivan) if ivan else erase_by_number(IVAN.number)


def _capture_for_another(lab: Laboratory) -> object:
    lab.simulated[lab.entrance.id].present_alone(THIRD_FACE)
    return run_capture(start_capture(lab.entrance.id, Draft("100333", "Ольга"), "Борис", take_over=True).id)


def _with_first(statement: Any, act: Callable[[int], object]) -> object:
    its_id = db.session.execute(statement).scalar()
    end_read()
    return act(its_id) if its_id else None


def _bring_to(terminal: Terminal) -> object:
    wish = select(Enrolment.id).where(Enrolment.terminal_id == terminal.id)
    return _with_first(wish, lambda enrolment_id: reconcile(enrolment_id, "worker"))


def _delete_group(_: Laboratory) -> object:
    group = select(TerminalGroup.id)
    return _with_first(group, lambda group_id: changing.change(group_id, None, tasks.enqueue_job, AGREED))


def _with_import(act: Callable[[int], object]) -> Callable[[Laboratory], object]:
    return lambda _: _with_first(select(ImportBatch.id), act)


def _check_again(batch_id: int) -> None:
    batches.reopen(batch_id)
    run_to_end(imports.started(import_jobs.start_check, batch_id))


def _import_several(lab: Laboratory) -> None:
    """Import people of whom some are here by now, from the dry run on."""
    batch_id = imports.checked(*SEVERAL_ROWS, terminal_id=lab.store.id, groups=True)
    run_to_end(imports.started(import_jobs.start_import, batch_id))
    for row in imports.rows(batch_id):
        written = row.written if row.state == APPLIED else {}
        for field in {"name", "department"} & (written or {}).keys():
            lab.saved[row.employee_id or 0, field].add(row.values[field])


def _rename_department(_: Laboratory) -> object:
    department = select(Department.id).where(Department.name == IVAN.department)
    return _with_first(department, lambda department_id: merging.rename(department_id, "Охрана и двор"))


TO_IVAN: dict[str, Act] = {
    "deactivates": lambda _, ivan: set_active(ivan, active=False),
    "activates": lambda _, ivan: set_active(ivan, active=True),
    "deletes": lambda _, ivan: delete_employee(ivan),
    "limits": lambda lab, ivan: change(lab, ivan, valid_to=today().isoformat()),
    "renumbers": _renumber,
}
OTHERS: dict[str, Callable[[Laboratory], object]] = {
    "erases": _erase,
    "saves_another": lambda lab: save_employee(PYOTR, _file(THIRD_FACE, lab.store)),
    "captures_another": _capture_for_another,
    "retires_entrance": lambda lab: retire_terminal(lab.entrance.id, "украден", "Борис"),
    "retires_store": lambda lab: retire_terminal(lab.store.id, "украден", "Борис"),
    "adds_group": lambda lab: _let_in(lab, None, "Двор"),
    "deletes_group": _delete_group,
    "renames_department": _rename_department,
    "corrects_import": _with_import(lambda batch_id: _correct(batch_id, "100223;Пётр Чехов;Охрана")),
    "starts_import": _with_import(lambda batch_id: run_to_end(imports.started(import_jobs.start_import, batch_id))),
    "checks_again": _with_import(_check_again),
    "imports_several": _import_several,
    "works": lambda lab: lab.work(),
    "brings_to_entrance": lambda lab: _bring_to(lab.entrance),
    "brings_to_store": lambda lab: _bring_to(lab.store),
}


def _if_there(act: Act) -> Callable[[Laboratory], object]:
    return lambda lab: act(lab, ivan) if (ivan := lab.ivans_id()) else None


OTHERS |= {name: _if_there(act) for name, act in TO_IVAN.items()}
