"""Who acts when a command runs, as the audit trail and leases have it."""

from hikflask.services.audit import COMMAND_LINE

ACTOR = COMMAND_LINE
