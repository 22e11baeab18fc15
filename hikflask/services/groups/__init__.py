"""Groups of terminals: departments and single employees belong to them, and so are desired on their terminals.

web/groups and api/groups.py change them; services/employees applies them to whom it saves, services/changes to many.
"""
