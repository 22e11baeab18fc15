"""Keep why an enrolment or a capture was refused in one column, with its code in lower case and its values.

By its code, a text of before is who has the number there, why a person left somebody alone, after how many seconds
nobody had come, or what the terminal said.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

# Table → its columns of before.
TABLES = {'enrolment': ('refusal_code', 'refusal_text'), 'capture': ('reason', 'reason_text')}
TAKEN = 'employeenoalreadyexist'
NAMES_SOMEBODY = f"('{TAKEN}', 'name_not_verified', 'removal_not_verified')"
NOBODY_CAME = "('capturetimeout', 'capture_unanswered')"
# The codes that the version before compares, as it spells them.
SPELLED = (
    'deviceBusy', 'faceDataModeling', 'captureTimeout', 'timeout', 'deviceError', 'notSupport', 'UnSupportCapture',
    'methodNotAllowed', 'pictureFaceDetectZero', 'noFaceInPicture', 'PicAnalysisNoTargetError',
    'multipleFaceObjectError', 'pupilDistanceTooSmall', 'picSizeSmallError', 'faceDataLenShort', 'faceSizeSmall',
    'faceLowQulity', 'faceLowQuality', 'poorFaceQuality', 'faceScoreFailure', 'lowScore',
    'SubpicAnalysisModelingError', 'modelingFailed', 'PicFeaturePoints', 'picSizeExceedError', 'fileSizeExceedError',
    'employeeNoAlreadyExist', 'deviceUserAlreadyExist', 'employeeNoNotExist', 'deviceUserNotExist',
    'illegalEmployeeNo', 'notSupportCharacter', 'deviceUserFull', 'deviceFaceFull', 'faceImagesNumError',
    'userExceedLimit', 'faceNumFull', 'deviceUserAlreadyExistFace', 'alreadyExistThisFace', 'urlDownloadFail',
    'URLDownloadFailed', 'lowPrivilege', 'notActivated', 'badAuthorization', 'rebootRequired',
)
JOB = sa.table('job', sa.column('id'), sa.column('params', sa.JSON), sa.column('pause', sa.JSON(none_as_null=True)))


def upgrade() -> None:
    for table, (code, text) in TABLES.items():
        kind = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')
        # Not as a batch: SQLite would copy the table, and lose its triggers.
        op.add_column(table, sa.Column('refusal', kind))
        op.execute(f"UPDATE {table} SET refusal = {_refusal(table, code, text)} WHERE {code} <> ''")
        _drop(table, code, text)
        _keep_no_statistics(table, 'refusal')
    _convert_jobs(lambda code: code if code.startswith('terminal:') else code.lower())
    for table in ('comparison', 'job_item'):
        op.execute(f"UPDATE {table} SET error = lower(error) WHERE error NOT LIKE 'terminal:%'")
    if _on_sqlite():
        name = "json_extract(error_params, '$.text')"
        named = f"json_set(json_remove(error_params, '$.text'), '$.n', number, '$.name', {name})"
    else:
        name = "error_params ->> 'text'"
        named = f"CAST(CAST(error_params AS jsonb) - 'text' || {_object(n='number', name=name)} AS json)"
    op.execute(f'UPDATE job_item SET error_params = {named} WHERE error IN {NAMES_SOMEBODY} AND {name} IS NOT NULL')


def downgrade() -> None:
    spelled = {code.lower(): code for code in SPELLED}
    cases = ' '.join(f"WHEN '{code}' THEN '{spelling}'" for code, spelling in spelled.items())
    for table, (code, text) in TABLES.items():
        for name, size in ((code, 64), (text, 255)):
            op.add_column(table, sa.Column(name, sa.String(size), nullable=False, server_default=''))
        word = f"coalesce('terminal:' || {_value('word')}, {_value('code')})"
        texts = ', '.join(_value(name) for name in ('text', 'name', 'reason', 'after'))
        op.execute(
            f"UPDATE {table} SET {code} = CASE {_value('code')} {cases} ELSE {word} END, {text} = coalesce({texts}, '') "
            'WHERE refusal IS NOT NULL'
        )
        _drop(table, 'refusal')
        _keep_no_statistics(table, text)
    _convert_jobs(lambda code: spelled.get(code, code))
    for table in ('comparison', 'job_item'):
        op.execute(f'UPDATE {table} SET error = CASE error {cases} ELSE error END')
    if _on_sqlite():
        text = "json_set(error_params, '$.text', json_extract(error_params, '$.name'))"
        sent = "json_extract(error_params, '$.t')"
    else:
        name = "error_params ->> 'name'"
        text = f"CAST(CAST(error_params AS jsonb) || {_object(text=name)} AS json)"
        sent = "error_params ->> 't'"
    somebody = NAMES_SOMEBODY.replace(TAKEN, spelled[TAKEN])
    op.execute(f'UPDATE job_item SET error_params = {text} WHERE error IN {somebody} AND {sent} IS NOT NULL')


def _refusal(table, code, text):
    digits = f"{text} NOT GLOB '*[^0-9]*'" if _on_sqlite() else f"{text} !~ '[^0-9]'"
    seconds, word = f'CAST({text} AS INTEGER)', f'substr({code}, 10)'
    params = f"""CASE
        WHEN lower({code}) = '{TAKEN}' THEN {_object(n='number' if table == 'enrolment' else 'draft_number', name=text)}
        WHEN {code} IN {NAMES_SOMEBODY} THEN {_object(name=text)}
        WHEN {code} = 'left_alone' THEN {_object(reason=text)}
        WHEN lower({code}) IN {NOBODY_CAME} AND {text} <> '' AND {digits} THEN {_object(after=seconds)}
        WHEN {code} LIKE 'terminal:%' THEN {_object(text=text, word=word)}
        ELSE {_object(text=text)} END"""
    return _object(code=f'lower({code})', params=f'json({params})' if _on_sqlite() else params)


def _object(**values):
    pairs = ', '.join(f"'{name}', {value}" for name, value in values.items())
    return f'json_object({pairs})' if _on_sqlite() else f'jsonb_build_object({pairs})'


def _value(name):
    path = name if name == 'code' else f'params.{name}'
    if _on_sqlite():
        return f"json_extract(refusal, '$.{path}')"
    keys = path.replace('.', ',')
    return f"(refusal #>> '{{{keys}}}')"


def _convert_jobs(converted):
    """Convert the codes of jobs that failed as a whole or wait for a terminal, which are few.

    An erasure looks for numbers in the params as Python writes them: the database would write other letters.
    """
    either = [sa.cast(column, sa.Text).contains('"error"') for column in (JOB.c.params, JOB.c.pause)]
    connection = op.get_bind()
    for job in connection.execute(sa.select(JOB).where(sa.or_(*either))).all():
        told = {'params': job.params, 'pause': job.pause}
        for name, values in told.items():
            if values and 'error' in values:
                told[name] = {**values, 'error': converted(values['error'])}
        connection.execute(sa.update(JOB).where(JOB.c.id == job.id).values(**told))


def _drop(table, *columns):
    for name in columns:
        op.drop_column(table, name)


def _keep_no_statistics(table, column):
    """PostgreSQL's statistics contain values of the columns; see revision 0004."""
    if not _on_sqlite():
        op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0')


def _on_sqlite():
    return op.get_bind().dialect.name == 'sqlite'
