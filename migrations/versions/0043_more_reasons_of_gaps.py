"""Let a gap say that the terminal does not tell all of its events, or recorded too many."""

from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

REASONS = "'overwritten', 'off', 'other_device', 'new_log', 'clock', 'not_read'"
MORE_REASONS = f"{REASONS}, 'not_told', 'too_many'"


def upgrade() -> None:
    _allow(MORE_REASONS)


def downgrade() -> None:
    op.execute("UPDATE event_coverage SET reason = 'not_read' WHERE reason IN ('not_told', 'too_many')")
    _allow(REASONS)


def _allow(reasons: str) -> None:
    with op.batch_alter_table('event_coverage', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f('ck_event_coverage_reason'), type_='check')
        batch_op.create_check_constraint(op.f('ck_event_coverage_reason'), f"reason = '' OR reason IN ({reasons})")
