"""Forget the titles of sheets in the layouts of imports: nobody was shown them, and they may be long, or name somebody."""

from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute("UPDATE import_batch SET layout = CAST(CAST(layout AS jsonb) - 'sheet' - 'sheets' AS json)")
    else:
        op.execute("UPDATE import_batch SET layout = json_remove(layout, '$.sheet', '$.sheets')")


def downgrade() -> None:
    """The version before reads a layout without them."""
