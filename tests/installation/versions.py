"""Versions of the program in a throw-away root, and of its tables."""

from pathlib import Path

from tests.installation.root import ThrowAwayRoot

INSTALL = "deploy/install.sh"
BEFORE, NEXT, BROKEN = "0.1.9", "0.2.0", "0.2.1"
MIGRATION = '''
"""What the next version needs."""
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("of_the_next_version", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("of_the_next_version")
'''


def version_of_tables(root: ThrowAwayRoot) -> str:
    return root.run("hikflask", "db", "current").split()[0]


def next_version(root: ThrowAwayRoot, name: str, version: str, head: str) -> Path:
    """A version with another table than the one before, whose tables have this version."""
    folder = root.put_program(name, version)
    (folder / "migrations/versions/next.py").write_text(MIGRATION.format(head=head))
    return folder
