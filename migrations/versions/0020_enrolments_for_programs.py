"""Note when an enrolment changed, and list enrolments by that for programs."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

UNPROVEN = "desired = 'present' AND (person <> 'confirmed' OR face <> 'confirmed')"
TRIED = "(next_attempt_at IS NOT NULL OR step <> '')"
STATES = {
    'confirmed': "desired = 'present' AND person = 'confirmed' AND face = 'confirmed'",
    'waiting': f'{UNPROVEN} AND {TRIED}',
    'refused': f'{UNPROVEN} AND NOT {TRIED}',
    'leaving': "desired = 'absent' AND person <> 'confirmed'",
    'removed': "desired = 'absent' AND person = 'confirmed'",
}
FIRST = '2000-01-01 00:00:00.000000'


def upgrade() -> None:
    op.add_column('enrolment', sa.Column('changed_at', sa.DateTime(), nullable=False, server_default=FIRST))
    op.execute('UPDATE enrolment SET changed_at = COALESCE(tried_at, confirmed_at, desired_since, created_at)')
    for state, rows in STATES.items():
        only = {'sqlite_where': sa.text(rows), 'postgresql_where': sa.text(rows)}
        op.create_index(f'ix_enrolment_listed_{state}', 'enrolment', ['changed_at', 'id'], unique=False, **only)
        op.create_index(
            f'ix_enrolment_listed_{state}_at', 'enrolment', ['terminal_id', 'changed_at', 'id'], unique=False, **only
        )


def downgrade() -> None:
    for state in STATES:
        op.drop_index(f'ix_enrolment_listed_{state}_at', 'enrolment')
        op.drop_index(f'ix_enrolment_listed_{state}', 'enrolment')
    op.drop_column('enrolment', 'changed_at')
