"""What was confirmed of a step of a plan is kept with its item, not by number among the params of its job."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = '0054'
down_revision = '0053'
branch_labels = None
depends_on = None

JOB = sa.table('job', sa.column('id', sa.Integer), sa.column('kind', sa.String), sa.column('params', sa.JSON))
ITEM = sa.table(
    'job_item',
    sa.column('id', sa.Integer),
    sa.column('job_id', sa.Integer),
    sa.column('number', sa.String),
    sa.column('action', sa.String),
    sa.column('confirmed', sa.JSON(none_as_null=True)),
)
# The name of a list of numbers among the params, and what it says of an item.
LISTS = {
    'same_person': 'same_person',
    'names_kept': 'keeps_name',
    'replaced': 'replaces',
    'shut_out': 'may_take_days',
    'inactive': 'comes_in_inactive',
}
BY_NUMBER = {'faces': 'faces', 'days_here': 'days_here', 'names_here': 'name_here'}
AT_ONCE = 5000


def upgrade() -> None:
    # Not as a batch: SQLite would copy the table.
    op.add_column('job_item', sa.Column('confirmed', sa.JSON(), nullable=True))
    for job_id, params in _plans():
        of_number = defaultdict(dict)
        for name, said in LISTS.items():
            for number in params.get(name, ()):
                of_number[number][said] = True
        for name, said in BY_NUMBER.items():
            for number, value in params.get(name, {}).items():
                of_number[number][said] = value
        rows = []
        for item_id, number, action in _items(job_id, 'number', 'action'):
            confirmed = of_number.get(number, {})
            if action == 'take_over':
                # Of whom nothing was known here; and a plan of an earlier version may take over anybody as inactive.
                confirmed = {'days_here': ['', '']} | confirmed if 'days_here' in params else confirmed
                confirmed = {'comes_in_inactive': True} | confirmed if 'inactive' not in params else confirmed
            if confirmed:
                rows.append({'item_id': item_id, 'confirmed': confirmed})
        _write(rows)
        _set_params(job_id, {name: value for name, value in params.items() if name not in {*LISTS, *BY_NUMBER}})


def downgrade() -> None:
    for job_id, params in _plans():
        params |= {name: [] for name in LISTS} | {name: {} for name in BY_NUMBER}
        for _, number, confirmed in _items(job_id, 'number', 'confirmed'):
            for name, said in LISTS.items():
                if (confirmed or {}).get(said):
                    params[name].append(number)
            for name, said in BY_NUMBER.items():
                if (confirmed or {}).get(said):
                    params[name][number] = confirmed[said]
        _set_params(job_id, params)
    op.drop_column('job_item', 'confirmed')


def _plans():
    """Return id and params of the jobs that carry out a plan; a draft has neither digest nor confirmations."""
    plans = op.get_bind().execute(sa.select(JOB.c.id, JOB.c.params).where(JOB.c.kind == 'apply')).all()
    return [(job_id, params) for job_id, params in plans if 'kinds' not in params]


def _items(job_id, *names):
    columns = [ITEM.c.id, *(ITEM.c[name] for name in names)]
    of_job = sa.select(*columns).where(ITEM.c.job_id == job_id, ITEM.c.number != '').order_by(ITEM.c.id)
    return op.get_bind().execute(of_job).all()


def _write(rows):
    own = sa.update(ITEM).where(ITEM.c.id == sa.bindparam('item_id')).values(confirmed=sa.bindparam('confirmed'))
    for start in range(0, len(rows), AT_ONCE):
        op.get_bind().execute(own, rows[start : start + AT_ONCE])


def _set_params(job_id, params):
    op.get_bind().execute(sa.update(JOB).where(JOB.c.id == job_id).values(params=params))
