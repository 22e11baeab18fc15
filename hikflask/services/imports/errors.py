"""What is refused of an import, each with a code (see services/core/errors.py)."""

from hikflask.services.core.errors import ServiceError


class ImportUnknown(ServiceError):
    """There is no such import, or not any more."""

    code = "import_unknown"


class NothingUploaded(ServiceError):
    """Neither a table nor an archive of photos was given."""

    code = "nothing_uploaded"
    fields = ("file",)


class PhotosFileTooLarge(ServiceError):
    """The archive has more bytes than are accepted (params: n megabytes)."""

    code = "photos_file_too_large"
    fields = ("photos",)


class ColumnsMissing(ServiceError):
    """A field that is needed has no column (params: field). `fields` names it."""

    code = "column_missing"

    def __init__(self, field: str) -> None:
        super().__init__()
        self.fields = (field,)


class ColumnTwice(ServiceError):
    """Two fields have the same column, or a name has its column and those of its parts. `fields` names the second."""

    code = "column_twice"

    def __init__(self, field: str) -> None:
        super().__init__()
        self.fields = (field,)


class ColumnUnknown(ServiceError):
    """The table has no such field or column. `fields` names the field."""

    code = "column_unknown"

    def __init__(self, field: str) -> None:
        super().__init__()
        self.fields = (field,)


class ImportChecked(ServiceError):
    """The import is being checked or was checked already, so its columns are fixed."""

    code = "import_checked"


class ImportNotChecked(ServiceError):
    """The import was not checked yet, so nobody knows what it would do."""

    code = "import_not_checked"


class ImportStarted(ServiceError):
    """This was started already (params: job)."""

    code = "import_started"


class NothingToUndo(ServiceError):
    """Nothing of the import is done, or all is undone already."""

    code = "nothing_to_undo"


class ImportFileGone(ServiceError):
    """The stored file was removed, since too much time had passed."""

    code = "import_file_gone"


class ImportTooLarge(ServiceError):
    """The rows of the import would take more of the database than those of its files may (params: n megabytes)."""

    code = "import_too_large"
    fields = ("file",)


class RowGone(ServiceError):
    """The row of the import is gone: the data of its person was erased."""

    code = "import_row_gone"


class PhotoChanged(ServiceError):
    """The picture in the archive is not the one that was looked at."""

    code = "import_photo_gone"


class FaceStays(ServiceError):
    """The imported photo is on a terminal, and there was none before, so only a removal takes it off (params: t)."""

    code = "face_stays"
