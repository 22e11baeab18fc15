"""Let an item of a job keep the id of a deleted employee, so that adding items locks no employee.

A foreign key locks the row that it refers to, whenever items are added; employees are locked before anything else.
"""

from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('job_item', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(op.f('fk_job_item_employee_id_employee'), type_='foreignkey')


def downgrade() -> None:
    op.execute('UPDATE job_item SET employee_id = NULL WHERE employee_id NOT IN (SELECT id FROM employee)')
    with op.batch_alter_table('job_item', table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.create_foreign_key(
            op.f('fk_job_item_employee_id_employee'), 'employee', ['employee_id'], ['id'], ondelete='SET NULL'
        )
