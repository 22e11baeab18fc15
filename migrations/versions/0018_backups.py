"""Keep the last backups, and which terminals were not compared since the installation was restored from one."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'backup',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('taken_at', sa.DateTime(), nullable=False),
        sa.Column('finished_at', sa.DateTime(), nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('rows', sa.BigInteger(), nullable=False),
        sa.Column('photos', sa.Integer(), nullable=False),
        sa.Column('missing', sa.Integer(), nullable=False),
        sa.Column('with_keys', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_backup')),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == 'postgresql':
        # A restored backup of the revision before has it already.
        op.execute('ALTER TABLE terminal ADD COLUMN IF NOT EXISTS restored_from timestamp without time zone')
    else:
        op.add_column('terminal', sa.Column('restored_from', sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('terminal') as batch:
        batch.drop_column('restored_from')
    op.drop_table('backup')
