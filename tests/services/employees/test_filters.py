"""Which employees a filter finds: every state as it comes about at real enrolments."""
