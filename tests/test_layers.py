"""Nothing imports against the arrow: the table of who may import whom, proven from the import statements."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "hikflask"

# Room → the rooms of ours that it may import. A room is a sub-package or a module of hikflask.
MAY_IMPORT = {
    "web": {"web", "access", "bearer", "config", "forms", "services", "jobs", "wording", "models", "extensions",
            "isapi.errors", "request_body", "characters", "terminal_budget"},
    "api": {"api", "access", "bearer", "forms", "services", "jobs", "wording", "models", "extensions", "isapi.errors",
            "request_body", "terminal_budget"},
    "cli": {"cli", "forms", "services", "jobs", "wording", "models", "extensions", "isapi.errors", "worker",
            "start", "config", "vault", "characters"},
    "start": {"services", "extensions", "config"},
    "access": {"models"},
    "bearer": {"services", "models"},
    "terminal_budget": {"services"},
    "worker": {"jobs", "services", "extensions"},
    "jobs": {"services", "extensions", "task_queue", "isapi.errors"},
    "services": {"services", "isapi", "models", "extensions", "vault", "characters"},
    "forms": {"forms", "characters"},
    "wording": {"characters"},
    "request_body": set(),
    "models": {"models", "extensions"},
    "extensions": {"task_queue", "terminal_clients", "vault"},
    "terminal_clients": {"isapi"},
    "task_queue": set(),
    "vault": {"key_file"},
    "config": {"key_file"},
    "key_file": set(),
    "logs": {"characters"},
    "characters": set(),
    "isapi": {"isapi"},
    "simulator": {"simulator"},
}  # fmt: skip
# Room → what it may import of others; only rooms with a rule are listed.
OUTSIDE = {
    "isapi": {"requests", "requests_toolbelt", "defusedxml"},
    "simulator": {"flask", "werkzeug", "PIL", "cryptography", "markupsafe"},
    "forms": {"flask_wtf", "wtforms", "flask_babel"},
}
# The services may know that there is an app, and nothing of a request.
FORBIDDEN_NAMES = {"services": {"request", "session", "g", "abort", "redirect"}}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, list[str]]]:
    """Return each imported module with the names taken from it."""
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.append((node.module or "", [alias.name for alias in node.names]))
    return found


def targets(module: str, names: list[str]) -> list[str]:
    """Return what of ours an import reaches, as rooms with the module inside: "isapi.errors"."""
    if module == "hikflask":
        return names
    return [module.removeprefix("hikflask.")] if module.startswith("hikflask.") else []


def allowed(room: str, target: str) -> bool:
    return any(target == may or target.startswith(f"{may}.") for may in MAY_IMPORT[room])


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    wrong = [
        target for module, names in imports(path) for target in targets(module, names) if not allowed(room, target)
    ]

    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_uses_only_the_libraries_of_its_room(path: Path) -> None:
    room = room_of(path)
    if room not in OUTSIDE:
        return
    outside = {module.partition(".")[0] for module, _ in imports(path)} - {"hikflask", "__future__"}

    assert {module for module in outside if not is_standard(module)} <= OUTSIDE[room]


def test_requests_is_imported_in_one_module() -> None:
    users = [path for path in modules() if any(module.partition(".")[0] == "requests" for module, _ in imports(path))]

    assert users == [PACKAGE / "isapi" / "client.py"]


@pytest.mark.parametrize("path", sorted((PACKAGE / "services").glob("*.py")), ids=lambda path: path.name)
def test_services_know_no_request(path: Path) -> None:
    names = {name for module, taken in imports(path) if module == "flask" for name in taken}

    assert not names & FORBIDDEN_NAMES["services"]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_imported_inside_a_function(path: Path) -> None:
    inside = [
        node
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]

    assert inside == []


def test_every_room_has_a_rule() -> None:
    assert {room_of(path) for path in modules()} == set(MAY_IMPORT)
