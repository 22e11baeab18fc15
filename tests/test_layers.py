"""The layers: which package may import which, proven from the import statements."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hikflask.models import Capture, Enrolment

TESTS = Path(__file__).resolve().parent
PACKAGE = Path(__file__).resolve().parents[1] / "hikflask"

CODE_MAP = PACKAGE.parent / "docs" / "code-map.md"

# Room → the rooms of hikflask that it may import. A room is a sub-package or a module of hikflask. A module within a
# room that stands on another storey has a rule of its own.
MAY_IMPORT = {
    "web": {"web", "codes", "http", "config", "forms", "services", "background.tasks", "labels", "messages", "models",
            "extensions", "disk_space", "isapi.errors", "text_rules", "request_id", "employee_fields"},
    "api": {"api", "codes", "http", "forms", "services", "background.tasks", "metrics.exposition", "encryption.vault",
            "disk_space", "messages", "models", "extensions", "isapi.errors", "text_rules", "employee_fields"},
    "cli": {"cli", "forms", "services", "background", "labels", "messages", "models", "extensions", "isapi.errors",
            "startup_checks", "config", "diagnosis", "encryption", "text_rules"},
    "__main__": {"version"},
    "diagnosis": {"diagnosis", "services", "models", "extensions", "startup_checks", "config", "encryption.vault",
                  "isapi.errors", "metrics.server", "disk_space"},
    "startup_checks": {"encryption.key_rotation", "services", "extensions", "config", "disk_space"},
    "http": {"http", "codes", "services", "models", "extensions"},
    "background": {"background", "services", "metrics.server", "extensions", "isapi.errors", "request_id", "labels",
                   "models", "signs_of_life"},
    "services": {"services", "codes", "isapi", "net", "models", "extensions", "config", "encryption", "text_rules",
                 "metrics.counters", "request_id", "version", "owned_session", "employee_fields", "disk_space",
                 "signs_of_life"},
    "forms": {"forms", "labels.operators", "services.employees.filters", "text_rules", "employee_fields"},
    "messages": {"codes", "text_rules", "models.refusal", "isapi.errors", "services.core.errors"},
    # One row for each code, with its words and with what follows from it, so both those who decide and those who say it
    # read it.
    "codes": {"codes", "isapi.errors", "models", "text_rules"},
    # The words of pages: of services they need constants and what is worked out from a row that was read.
    "labels": {"labels", "codes", "messages", "models", "services", "isapi.errors", "config", "text_rules",
               "disk_space"},
    "models": {"models", "extensions", "text_rules", "employee_fields"},
    "extensions": {"background.queue", "client_pool", "encryption.vault", "metrics.counters", "owned_session",
                   "signs_of_life"},
    "owned_session": set(),
    "metrics": {"metrics", "http.permissions", "services", "models", "extensions"},
    "metrics.counters": {"config"},
    "client_pool": {"isapi"},
    "encryption": {"encryption"},
    "encryption.key_rotation": {"encryption", "extensions", "models", "services"},
    "config": {"disk_space", "encryption.key_file", "text_rules"},
    "disk_space": set(),
    "version": set(),
    "logging_setup": {"disk_space", "text_rules", "request_id"},
    "request_id": set(),
    "signs_of_life": set(),
    "text_rules": set(),
    "employee_fields": {"text_rules"},
    "isapi": {"isapi"},
    "net": {"net"},
    "simulator": {"simulator"},
}  # fmt: skip
# Within these rooms a package may import itself and the packages on earlier lines, so that no circle is possible.
ORDER = {
    "services": [
        {"core"},
        {"audit"},
        {"settings"},
        {"state"},
        {"accounts", "import_files", "photos", "spreadsheets", "webhooks"},
        {"privacy"},
        {"terminals"},
        {"captures"},
        {"enrolments"},
        {"cards"},
        {"changes"},
        {"departments"},
        {"groups"},
        {"employees"},
        {"imports", "comparisons", "backups"},
        {"passages"},
        {"attention", "providers"},
        {"alarms"},
        {"provisioning"},
    ],
    "web": [
        {"support"},
        {"security"},
        {
            "account",
            "employees",
            "terminals",
            "privacy",
            "admin",
            "jobs",
            "attention",
            "departments",
            "groups",
            "passages",
            "help",
        },
        # Their pages show the jobs that work on them.
        {"imports", "comparisons"},
        {"error_pages", "template_context"},
    ],
}
# Room → the libraries that it may import. Rooms without a rule are not listed.
OUTSIDE = {
    "isapi": {"requests", "requests_toolbelt", "defusedxml"},
    "simulator": {"flask", "werkzeug", "PIL", "cryptography", "markupsafe"},
    "forms": {"flask_wtf", "wtforms", "flask_babel"},
}
# What few tasks need is loaded by them, so that a process at rest takes less memory: module → what it imports then.
LOADED_LATER = {
    "api.openapi.views": {"hikflask.api.openapi"},
    "services.accounts.ldap_check": {"hikflask.services.accounts"},
    "services.accounts.ldap_operators": {"hikflask.services.accounts"},
    "services.accounts.passwords": {"zxcvbn"},
    "services.spreadsheets.reader": {
        "defusedxml.ElementTree",
        "email",
        "openpyxl.packaging.relationship",
        "openpyxl.reader.excel",
        "openpyxl.styles.numbers",
        "openpyxl.styles.stylesheet",
        "openpyxl.worksheet._reader",
        "openpyxl.xml.functions",
        "xlrd",
    },
    "web.security.password_prompt": {"segno"},
}
# The commands (hikflask/cli) are loaded when they are used, too.
NOT_AT_REST = {
    "alembic",
    "apispec",
    "flask_migrate",
    "ldap3",
    "openpyxl",
    "segno",
    "xlrd",
    "zxcvbn",
    "hikflask.cli.tokens",
}
# Services may use the app, but nothing of a request.
OF_A_REQUEST = {"request", "session", "g", "abort", "redirect"}


# A service module without a test file at the mirrored path → what tests it instead.
TESTED_ELSEWHERE = {
    "passages/deletion": "the button that begins it: tests/web/admin/test_passages_setting.py",
    "passages/uses": "the paper that says it: tests/web/privacy/test_consents.py",
    "passages/reading": "what intake reads: tests/services/passages/test_intake.py, tests/invariants/test_passages.py",
    "passages/log_by_number": "a part of a reading, as are the next ones: tests/services/passages/test_intake.py",
    "passages/log_by_time": "tests/services/passages/test_intake.py, tests/scenarios/test_events_of_the_facts.py",
    "passages/log_clock": "clocks that jump: tests/invariants/test_passages.py",
    "passages/log_reader": "what is lost and found again: tests/invariants/test_passages.py",
    "passages/log_row": "tests/services/passages/test_intake.py",
    "passages/log_search": "terminals that say anything: tests/scenarios/test_events_of_the_facts.py",
    "alarms/mail_server": "who gives it mails, and the doctor: tests/background/test_alarm_mail.py",
    "backups/postgresql": "the commands that call it, on both databases: tests/cli/installation/test_backups.py",
    "backups/restore": "tests/cli/installation/test_backups.py; killed: tests/scenarios/test_backups_killed.py",
    "backups/revisions": "a backup of an older version: tests/cli/installation/test_backups.py",
    "backups/sqlite": "the commands that call it, on both databases: tests/cli/installation/test_backups.py",
    "backups/staging": "what a killed restore leaves: tests/scenarios/test_backups_killed.py",
    "comparisons/after_restore": "from the restore to an administrator's word: tests/scenarios/test_restored_backup.py",
    "accounts/errors": "codes without a rule; tests/codes/test_refusals.py has a row for each",
    "backups/database_copy": "the one command that calls it: tests/cli/installation/test_databases.py",
    "core/errors": "codes without a rule; tests/codes/test_refusals.py has a row for each",
    "core/progress": "a protocol; what follows it: tests/services/changes/test_run_whole.py",
    "passages/pushes": "one view calls it: tests/web/passages/test_push.py",
    "passages/switch": "a setting that pages ask for: tests/web/passages/test_passages.py",
    "employees/audit_notes": "each entry with the action that leaves it: tests/scenarios/test_audit_entries.py",
    "enrolments/audit_notes": "each entry with the attempt that leaves it: tests/scenarios/test_audit_entries.py",
}


# As terminals of all recordings call themselves: DS-K1T343EFWX, DS-K1A340FWX.
MODEL = re.compile(r"K1[TA]\d")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py")


def place_of(path: Path) -> str:
    """Return a module's name within hikflask, such as "services.core.db". An __init__ has the name of its package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {place_of(path): path for path in modules()}


class WithoutTyping(ast.NodeTransformer):
    """Removes imports for annotations, which are never executed."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Drop `if TYPE_CHECKING:`."""
        return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node


@cache
def imports(path: Path) -> list[tuple[str, list[str]]]:
    """Return each imported module with the names taken from it."""
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(WithoutTyping().visit(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.append((node.module or "", [alias.name for alias in node.names]))
    return found


def texts_in(path: Path) -> list[str]:
    """Return the texts of a module that the program uses: no docstrings."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return [node.value for node in constants if isinstance(node.value, str)]


def targets(path: Path) -> Iterator[str]:
    """Yield the modules of hikflask that a module imports, such as "isapi.errors", and not their package."""
    for module, names in imports(path):
        if module.partition(".")[0] != "hikflask":
            continue
        base = module.removeprefix("hikflask").removeprefix(".")
        for name in names or [""]:
            inner = f"{base}.{name}".strip(".")
            yield inner if inner in NAMES else base


def room_of(place: str) -> str:
    return place.partition(".")[0]


def allowed(place: str, target: str) -> bool:
    rule = MAY_IMPORT.get(place, MAY_IMPORT[room_of(place)])
    return any(target == may or target.startswith(f"{may}.") for may in rule)


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def level(place: str) -> int | None:
    """Return the position of a module's package in the order of its room, or None."""
    room, _, rest = place.partition(".")
    numbers = {name: number for number, names in enumerate(ORDER.get(room, [])) for name in names}
    return numbers.get(rest.partition(".")[0])


def test_every_room_has_a_rule() -> None:
    assert {room_of(place) for place in NAMES} == {rule for rule in MAY_IMPORT if "." not in rule}
    assert {rule for rule in MAY_IMPORT if "." in rule} <= set(NAMES)


def test_every_package_of_an_ordered_room_has_its_place_in_the_order() -> None:
    unknown = [place for place in NAMES if room_of(place) in ORDER and "." in place and level(place) is None]

    assert unknown == []


def test_modules_import_only_what_their_room_may() -> None:
    wrong = [
        f"{place} imports {target}"
        for place, path in NAMES.items()
        for target in targets(path)
        if target and not allowed(place, target)
    ]

    assert wrong == []


def test_packages_import_only_those_before_them() -> None:
    wrong = []
    for place, path in NAMES.items():
        mine = level(place)
        for target in targets(path):
            theirs = level(target)
            if mine is None or theirs is None or room_of(target) != room_of(place):
                continue
            same_package = place.split(".")[1] == target.split(".")[1]
            if theirs > mine or (theirs == mine and not same_package):
                wrong.append(f"{place} imports {target}")

    assert wrong == []


def test_order_of_the_services_is_drawn_in_the_code_map() -> None:
    drawing = re.search(r"```text\n(.*?)```", CODE_MAP.read_text(encoding="utf-8"), re.DOTALL)
    assert drawing
    drawn = [{room.strip() for room in line.split("·")} for line in drawing[1].splitlines()]

    assert drawn == ORDER["services"]
    assert set().union(*drawn) == {path.name for path in (PACKAGE / "services").iterdir() if list(path.glob("*.py"))}


def test_no_modules_import_each_other_in_a_circle() -> None:
    ahead = {place: set(targets(path)) & set(NAMES) - {place} for place, path in NAMES.items()}
    while free := {place for place, needed in ahead.items() if not needed}:
        ahead = {place: needed - free for place, needed in ahead.items() if place not in free}

    assert sorted(ahead) == []


def test_modules_use_only_the_libraries_of_their_room() -> None:
    wrong = [
        f"{place} imports {module}"
        for place, path in NAMES.items()
        for module in {name.partition(".")[0] for name, _ in imports(path)} - {"hikflask", "__future__"}
        if room_of(place) in OUTSIDE and not is_standard(module) and module not in OUTSIDE[room_of(place)]
    ]

    assert wrong == []


def test_requests_is_imported_where_somebody_outside_is_asked() -> None:
    users = [
        place
        for place, path in NAMES.items()
        if any(module.partition(".")[0] == "requests" for module, _ in imports(path))
    ]

    assert [place for place in users if room_of(place) != "net"] == ["isapi.client"]


def test_huey_is_known_to_the_queue_alone() -> None:
    users = {
        place for place, path in NAMES.items() if any(module.partition(".")[0] == "huey" for module, _ in imports(path))
    }

    assert users == {"background.queue"}


def test_no_model_of_a_terminal_is_named_in_the_code() -> None:
    others = {place: path for place, path in NAMES.items() if room_of(place) != "simulator"}
    naming = {place for place, path in others.items() if any(MODEL.search(text) for text in texts_in(path))}

    # Its examples are a terminal's.
    assert naming == {"api.openapi.schemas"}


def test_services_know_no_request() -> None:
    wrong = [
        f"{place} imports {name}"
        for place, path in NAMES.items()
        for module, names in imports(path)
        for name in names
        if room_of(place) == "services" and module == "flask" and name in OF_A_REQUEST
    ]

    assert wrong == []


def test_nothing_is_imported_inside_a_function_but_what_few_tasks_need() -> None:
    inside: dict[str, set[str]] = {}
    for place, path in NAMES.items():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    inside.setdefault(place, set()).update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    inside.setdefault(place, set()).add(node.module or "")

    assert inside == LOADED_LATER


def test_app_loads_nothing_that_only_few_tasks_need() -> None:
    program = "import sys, hikflask, hikflask.startup_checks; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "hikflask.cli" in loaded
    assert NOT_AT_REST.isdisjoint(loaded)


# The draft of a capture is not part of its state.
WRITES_DRAFTS = {"services.captures.drafts"}


def written_tables(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and table of each `update(Table)`, `insert(Table)` and `Table(…)`. A `setattr` counts as a capture."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in {"update", "insert"} and node.args and isinstance(node.args[0], ast.Name):
            yield node.lineno, node.args[0].id
        yield node.lineno, node.func.id
        if node.func.id == "setattr":
            yield node.lineno, "Capture"


def assigned_attributes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def test_only_the_state_machines_write_the_state_of_captures_and_enrolments() -> None:
    others = {name: path for name, path in NAMES.items() if not name.startswith(("services.state", "models"))}
    # Other tables have columns with these names, too, such as a photo's employee.
    shared = {"id", "number", "name", "employee_id", "photo_id", "terminal_id", "created_at", "request_id"}
    columns = {column.key for table in (Capture, Enrolment) for column in table.__table__.columns} - shared

    wrong = []
    for place, path in others.items():
        if room_of(place) in {"simulator", "isapi"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tables = [(line, table) for line, table in written_tables(tree) if table in {"Capture", "Enrolment"}]
        if place not in WRITES_DRAFTS:
            wrong += [f"{place}:{line} writes {table}" for line, table in tables]
        wrong += [f"{place}:{line} assigns {name}" for line, name in assigned_attributes(tree) if name in columns]

    assert wrong == []


def test_every_service_has_its_test_file_or_a_reason() -> None:
    services, tests = PACKAGE / "services", TESTS / "services"
    found = [path.relative_to(services) for path in sorted(services.rglob("[!_]*.py"))]
    alone = {str(path.with_suffix("")) for path in found if not (tests / path.parent / f"test_{path.name}").exists()}

    assert alone == set(TESTED_ELSEWHERE)
    for module, reason in TESTED_ELSEWHERE.items():
        assert reason, module
        assert all((TESTS / path).exists() for path in re.findall(r"tests/(\S+\.py)", reason)), module
