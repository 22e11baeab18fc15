"""The tables of the database."""

from hikflask.models.alarm import Alarm
from hikflask.models.api_token import ApiToken
from hikflask.models.audit import AuditEntry
from hikflask.models.backup import Backup
from hikflask.models.capture import Capture
from hikflask.models.comparison import Comparison, Difference, Drift, LeftAlone, PersonThere
from hikflask.models.consent import Consent
from hikflask.models.department import Department
from hikflask.models.employee import Employee
from hikflask.models.employee_count import EmployeeCount
from hikflask.models.enrolment import Enrolment
from hikflask.models.erasure import Erasure, ErasureFile, ErasureRemoval
from hikflask.models.heartbeat import Heartbeat
from hikflask.models.idempotency_key import IdempotencyKey
from hikflask.models.import_batch import ImportBatch, ImportRow
from hikflask.models.job import Job, JobItem
from hikflask.models.operator import Operator, OperatorSession, RecoveryCode
from hikflask.models.person_key import PersonKey
from hikflask.models.photo import Photo
from hikflask.models.setting import ChangedSetting
from hikflask.models.terminal import Terminal
from hikflask.models.terminal_group import TerminalGroup
from hikflask.models.throttle import Throttle
from hikflask.models.webhook import Webhook, WebhookDelivery

__all__ = [
    "Alarm",
    "ApiToken",
    "AuditEntry",
    "Backup",
    "Capture",
    "ChangedSetting",
    "Comparison",
    "Consent",
    "Department",
    "Difference",
    "Drift",
    "Employee",
    "EmployeeCount",
    "Enrolment",
    "Erasure",
    "ErasureFile",
    "ErasureRemoval",
    "Heartbeat",
    "IdempotencyKey",
    "ImportBatch",
    "ImportRow",
    "Job",
    "JobItem",
    "LeftAlone",
    "Operator",
    "OperatorSession",
    "PersonKey",
    "PersonThere",
    "Photo",
    "RecoveryCode",
    "Terminal",
    "TerminalGroup",
    "Throttle",
    "Webhook",
    "WebhookDelivery",
]
