"""Settings of one installation: copy to config.py and change what differs.

The environment (HIKFLASK_<NAME>) wins over this file; docs/en/settings.md lists every name.
"""

# DATABASE_URL = "postgresql://hikflask@localhost/hikflask"
# TIMEZONE = "Europe/Moscow"
# WORKER = "external"
# CAPTURE_TIMEOUT = 30
