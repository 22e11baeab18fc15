"""What each app of a test would compile anew, compiled once in a process: templates, rules of addresses, statements."""

from collections.abc import Callable
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import Engine
from werkzeug.routing import Rule


class CompiledTemplates(BytecodeCache):
    """The code of templates in memory, shared by all apps of a run."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take a template's code, if it was compiled before."""
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        self._code[bucket.key] = bucket.bytecode_to_string()


def compile_rules_once() -> None:
    """Let Werkzeug keep the function that it compiles to build a rule's address; it depends on the rule's text alone.

    This was four fifths of the time in which an app, and two thirds of that in which a simulated terminal is made.
    """
    compiled: dict[Any, Callable[..., Any]] = {}
    compile_builder = Rule._compile_builder

    def from_memory(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = from_memory  # type: ignore[method-assign]


def compile_statements_once() -> None:
    """Let all engines of one kind share their compiled statements, and the dialect for which these were compiled."""
    dialects: dict[str, Dialect] = {}
    compiled: dict[Any, Any] = {}

    def share(connection: Connection) -> None:
        connection.dialect = dialects.setdefault(connection.dialect.name, connection.dialect)
        connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "engine_connect", share)
