"""XLS files written record by record, as no library writes them: those of other programs, and broken ones.

[MS-XLS] says what the records are, [MS-CFB] how a file keeps streams.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

from hikflask.services.spreadsheets.reader import OLE

SECTOR, END, FREE, FAT = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
# Style 1 is a day, style 2 a number with six digits.
FORMATS = ("General", "DD.MM.YYYY", "000000")
# A text, a number with its style, a boolean, or an error of Excel; nothing.
Cell = str | tuple[float, int] | bool | bytes | None
NOT_AVAILABLE = b"\x2a"


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def text(value: str, length: str = "<H") -> bytes:
    return struct.pack(length, len(value)) + b"\1" + value.encode("utf-16-le")


def sheet(
    rows: Iterable[Sequence[Cell]],
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
) -> bytes:
    """The records of a sheet.

    :param merged: first and last row, first and last column, from 0.
    :param hidden: rows that are not shown, from 0.
    """
    out = [record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))]
    out += [record(0x208, struct.pack("<HHHHHHI", at, 0, 9, 255, 0, 0, 0x20)) for at in hidden]
    for line, cells in enumerate(rows):
        out += [_cell(line, column, cell) for column, cell in enumerate(cells) if cell is not None]
    ranges = b"".join(struct.pack("<HHHH", *one) for one in merged)
    return b"".join([*out, record(0xE5, struct.pack("<H", len(merged)) + ranges), record(0x0A)])


def _cell(line: int, column: int, cell: Cell) -> bytes:
    place = struct.pack("<HHH", line, column, 0)
    match cell:
        case str():
            return record(0x204, place + text(cell))
        case bool():
            return record(0x205, place + bytes([cell, 0]))
        case bytes():
            return record(0x205, place + cell + b"\1")
        case (value, style):
            return record(0x203, struct.pack("<HHHd", line, column, style, value))
    raise TypeError(cell)


def stream(
    sheets: Mapping[str, bytes], hidden: Sequence[str] = (), filtered: Sequence[int] = (), before: bytes = b""
) -> bytes:
    """The stream of a workbook, of the records of its sheets.

    :param filtered: places of sheets with a filter.
    :param before: records that come first.
    """
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + before + record(0x42, b"\xb0\4")
    fonts = record(0x31, struct.pack("<HHHHHBBBB", 200, 0, 0, 400, 0, 0, 0, 0, 0) + text("Arial", "<B")) * 5
    formats = b"".join(record(0x41E, struct.pack("<H", 164 + at) + text(one)) for at, one in enumerate(FORMATS))
    styles = b"".join(record(0xE0, struct.pack("<HHH", 0, 164 + at, 1) + bytes(14)) for at in range(len(FORMATS)))
    filters = b"".join(
        record(0x18, struct.pack("<HBBHHHBBBB", 0x21, 0, 1, 0, 0, at + 1, 0, 0, 0, 0) + b"\0\x0d") for at in filtered
    )
    names = [struct.pack("<BB", name in hidden, 0) + text(name, "<B") for name in sheets]
    offset = len(begin + fonts + formats + styles + filters) + sum(len(name) + 8 for name in names) + 4
    listed = []
    for name, content in zip(names, sheets.values(), strict=True):
        listed.append(record(0x85, struct.pack("<I", offset) + name))
        offset += len(content)
    return b"".join([begin, fonts, formats, styles, *listed, filters, record(0x0A), *sheets.values()])


def file(content: bytes, name: str = "Workbook") -> bytes:
    """A compound file with one stream."""
    # Shorter ones are kept elsewhere.
    content = content.ljust(4096, b"\0")
    sectors = -(-len(content) // SECTOR)
    tables = -(-(sectors + 2) // 127)
    chain = [*range(tables + 2, tables + 1 + sectors), END]
    fat = [FAT] * tables + [END] + chain
    header = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIII", tables, tables, 0, 4096, END, 0, END, 0)
    header += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    folder = _entry("Root Entry", 5, END, 0, 1) + _entry(name, 2, tables + 1, len(content))
    allocation = struct.pack(f"<{len(fat)}I", *fat).ljust(tables * SECTOR, b"\xff")
    return header + allocation + folder.ljust(SECTOR, b"\0") + content.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, kind: int, first: int, size: int, child: int = FREE) -> bytes:
    letters = name.encode("utf-16-le").ljust(64, b"\0")
    return letters + struct.pack("<HBBIII36xIII", 2 * len(name) + 2, kind, 1, FREE, FREE, child, first, size, 0)


def workbook(*rows: Sequence[Cell]) -> bytes:
    """A file with one sheet."""
    return file(stream({"Лист1": sheet(rows)}))
