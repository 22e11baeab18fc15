"""What each app of a test would compile anew, compiled once in a process: templates, rules of addresses, statements."""

from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import Engine
from werkzeug.routing import Rule

BUILDERS = ("_build", "_build_unknown")
COMPILED = ("_parts", "_trace", "_converters", *BUILDERS)


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
    """Let Werkzeug keep what it compiles of a rule, which depends on the rule's own words alone.

    This was nine tenths of the time in which an app, and two thirds of that in which a simulated terminal is made.
    """
    compiled: dict[Any, dict[str, Any]] = {}
    compile_rule = Rule.compile

    def from_memory(rule: Rule) -> None:
        words = (rule.rule, rule.host, rule.subdomain, rule.is_leaf, rule.websocket, repr(rule.defaults))
        converters = tuple(rule.map.converters.values()) if rule.map else ()
        key = (*words, rule.merge_slashes, rule.strict_slashes, converters)
        if key not in compiled:
            compile_rule(rule)
            compiled[key] = {name: getattr(rule, name) for name in COMPILED} | {"arguments": set(rule.arguments)}
        for name, value in compiled[key].items():
            # The two functions that build an address are methods of the rule.
            setattr(rule, name, value.__func__.__get__(rule) if name in BUILDERS else value)

    Rule.compile = from_memory  # type: ignore[method-assign]


def compile_statements_once() -> None:
    """Let all engines of one kind share their compiled statements, and the dialect for which these were compiled."""
    dialects: dict[str, Dialect] = {}
    compiled: dict[Any, Any] = {}

    def share(connection: Connection) -> None:
        connection.dialect = dialects.setdefault(connection.dialect.name, connection.dialect)
        connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "engine_connect", share)
