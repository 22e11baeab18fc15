"""Index employees by each order of the list, and enrolments by the states that it is filtered by."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

OF_EMPLOYEES = {
    'ix_employee_search': ['search', 'id', 'is_active'],
    'ix_employee_department': ['department', 'search', 'id'],
    'ix_employee_created_at': ['created_at', 'id'],
}
OF_ENROLMENTS = {
    'ix_enrolment_there': (['terminal_id', 'employee_id'], "desired = 'present' OR person <> 'confirmed'"),
    'ix_enrolment_wanted': (['employee_id', 'photo_id'], "desired = 'present'"),
    'ix_enrolment_unproven': (
        ['employee_id'],
        "desired = 'present' AND (person <> 'confirmed' OR face <> 'confirmed')",
    ),
    'ix_enrolment_leaving': (['employee_id'], "desired = 'absent' AND person <> 'confirmed'"),
}


def upgrade() -> None:
    op.drop_index('ix_employee_search', 'employee')
    for name, columns in OF_EMPLOYEES.items():
        op.create_index(name, 'employee', columns)
    left = {'sqlite_where': sa.text('is_active = 0'), 'postgresql_where': sa.text('NOT is_active')}
    op.create_index('ix_employee_left', 'employee', ['id'], **left)
    for name, (columns, rows) in OF_ENROLMENTS.items():
        only = {'sqlite_where': sa.text(rows), 'postgresql_where': sa.text(rows)}
        op.create_index(name, 'enrolment', columns, **only)


def downgrade() -> None:
    for name in OF_ENROLMENTS:
        op.drop_index(name, 'enrolment')
    op.drop_index('ix_employee_left', 'employee')
    for name in OF_EMPLOYEES:
        op.drop_index(name, 'employee')
    op.create_index('ix_employee_search', 'employee', ['search'])
