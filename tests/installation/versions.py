"""Versions of the program in a throw-away root, and of its tables."""

from pathlib import Path

from hikflask.services.backups import archive
from tests.installation.root import ThrowAwayRoot

INSTALL = "deploy/install.sh"
BEFORE, NEXT, BROKEN = "0.4.0", "0.5.0", "0.5.1"
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


def broken_version(root: ThrowAwayRoot, head: str) -> None:
    """A version after the next one, with one more table, which is never ready."""
    folder = next_version(root, "broken", BROKEN, head)
    more = MIGRATION.format(head="next").replace('revision = "next"', 'revision = "broken"', 1)
    (folder / "migrations/versions/broken.py").write_text(more.replace("of_the_next_version", "of_the_broken"))
    health = folder / "hikflask/web/admin/health.py"
    source = health.read_text()
    assert "is_ready = all(parts.values())" in source
    health.write_text(source.replace("is_ready = all(parts.values())", "is_ready = False"))


def without_face_detection(root: ThrowAwayRoot, name: str) -> None:
    """Let there be no OpenCV, as on a machine that it has no package for; it takes longest to install."""
    lock = root.path(f"root/{name}/requirements-faces.txt")
    lock.write_text(f"opencv-python-headless==0.0.0 --hash=sha256:{'0' * 64}\n")


def revisions_of_backups(root: ThrowAwayRoot) -> list[str]:
    """Return the version of the tables in each backup that upgrades have made, the oldest first."""
    found = []
    for path in sorted(root.path("var/lib/hikflask-backups").glob("hikflask-*.tar")):
        with archive.opened(path) as backup:
            found.append(backup.manifest.revision)
    return found
