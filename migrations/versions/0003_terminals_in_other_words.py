"""Support terminals that do not tell how they take faces."""

import sqlalchemy as sa
from alembic import op

import hikflask.models.columns

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

CAPTURE_MODES = ("'url', 'binary', 'none'", "'url', 'binary', 'none', 'unknown'")
FACE_MODES = ("'url', 'picture'", "'url', 'picture', 'unknown'")


def upgrade():
    with op.batch_alter_table('terminal', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('face_calls', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('last_capture_at', hikflask.models.columns.UTCDateTime(), nullable=True))
        batch_op.drop_constraint(op.f('ck_terminal_capture_mode'), type_='check')
        batch_op.drop_constraint(op.f('ck_terminal_face_mode'), type_='check')
        batch_op.create_check_constraint(op.f('ck_terminal_capture_mode'), f'capture_mode IN ({CAPTURE_MODES[1]})')
        batch_op.create_check_constraint(op.f('ck_terminal_face_mode'), f'face_mode IN ({FACE_MODES[1]})')
        batch_op.create_check_constraint(
            op.f('ck_terminal_face_calls'), "face_calls IN ('set_up', 'add_or_replace')"
        )


def downgrade():
    # The next check finds the unknown modes out.
    op.execute("UPDATE terminal SET capture_mode = NULL, face_mode = NULL "
               "WHERE capture_mode = 'unknown' OR face_mode = 'unknown'")
    with op.batch_alter_table('terminal', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f('ck_terminal_face_calls'), type_='check')
        batch_op.drop_constraint(op.f('ck_terminal_face_mode'), type_='check')
        batch_op.drop_constraint(op.f('ck_terminal_capture_mode'), type_='check')
        batch_op.create_check_constraint(op.f('ck_terminal_face_mode'), f'face_mode IN ({FACE_MODES[0]})')
        batch_op.create_check_constraint(op.f('ck_terminal_capture_mode'), f'capture_mode IN ({CAPTURE_MODES[0]})')
        batch_op.drop_column('last_capture_at')
        batch_op.drop_column('face_calls')
