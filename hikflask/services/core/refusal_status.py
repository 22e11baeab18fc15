"""What follows from each refusal: one table by code for pages, the API and what is tried again. The sentences are in
messages.py."""

from http import HTTPStatus
from typing import NamedTuple

BAD_GATEWAY = HTTPStatus.BAD_GATEWAY
CONFLICT = HTTPStatus.CONFLICT
FORBIDDEN = HTTPStatus.FORBIDDEN
INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
NOT_FOUND = HTTPStatus.NOT_FOUND
NO_SPACE = HTTPStatus.INSUFFICIENT_STORAGE
TIMEOUT = HTTPStatus.GATEWAY_TIMEOUT
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


class Rule(NamedTuple):
    """The HTTP status, the form field that is wrong ("": none), whether the program tries again by itself, and after
    how many seconds the same request may succeed, where that is known."""

    status: HTTPStatus
    field: str = ""
    retryable: bool = False
    retry_after: int | None = None


def _each(rule: Rule, codes: str) -> dict[str, Rule]:
    return dict.fromkeys(codes.split(), rule)


# What is refused here, before any terminal is asked. A page and the API answer alike.
REFUSED_HERE: dict[str, Rule] = {
    **_each(Rule(BAD_GATEWAY), "comparison_failed list_incomplete list_too_long another_device"),
    **_each(Rule(BAD_GATEWAY), "mail_account_refused mail_receivers_refused mail_refused mail_server_away"),
    **_each(
        Rule(CONFLICT),
        "idempotency_answer_gone may_still_arrive clock_not_set department_has_people plan_changed employee_inactive "
        "destination_stays privacy_not_set "
        "terminal_has_people terminal_in_use terminal_retired terminal_held photo_forgotten cancelled "
        "file_gone employeenoalreadyexist enrolment_unknown other_device certificate_uncheckable "
        "import_checked import_not_checked import_started nothing_to_undo nothing_to_take_back undo_started "
        "leaves_by_take_over was_wanted_before face_was_replaced days_shut_out import_file_gone changed_since "
        "import_row_gone import_photo_gone face_stays not_compared name_differs face_differs face_not_read "
        "not_there not_here number_not_usable own_number_there changed_there not_restored not_compared_since_restore "
        "nothing_to_take_over name_not_usable validity_not_readable validity_outside no_whole_day over_there",
    ),
    **_each(Rule(CONFLICT, "capture_id"), "superseded capture_of_another not_saved capture_running"),
    "unsafe_plan": Rule(CONFLICT, "confirm"),
    "consent_missing": Rule(CONFLICT, "consent"),
    **_each(Rule(CONFLICT, "hikvision_id"), "number_known number_enrolled number_leaving"),
    **_each(Rule(CONFLICT, "name"), "department_known group_known terminal_name_known mapping_known"),
    "photo_draft_gone": Rule(CONFLICT, "photo"),
    "capture_not_named": Rule(CONFLICT, "photo_path"),
    "webhooks_enough": Rule(CONFLICT, "url"),
    "idempotency_running": Rule(CONFLICT, retry_after=5),
    "administrator_needed": Rule(FORBIDDEN),
    **_each(
        Rule(INVALID), "column_missing column_twice column_unclear column_unknown days_column_unknown numbers_unknown"
    ),
    **_each(Rule(INVALID, "mapping"), "mapping_unknown mapping_unfit"),
    "idempotency_key_reused": Rule(INVALID, "Idempotency-Key"),
    "group_employee_unknown": Rule(INVALID, "added"),
    "cursor_unknown": Rule(INVALID, "after"),
    "group_terminal_unknown": Rule(INVALID, "device_ids"),
    **_each(
        Rule(INVALID, "file"),
        "import_too_large table_unreadable table_empty table_no_rows table_too_large table_columns table_rows "
        "table_html table_sheets table_password table_macros table_damaged table_unpacked table_encoding table_quote "
        "table_cut table_perhaps_cut table_leavers table_second_head table_side_by_side table_slow "
        "table_ldif table_json table_vcard table_archive table_dbf table_document table_xlsb nothing_uploaded "
        "wrong_rows_unlike too_many_corrections",
    ),
    **_each(Rule(INVALID, "sheet"), "table_sheet_unknown table_sheet_unnamed"),
    "name_bytes": Rule(INVALID, "full_name"),
    "terminal_password_needed": Rule(INVALID, "password"),
    **_each(Rule(INVALID, "photo"), "photo_unreadable photo_too_large photo_too_many_pixels"),
    "capture_unknown": Rule(INVALID, "photo_path"),
    **_each(
        Rule(INVALID, "photos"),
        "photos_file_too_large archive_unreadable archive_too_many archive_too_large archive_encrypted archive_empty",
    ),
    **_each(Rule(INVALID, "terminal_id"), "terminal_unknown terminal_not_named"),
    **_each(Rule(INVALID, "url"), "webhook_address_refused terminal_address_refused terminal_https_required"),
    **_each(Rule(INVALID, "valid_to"), "validity_over validity_reversed"),
    **_each(
        Rule(INVALID, "value"),
        "setting_fixed setting_refused setting_long audit_retention_short settings_contradict push_address_missing",
    ),
    **_each(
        Rule(NOT_FOUND),
        "webhook_unknown employee_unknown department_unknown group_unknown setting_unknown import_unknown "
        "comparison_unknown passages_off",
    ),
    "too_many_calls": Rule(TOO_MANY, retry_after=5),
    **_each(Rule(UNAVAILABLE), "department_busy table_not_written list_changing comparison_replaced"),
    "tables_waiting": Rule(UNAVAILABLE, "file"),
    "photos_waiting": Rule(UNAVAILABLE, "photo"),
    "server_busy": Rule(UNAVAILABLE, retry_after=5),
    "no_space": Rule(NO_SPACE),
}
# Of accounts and signing in: calls of the API never get them.
OF_SIGNING_IN: dict[str, Rule] = {
    **_each(Rule(CONFLICT), "factor_missing factor_required token_unknown operators_exist operator_unknown"),
    **_each(Rule(CONFLICT, "code"), "code_wrong factor_code_wrong"),
    **_each(Rule(CONFLICT, "name"), "operator_name_known name_reserved token_name_known"),
    **_each(
        Rule(CONFLICT, "password"),
        "sign_in_refused sign_in_refused_or_away password_wrong password_common password_short password_long",
    ),
    "too_often": Rule(TOO_MANY),
    **_each(Rule(UNAVAILABLE), "directory_away passwords_busy"),
    **_each(Rule(CONFLICT, "role"), "directory_decides last_administrator"),
}
# What came of asking the terminal: the API answers as a gateway to it does, a page tells a conflict.
FROM_TERMINAL: dict[str, Rule] = {
    **_each(
        Rule(BAD_GATEWAY),
        "wrong_password locked validity_not_shown holder_not_shown address_refused https_required weak_digest "
        "certificate_changed old_face_stays face_not_shown",
    ),
    **_each(
        Rule(BAD_GATEWAY, retryable=True),
        "person_not_verified name_not_verified validity_not_verified rights_not_verified face_not_verified "
        "removal_not_verified removal_not_shown removal_asked_again",
    ),
    **_each(Rule(TIMEOUT), "capturetimeout capture_unanswered"),
    **_each(Rule(UNAVAILABLE), "unreachable no_answer lease_lost wish_changed interrupted no_worker"),
}
RULES = REFUSED_HERE | OF_SIGNING_IN | FROM_TERMINAL
OTHER = Rule(CONFLICT)


def page_status(code: str) -> HTTPStatus:
    """Return the status of a page that shows a refusal: 409 for a terminal's own, which the page explains."""
    if code == "capture_running":
        return INVALID  # The form is shown again, with the capture that still runs.
    return RULES[code].status if code in RULES and code not in FROM_TERMINAL else CONFLICT


def api_status(code: str) -> HTTPStatus:
    """Return the status of the API's answer; a code that only terminals use is a refusal of theirs."""
    return RULES[code].status if code in RULES else BAD_GATEWAY
