"""The refusal of an import that is handled by its class."""

from hikflask.services.core.errors import ServiceError


class ColumnsMissing(ServiceError):
    """A field that is needed has no column. `fields` names it."""

    code = "column_missing"
