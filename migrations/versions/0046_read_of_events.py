"""Keep of what terminals recorded only what is read: all else in a record may name somebody, or a card."""

from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

READ = (
    "'major', 'minor', 'majorEventType', 'subEventType', 'time', 'dateTime', 'serialNo', 'employeeNoString', "
    "'employeeNo', 'name', 'pictureURL', 'cardType', 'attendanceStatus'"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        kept = "SELECT coalesce(json_object_agg(key, value), '{}'::json) FROM json_each(event.record)"
    else:
        kept = 'SELECT json_group_object(key, value) FROM json_each(event.record)'
    op.execute(f'UPDATE event SET record = ({kept} WHERE key IN ({READ}))')


def downgrade() -> None:
    pass
