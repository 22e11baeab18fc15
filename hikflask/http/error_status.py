"""The HTTP status of each refusal, by its code: one table for pages and API.

The API waits for the terminal and answers as a gateway to it does. A page does not: what came of the terminal is told
on the page, and a refusal without a status of its own is a conflict.
"""

from http import HTTPStatus

# What is refused here, before any terminal is asked.
REFUSED_HERE = {
    "too_often": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_calls": HTTPStatus.TOO_MANY_REQUESTS,
    "passwords_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "photos_waiting": HTTPStatus.SERVICE_UNAVAILABLE,
    "server_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "tables_waiting": HTTPStatus.SERVICE_UNAVAILABLE,
    "employee_unknown": HTTPStatus.NOT_FOUND,
    "name_bytes": HTTPStatus.UNPROCESSABLE_ENTITY,
    "photo_unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "photo_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "photo_too_many_pixels": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_empty": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_no_rows": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_columns": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_rows": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_old_excel": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_password": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_macros": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_damaged": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_unpacked": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_encoding": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_quote": HTTPStatus.UNPROCESSABLE_ENTITY,
    "table_slow": HTTPStatus.UNPROCESSABLE_ENTITY,
    "terminal_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "terminal_not_named": HTTPStatus.UNPROCESSABLE_ENTITY,
    "terminal_address_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "terminal_https_required": HTTPStatus.UNPROCESSABLE_ENTITY,
    "terminal_password_needed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "number_known": HTTPStatus.CONFLICT,
    "department_unknown": HTTPStatus.NOT_FOUND,
    "department_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "department_known": HTTPStatus.CONFLICT,
    "department_has_people": HTTPStatus.CONFLICT,
    "group_unknown": HTTPStatus.NOT_FOUND,
    "group_known": HTTPStatus.CONFLICT,
    "group_terminal_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "group_employee_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unsafe_plan": HTTPStatus.CONFLICT,
    "number_enrolled": HTTPStatus.CONFLICT,
    "number_leaving": HTTPStatus.CONFLICT,
    "employee_inactive": HTTPStatus.CONFLICT,
    "terminal_name_known": HTTPStatus.CONFLICT,
    "terminal_has_people": HTTPStatus.CONFLICT,
    "terminal_in_use": HTTPStatus.CONFLICT,
    "terminal_retired": HTTPStatus.CONFLICT,
    "terminal_held": HTTPStatus.CONFLICT,
    "superseded": HTTPStatus.CONFLICT,
    "capture_of_another": HTTPStatus.CONFLICT,
    "not_saved": HTTPStatus.CONFLICT,
    "photo_forgotten": HTTPStatus.CONFLICT,
    "photo_draft_gone": HTTPStatus.CONFLICT,
    "cancelled": HTTPStatus.CONFLICT,
    "file_gone": HTTPStatus.CONFLICT,
    "employeeNoAlreadyExist": HTTPStatus.CONFLICT,
    "enrolment_unknown": HTTPStatus.CONFLICT,
    "consent_missing": HTTPStatus.CONFLICT,
    "other_device": HTTPStatus.CONFLICT,
    "import_unknown": HTTPStatus.NOT_FOUND,
    "nothing_uploaded": HTTPStatus.UNPROCESSABLE_ENTITY,
    "photos_file_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "archive_unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "archive_too_many": HTTPStatus.UNPROCESSABLE_ENTITY,
    "archive_too_large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "archive_encrypted": HTTPStatus.UNPROCESSABLE_ENTITY,
    "archive_empty": HTTPStatus.UNPROCESSABLE_ENTITY,
    "column_missing": HTTPStatus.UNPROCESSABLE_ENTITY,
    "column_twice": HTTPStatus.UNPROCESSABLE_ENTITY,
    "column_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "import_checked": HTTPStatus.CONFLICT,
    "import_not_checked": HTTPStatus.CONFLICT,
    "import_started": HTTPStatus.CONFLICT,
    "nothing_to_undo": HTTPStatus.CONFLICT,
    "import_file_gone": HTTPStatus.CONFLICT,
    "changed_since": HTTPStatus.CONFLICT,
    "import_row_gone": HTTPStatus.CONFLICT,
    "import_photo_gone": HTTPStatus.CONFLICT,
    "face_stays": HTTPStatus.CONFLICT,
    "table_not_written": HTTPStatus.SERVICE_UNAVAILABLE,
}
# The form is shown again, with the capture that still runs.
PAGE = REFUSED_HERE | {"capture_running": HTTPStatus.UNPROCESSABLE_ENTITY}
# What came of asking the terminal: it refused, does not answer, or nobody showed a face.
API = REFUSED_HERE | {
    "capture_running": HTTPStatus.CONFLICT,
    "wrong_password": HTTPStatus.BAD_GATEWAY,
    "locked": HTTPStatus.BAD_GATEWAY,
    "person_not_verified": HTTPStatus.BAD_GATEWAY,
    "name_not_verified": HTTPStatus.BAD_GATEWAY,
    "face_not_verified": HTTPStatus.BAD_GATEWAY,
    "removal_not_verified": HTTPStatus.BAD_GATEWAY,
    "address_refused": HTTPStatus.BAD_GATEWAY,
    "https_required": HTTPStatus.BAD_GATEWAY,
    "weak_digest": HTTPStatus.BAD_GATEWAY,
    "certificate_changed": HTTPStatus.BAD_GATEWAY,
    "unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
    "no_answer": HTTPStatus.SERVICE_UNAVAILABLE,
    "lease_lost": HTTPStatus.SERVICE_UNAVAILABLE,
    "wish_changed": HTTPStatus.SERVICE_UNAVAILABLE,
    "interrupted": HTTPStatus.SERVICE_UNAVAILABLE,
    "no_worker": HTTPStatus.SERVICE_UNAVAILABLE,
    "captureTimeout": HTTPStatus.GATEWAY_TIMEOUT,
}


def for_page(code: str) -> HTTPStatus:
    """Return the status of a page that tells a refusal."""
    return PAGE.get(code, HTTPStatus.CONFLICT)


def for_api(code: str) -> HTTPStatus:
    """Return the status of the API's answer; a code that only terminals use is a refusal of theirs."""
    return API.get(code, HTTPStatus.BAD_GATEWAY)
