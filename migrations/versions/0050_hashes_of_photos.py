"""An index by which an import finds whose photo a picture is."""

from alembic import op

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_photo_sha256', 'photo', ['sha256'])


def downgrade() -> None:
    op.drop_index('ix_photo_sha256', table_name='photo')
