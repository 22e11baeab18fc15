"""Keep with an employee whether a face is desired on some terminal, so that who has none is counted at once."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

HAS_FACE = """EXISTS (SELECT 1 FROM enrolment
    WHERE enrolment.employee_id = employee.id AND desired = 'present' AND photo_id IS NOT NULL)"""
# A face is desired by this row; and an update began or ended that, or gave the row to another employee.
NEW, OLD = (f"({row}.desired = 'present' AND {row}.photo_id IS NOT NULL)" for row in ('NEW', 'OLD'))
CHANGED = f'{OLD} <> {NEW} OR COALESCE(OLD.employee_id, 0) <> COALESCE(NEW.employee_id, 0)'
# Trigger → after what, when, and whose face it may change.
TRIGGERS = {
    'has_face_after_insert': ('INSERT', NEW, 'NEW.employee_id'),
    'has_face_after_delete': ('DELETE', OLD, 'OLD.employee_id'),
    'has_face_after_update': (
        'UPDATE OF desired, photo_id, employee_id',
        CHANGED,
        'OLD.employee_id, NEW.employee_id',
    ),
}
# The first statement waits for another transaction that changes the same employee's enrolments, so that the second one,
# with a snapshot of its own, sees what that transaction wrote.
FUNCTION = f"""CREATE FUNCTION keep_has_face() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE changed integer[] := ARRAY[OLD.employee_id, NEW.employee_id];
    BEGIN
        PERFORM 1 FROM employee WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
        UPDATE employee SET has_face = NOT has_face WHERE id = ANY (changed) AND has_face <> {HAS_FACE};
        RETURN NULL;
    END $$"""


def upgrade() -> None:
    op.add_column('employee', sa.Column('has_face', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(f'UPDATE employee SET has_face = NOT has_face WHERE {HAS_FACE}')
    op.create_index(
        'ix_employee_no_face',
        'employee',
        ['id'],
        sqlite_where=sa.text('is_active = 1 AND has_face = 0'),
        postgresql_where=sa.text('is_active AND NOT has_face'),
    )
    on_sqlite = op.get_bind().dialect.name == 'sqlite'
    if not on_sqlite:
        op.execute(FUNCTION)
    for name, (event, when, employees) in TRIGGERS.items():
        changed = f'UPDATE employee SET has_face = NOT has_face WHERE id IN ({employees}) AND has_face <> {HAS_FACE};'
        does = f'BEGIN {changed} END' if on_sqlite else 'EXECUTE FUNCTION keep_has_face()'
        op.execute(f'CREATE TRIGGER {name} AFTER {event} ON enrolment FOR EACH ROW WHEN ({when}) {does}')


def downgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == 'sqlite'
    for name in TRIGGERS:
        op.execute(f'DROP TRIGGER {name}' if on_sqlite else f'DROP TRIGGER {name} ON enrolment')
    if not on_sqlite:
        op.execute('DROP FUNCTION keep_has_face()')
    op.drop_index('ix_employee_no_face', 'employee')
    op.drop_column('employee', 'has_face')
