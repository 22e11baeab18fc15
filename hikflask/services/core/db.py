"""What services share about the database: who owns a transaction, counts of changed rows, locks in one order.

A transaction belongs to the owner of the work: a request, a task, a command, a slice of a job, one step of a
conversation with a terminal. Functions called within it join it. Reads need none, and are ended before any wait.

All code takes locks in this order, so that no two transactions wait for each other:

1. numbers, before it is decided whose they are (lock_numbers);
2. the row of a terminal, for the holder of its lease, or to change many of its enrolments at once (lock_terminal);
3. employees, by id;
4. the department (departments/registry.py);
5. the groups (groups/locks.py), before an employee's number is changed, or the row deleted;
6. the keys of terminals (HELD_TERMINALS), to save a capture of theirs, to enrol somebody there, or to lock an enrolment
   there; retiring or deleting a terminal locks its row FOR UPDATE, and then takes no lock of 1 to 5;
7. captures by id, and enrolments by terminal and id (lock_many() of state/capture.py and state/enrolment.py);
8. comparisons, to erase a person's traces in them, or to copy a person found by one (privacy/traces.py);
9. erasures, jobs and their items;
10. events that are there;
11. the order in which others are added (passages/store.py), last of all;
12. what is counted of an actor (accounts/rate_limit.py): nobody else waits for it.

What PostgreSQL locks by itself counts, too. A row that refers to another one locks its key FOR KEY SHARE, which waits
for FOR UPDATE alone: of a DELETE, of an UPDATE of a unique column, and of with_for_update(). All else locks FOR NO KEY
UPDATE, which is with_for_update(key_share=True). And a trigger writes to the employee when the desired state or the
photo of an enrolment changes.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, cast

from sqlalchemy import (
    ARRAY,
    CursorResult,
    Delete,
    Insert,
    Row,
    ScalarSelect,
    Select,
    String,
    Table,
    Update,
    bindparam,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm.attributes import set_committed_value

from hikflask.extensions import Base, db
from hikflask.models import Employee, Terminal
from hikflask.owned_session import Hook, OwnedSession, TransactionMisuse, Work
from hikflask.services.core.errors import LostRace, NotFound

Result = TypeVar("Result")
Given = ParamSpec("Given")
Found = TypeVar("Found", bound=Base)
Columns = TypeVarTuple("Columns")
# Is called once a row is locked, and raises when it is not as the caller wants it.
Require = Callable[[], object]

# How many rows one pass of a clean-up takes. It shares its thread with the sweep, and the next pass does the rest.
CLEANUP_BATCH = 200
# A writer that waits for SQLite tries again after this time at most.
BUSY_SECONDS = 0.1
# So that the key of a number's lock is not the one of a department that is spelled alike.
NUMBER_SEED = 1
# The locks of numbers, in their order.
_NUMBERS = func.unnest(bindparam("numbers", type_=ARRAY(String)))
LOCK_NUMBERS = select(func.pg_advisory_xact_lock(func.hashtextextended(_NUMBERS, NUMBER_SEED)))
# An UPDATE of the table, made once: the ORM, and making it each time, cost several times what the database needs.
_EMPLOYEES = cast("Table", Employee.__table__)
LOCKED = update(_EMPLOYEES).where(_EMPLOYEES.c.id == bindparam("employee_id")).values(is_active=_EMPLOYEES.c.is_active)
LOCKED_AND_READ = (
    select(Employee).from_statement(LOCKED.returning(*_EMPLOYEES.c)).execution_options(populate_existing=True)
)
NUMBER = select(Employee.number).where(Employee.id == bindparam("employee_id"))
# Terminals that are neither retired, changed nor deleted until the transaction ends, as they are now.
# Conversations with them go on.
HELD_TERMINALS = (
    select(Terminal)
    .order_by(Terminal.id)
    .with_for_update(read=True, key_share=True)
    .execution_options(populate_existing=True)
)
# Databases take no more than some ten thousand values in one statement.
MAX_PARAMETERS = 10_000
# Pages count no further, as a count costs the more the higher it is. One more stands for all that are more.
MAX_COUNTED = 200


# PostgreSQL ends one of two transactions that wait for each other, or that cannot be put in an order.
LOST_RACES = {"40P01", "40001"}


@contextmanager
def transaction(*, alone: bool = False) -> Iterator[Work]:
    """Own a transaction: commit at the end of the block, roll back when it raises. Within another one, join it.

    After an error in a block that has joined, the whole transaction cannot be committed any more.

    :param alone: what is done here stays whatever else happens, so it cannot be a part of another transaction.
    :raises TransactionMisuse: when it is one all the same, or a part failed and the owner went on.
    """
    session = _session()
    if session.work is None:
        with _owned(session) as work:
            yield work
        work.follow()
        return
    if alone:
        raise TransactionMisuse("this is done in a transaction of its own")
    try:
        yield session.work
    except BaseException:
        session.work.has_failed = True
        raise


@contextmanager
def _owned(session: OwnedSession) -> Iterator[Work]:
    session.end_read()
    work = session.work = Work()
    try:
        yield work
        if work.has_failed:
            raise TransactionMisuse("a part of this transaction has failed")
        session.end_work(commit=True)
    except BaseException:
        session.end_work(commit=False)
        raise


def transactional(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Do the function within transaction(). Its owner does the whole of it once more after a lost race.

    That is a unique key that somebody else took, a deadlock, or LostRace. The second time the error is raised.
    """

    @wraps(function)
    def in_transaction(*args: Given.args, **given: Given.kwargs) -> Result:
        session = _session()
        if session.work is None:
            try:
                with _owned(session) as work:
                    result = function(*args, **given)
            except (IntegrityError, LostRace):
                pass
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", "") not in LOST_RACES:
                    raise
            else:
                work.follow()
                return result
        with transaction():
            return function(*args, **given)

    return in_transaction


def after_commit(hook: Hook) -> None:
    """Call this once the open transaction is committed; never when it is rolled back. Without one, call it now."""
    work = _session().work
    if work is None:
        hook()
    else:
        work.hooks.append(hook)


def insert_at_end(statement: Insert, row: dict[str, Any]) -> None:
    """Insert a row before the commit of the open transaction, together with others of the same statement."""
    session = _session()
    if session.work is None:
        session.execute(statement, row)
    else:
        session.work.rows.setdefault(statement, []).append(row)


def insert_now() -> None:
    """Insert what insert_at_end() has gathered, so that the same transaction can read it."""
    _session().insert_rows()


def end_read() -> None:
    """End the transaction that reads have begun. Call this before waiting for anything: a terminal, a picture, a lease.

    :raises TransactionMisuse: within a transaction, which has an owner, and when something was written.
    """
    _session().end_read()


def _session() -> OwnedSession:
    return cast("OwnedSession", db.session())


class Exact(int):
    """A number that was counted to its end, also where it is MAX_COUNTED + 1."""


def count_rows_up_to(statement: Any, most: int = MAX_COUNTED) -> int:
    """Return how many rows a statement finds, or `most` + 1 when there are more."""
    return db.session.execute(counting(statement, most)).scalar_one()


def counting(statement: Any, most: int = MAX_COUNTED) -> Select[int]:
    """Return the statement that count_rows_up_to() executes."""
    some = statement.order_by(None).limit(most + 1).subquery()
    return select(func.count()).select_from(some)


def rows_of(statement: Select[*Columns]) -> Sequence[Row[*Columns]]:
    """Return rows of columns, in the open transaction, without what the ORM does for each: it is for very many."""
    db.session.flush()
    return db.session.connection().execute(statement).all()


@contextmanager
def along_indexes() -> Iterator[None]:
    """Within this, let the database follow an index and stop as soon as it has found enough.

    PostgreSQL takes a state that many are in for a rare one, and would gather all of them first; SQLite never does.
    Only for statements that need no index of words.
    """
    on_postgresql = db.engine.dialect.name == "postgresql"
    if on_postgresql:
        db.session.execute(text("SET LOCAL enable_bitmapscan = off"))
    yield
    if on_postgresql:
        db.session.execute(text("SET LOCAL enable_bitmapscan = on"))


def fresh(model: type[Found], row_id: int) -> Found | None:
    """Return session.get() with `populate_existing`, whose statement is made once for each table."""
    found: Found | None = db.session.execute(_by_id(model), {"its_id": row_id}).scalar_one_or_none()
    return found


@cache
def _by_id(model: Any) -> Select[Any]:
    return select(model).where(model.id == bindparam("its_id")).execution_options(populate_existing=True)


def changed_rows(statement: Update | Delete, parameters: Mapping[str, Any] | None = None) -> int:
    """Execute an UPDATE or DELETE in the open transaction and return how many rows it changed, as compare-and-set."""
    result = db.session.execute(statement, parameters, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def write_columns(row: Any, **values: Any) -> None:
    """Write columns of a row in the open transaction. The ORM's flush takes several times as long."""
    changed_rows(_one_row(row.__table__), {"its_id": row.id, **values})
    for name, value in values.items():
        set_committed_value(row, name, value)


@cache
def _one_row(table: Table) -> Update:
    return update(table).where(table.c.id == bindparam("its_id"))


def claim_rows(due: Select[*Columns], writes: Mapping[str, Any]) -> list[Row[*Columns]]:
    """Claim the rows that are due, each for one worker alone, and return them by key, with what the claim wrote.

    It is one statement in a transaction of its own. PostgreSQL skips a row that another worker is about to claim; on
    SQLite the writers wait for each other. A worker that is killed then leaves the row as claimed, so whatever must not
    be lost becomes due again by its time.

    :param due: finds the rows, and says what is returned of them; its first column is the table's key.
    :param writes: the columns that the claim changes, so that the row is not due any more.
    """
    key, *_ = columns = due.selected_columns
    # No subquery: PostgreSQL may read one more than once, and a LIMIT holds for each time.
    locked = due.with_for_update(skip_locked=True, key_share=True, of=key.table).cte("due", nesting=True)
    claiming = update(key.table).where(key.in_(select(locked.c[0]))).values(writes).returning(*columns)
    with transaction(alone=True):
        return sorted(db.session.execute(claiming, execution_options={"synchronize_session": False}).all())


def lock_table(table: Table) -> None:
    """Keep others from changing rows of a table, or adding one, until this transaction ends."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
        return
    write_first()


def write_first() -> None:
    """Make the transaction the one that writes, where a database has only one: SQLite. Locking a row does so, too."""
    _session().write_first()


def let_others_write() -> None:
    """Wait for a moment between two of many transactions, where a database does not queue those who wait: SQLite."""
    if db.engine.dialect.name == "sqlite":
        end_read()
        time.sleep(BUSY_SECONDS)


def lock_numbers(*numbers: str) -> None:
    """Keep others from deciding whose these numbers are, here and on terminals, until the transaction ends.

    Call this before locking any row, to give a number to an employee, take it away, or erase what it left.
    """
    write_first()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(LOCK_NUMBERS, {"numbers": sorted({*numbers} - {""})})


def lock_terminal(terminal_id: int | ScalarSelect[int]) -> None:
    """Keep others from changing many enrolments of a terminal, until the transaction ends."""
    changed_rows(update(Terminal).where(Terminal.id == terminal_id).values(version=Terminal.version))


def lock_employee(employee_id: int) -> bool:
    """Lock the employee's row until the transaction ends; return False when there is no such row.

    The employee's row is locked before any other row that belongs to the employee.
    """
    return changed_rows(LOCKED, {"employee_id": employee_id}) == 1


def kept_employees(ids: Collection[int | None], *, wait: bool = True) -> set[int]:
    """Keep employees from being deleted until the transaction ends, and return the ids of those who are there.

    :param wait: False leaves out employees who are being deleted or renumbered, and waits for nobody.
    """
    write_first()
    wanted = sorted({employee_id for employee_id in ids if employee_id is not None})
    kept: set[int] = set()
    for start in range(0, len(wanted), MAX_PARAMETERS):
        these = Employee.id.in_(wanted[start : start + MAX_PARAMETERS])
        there = select(Employee.id).where(these).order_by(Employee.id)
        there = there.with_for_update(read=True, key_share=True, skip_locked=not wait)
        kept.update(db.session.execute(there).scalars())
    return kept


def locked_employee(employee_id: int) -> Employee:
    """Lock the employee's row until the transaction ends and return the employee as it is now.

    So nobody who is deactivated at the same moment is sent to a terminal.

    :raises employee_unknown: when somebody deleted the employee.
    """
    employee: Employee | None = db.session.execute(LOCKED_AND_READ, {"employee_id": employee_id}).scalar_one_or_none()
    if employee is None:
        raise NotFound("employee_unknown")
    return employee


def locked_employees(ids: Collection[int]) -> Sequence[Employee]:
    """Lock the rows of several employees as locked_employee() does; who was deleted is left out."""
    theirs = select(Employee).where(Employee.id.in_(ids)).order_by(Employee.id).with_for_update(key_share=True)
    return db.session.execute(theirs, execution_options={"populate_existing": True}).scalars().all()


def locked_with_number(employee_id: int, *others: str) -> Employee:
    """Lock the employee's number and these others, then the employee's row, and return the employee as it is now.

    Call this to change the number, or to end its use.

    :raises employee_unknown: as locked_employee(). :raises LostRace: when it got another number before this one was
        locked.
    """
    write_first()
    number = db.session.execute(NUMBER, {"employee_id": employee_id}).scalar() or ""
    lock_numbers(number, *others)
    employee = locked_employee(employee_id)
    if employee.number != number:
        raise LostRace
    return employee


def database_answers() -> bool:
    """Return True when the database answers, with the first and the last row of each table.

    A file of SQLite with a damaged page answers what reads no table.
    """
    ends = [
        select(literal(1)).select_from(table).order_by(*order).limit(1).scalar_subquery()
        for table in db.metadata.sorted_tables
        for order in (table.primary_key.columns, [column.desc() for column in table.primary_key.columns])
    ]
    try:
        with db.engine.connect() as connection:
            connection.execute(select(*ends))
    except SQLAlchemyError:
        return False
    return True
