"""Delete what terminals told by themselves and their logs did not confirm: anybody may have told it."""

from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A record as it is told has this name around it; one of a log has not.
    op.execute("""DELETE FROM event WHERE CAST(record AS TEXT) LIKE '%"AccessControllerEvent"%'""")


def downgrade() -> None:
    pass
