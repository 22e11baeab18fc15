"""The fields that somebody fills in about an employee: a new one is added here.

Captures' drafts, the form of the page, the API, the audit trail and the personal data read this list. A table has a
column for a field by imports/table/columns.py and employees/export_columns.py.
"""

from hikflask.text_rules import N_

# The column of `employee` → the field's name in forms and in the API.
FORM_NAMES = {
    "number": "hikvision_id",
    "name": "full_name",
    "department": "department",
    "terminal_name": "terminal_name",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
}
# The longest name, department, or name on terminals, in characters: their columns are as long.
MAX_NAME_LENGTH = 128
# A capture keeps what was typed in columns of these names.
DRAFT_COLUMNS = {name: f"draft_{name}" for name in FORM_NAMES}
# What an exported table is called, its columns in their order, and what one of them says.
SHEET = N_("Employees")
COLUMNS = (
    N_("Employee ID"),
    N_("Full name"),
    N_("Department"),
    N_("Active"),
    N_("Added"),
    N_("Valid from"),
    N_("Valid to"),
)
YES, NO = N_("yes"), N_("no")
