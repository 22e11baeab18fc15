"""Keeps under a name which column has which field and how cells are read, for the next table with the same heads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Delete, Update, insert, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.models import ImportMapping
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, transactional
from hikflask.services.core.errors import LostRace, ServiceError
from hikflask.services.imports.table.options import Options
from hikflask.text_rules import folded

# A head, and how many columns before have the same one.
Head = tuple[str, int]


@dataclass(frozen=True)
class Fitted:
    """A mapping as it applies to a table; `is_same`: both have the same heads, in whatever order."""

    id: int
    name: str
    fields: dict[str, int]
    options: Options
    is_same: bool


def list_all() -> list[ImportMapping]:
    """Return the mappings by name."""
    by_name = select(ImportMapping).order_by(ImportMapping.name)
    return list(db.session.execute(by_name, execution_options={"populate_existing": True}).scalars())


def fitting(heads: Sequence[str]) -> list[Fitted]:
    """Return the mappings that apply to a table: it has all columns that they use. Those with the same heads are first.

    :param heads: the names of the table's columns.
    """
    fitted = [
        mapping for mapping in (_fitted(mapping, heads) for mapping in list_all()) if not isinstance(mapping, str)
    ]
    return sorted(fitted, key=lambda mapping: not mapping.is_same)


def fit(name: str, heads: Sequence[str]) -> Fitted:
    """Return a mapping as it applies to a table.

    :raises mapping_unknown: :raises mapping_unfit: when the table has not all of its columns.
    """
    mapping = db.session.execute(select(ImportMapping).where(ImportMapping.name == name)).scalar()
    if mapping is None:
        raise ServiceError("mapping_unknown")
    fitted = _fitted(mapping, heads)
    if isinstance(fitted, str):
        raise ServiceError("mapping_unfit", columns=fitted)
    return fitted


@transactional
def save(name: str, heads: Sequence[str], fields: Mapping[str, int], options: Options) -> None:
    """Keep a mapping; one that has the name is replaced.

    :raises mapping_known: when somebody else keeps one of this name at this moment. :raises LostRace: or deletes it.
    """
    mapping_id = db.session.execute(select(ImportMapping.id).where(ImportMapping.name == name)).scalar()
    kept = {
        **{"columns": list(heads), "fields": dict(fields), "options": options.as_json},
        **{"saved_by": audit.current_actor().name[:128], "saved_at": database_now()},
    }
    try:
        if mapping_id is None:
            db.session.execute(insert(ImportMapping).values(name=name, **kept))
        else:
            _change(update(ImportMapping).where(ImportMapping.id == mapping_id).values(**kept))
    except IntegrityError as error:
        raise ServiceError("mapping_known", fields=("mapping_name",)) from error
    audit.record("import_mapping.saved", subject=name)


@transactional
def rename(mapping_id: int, name: str) -> None:
    """Give a mapping another name.

    :raises mapping_unknown: :raises mapping_known: when another one has the name.
    """
    mapping = _row(mapping_id)
    namesake = select(ImportMapping.id).where(ImportMapping.name == name, ImportMapping.id != mapping_id)
    if db.session.execute(namesake).first():
        raise ServiceError("mapping_known")
    before = mapping.name
    _change(update(ImportMapping).where(ImportMapping.id == mapping_id, ImportMapping.name == before).values(name=name))
    audit.record("import_mapping.renamed", subject=before, before={"name": before}, after={"name": name})


@transactional
def delete(mapping_id: int) -> None:
    """Delete a mapping.

    :raises mapping_unknown:
    """
    name = _row(mapping_id).name
    _change(delete_from(ImportMapping).where(ImportMapping.id == mapping_id, ImportMapping.name == name))
    audit.record("import_mapping.deleted", subject=name)


def _change(statement: Update | Delete) -> None:
    """Change or delete the mapping that was just read.

    :raises LostRace: when somebody else did either meanwhile.
    """
    if not changed_rows(statement):
        raise LostRace


def _row(mapping_id: int) -> ImportMapping:
    mapping = db.session.get(ImportMapping, mapping_id, populate_existing=True)
    if mapping is None:
        raise ServiceError("mapping_unknown")
    return mapping


def _fitted(mapping: ImportMapping, heads: Sequence[str]) -> Fitted | str:
    """Return a mapping as it applies to a table, or the names of its columns that the table has not."""
    kept, there = _heads(mapping.columns), _heads(heads)
    options = Options.from_json(mapping.options)
    missing = [mapping.columns[index] for index in mapping.fields.values() if kept[index] not in there]
    if missing:
        return ", ".join(f"“{column}”" for column in missing)
    unused = (kept[index] for index in options.unused_days if kept[index] in there)
    return Fitted(
        mapping.id,
        mapping.name,
        {field: there.index(kept[index]) for field, index in mapping.fields.items()},
        replace(options, unused_days=tuple(there.index(head) for head in unused)),
        set(kept) == set(there),
    )


def _heads(columns: Sequence[str]) -> list[Head]:
    """Return the heads without case and spaces at their ends, each with how many before it are the same."""
    before: Counter[str] = Counter()
    heads = []
    for column in columns:
        head = " ".join(folded(column).split())
        heads.append((head, before[head]))
        before[head] += 1
    return heads
