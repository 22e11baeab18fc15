"""Services are tested on both databases: what they promise is held by constraints and compare-and-set."""

import pytest

BOTH = {
    "test_audit",
    "test_audit_notes",
    "test_leases",
    "test_captures",
    "test_settling",
    "test_enrolments",
    "test_employees",
    "test_operators",
    "test_leaving",
    "test_search",
    "test_lost_people",
    "test_other_device",
    "test_retirement",
    "test_races",
    "test_away",
    "test_terminal_passwords",
    "test_retention",
    "test_capture_retention",
    "test_trail_retention",
    "test_forgotten_photos",
    "test_consents",
    "test_erasures",
    "test_erased_files",
    "test_forgetting_in_steps",
    "test_unusable_words",
    "test_trouble",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the modules whose subject is the database on SQLite and on PostgreSQL."""
    if "database" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in BOTH:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)
