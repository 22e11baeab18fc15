"""How much space is left on a disk, in words."""

from flask_babel import format_decimal
from flask_babel import gettext as _

from hikflask.config import MEGABYTE
from hikflask.disk_space import Disk


def free_label(disk: Disk) -> str:
    """Return a folder, and how many megabytes are free where it is."""
    free, size = (format_decimal(count // MEGABYTE) for count in (disk.free, disk.size))
    return str(_("%(path)s: %(free)s MB of %(size)s MB are free.", path=disk.folder, free=free, size=size))
