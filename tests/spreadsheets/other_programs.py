"""The same three people in files as other programs write them; README.md tells where the names of columns are from."""

from tests.spreadsheets.workbooks import number, packed, parts, row, shared, sheet, text

PEOPLE = [
    ("100222", "Иванов Иван Иванович", "Цех 1"),
    ("100223", "Петрова Анна Сергеевна", "Отдел кадров; склад, №2"),
    ("100224", 'Ёлкин Пётр "Младший"', ""),
]
# Excel's number for 1 March 2026.
LEFT_ON = "46082"


def files() -> dict[str, bytes]:
    """Return the content of each file by its name."""
    return {
        "1С, список сотрудников.csv": one_c(),
        "1С, отчёт.xlsx": one_c_report(),
        "Excel, русский.csv": excel_russian(),
        "Excel, русский.xlsx": excel(),
        "Excel, текст Юникод.txt": excel_unicode_text(),
        "Excel, английский.csv": excel_english(),
        "LibreOffice.csv": libre_office(),
        "LibreOffice.xlsx": libre_office_workbook(),
        "Google Sheets.csv": google_sheets(),
        "Google Sheets.xlsx": google_sheets_workbook(),
        "iVMS-4200, шаблон.xlsx": ivms_template(),
        "iVMS-4200, шаблон.csv": ivms_template_csv(),
        "iVMS-4200, выгрузка.csv": ivms_export(),
    }


def one_c() -> bytes:
    """Semicolons, Windows-1251, a row for the title, quotes where they are needed, a date where somebody left."""
    return (
        "Список сотрудников ООО «Ромашка» на 01.11.2026;;;;\r\n"
        ";;;;\r\n"
        "Табельный номер;ФИО;Должность;Подразделение;Дата увольнения\r\n"
        "100222;Иванов Иван Иванович;Слесарь;Цех 1;\r\n"
        '100223;Петрова Анна Сергеевна;Инспектор;"Отдел кадров; склад, №2";  .  .    \r\n'
        '100224;"Ёлкин Пётр ""Младший""";Грузчик;;01.03.2026\r\n'
    ).encode("cp1251")


def one_c_report() -> bytes:
    """A report saved as XLSX: title and parameters above, and a part whose name is written in two ways."""
    cells = [
        row(1, shared("A1", 0)),
        row(2, text("A2", "Период: 01.11.2026"), text("C2", "Отбор: нет")),
        row(4, text("A4", "№ п/п"), text("B4", "Сотрудник"), text("C4", "Таб. №"), text("D4", "Подразделение")),
    ]
    for at, (code, name, department) in enumerate(PEOPLE, 1):
        line = at + 4
        cells.append(
            row(
                line,
                number(f"A{line}", str(at)),
                text(f"B{line}", name),
                text(f"C{line}", code),
                text(f"D{line}", department),
            )
        )
    files = parts({"TDSheet": sheet("".join(cells))}, ("Сотрудники организации",))
    # The list of parts calls it sharedStrings.xml all the same.
    files["xl/SharedStrings.xml"] = files.pop("xl/sharedStrings.xml")
    return packed(files)


def excel_russian() -> bytes:
    """ "CSV (разделители - запятые)": in Russia it has semicolons and Windows-1251."""
    return (
        "ID сотрудника;ФИО;Отдел\r\n"
        "100222;Иванов Иван Иванович;Цех 1\r\n"
        '100223;Петрова Анна Сергеевна;"Отдел кадров; склад, №2"\r\n'
        '100224;"Ёлкин Пётр ""Младший""";\r\n'
    ).encode("cp1251")


def excel_unicode_text() -> bytes:
    """ "Текст Юникод": UTF-16 with a byte order mark, and tabs."""
    return (
        "ID сотрудника\tФИО\tОтдел\r\n"
        "100222\tИванов Иван Иванович\tЦех 1\r\n"
        "100223\tПетрова Анна Сергеевна\tОтдел кадров; склад, №2\r\n"
        '100224\t"Ёлкин Пётр ""Младший"""\t\r\n'
    ).encode("utf-16")


def excel_english() -> bytes:
    """ "CSV UTF-8 (Comma delimited)": a byte order mark."""
    return (
        "Employee ID,Full Name,Department,Termination Date\r\n"
        "100222,Иванов Иван Иванович,Цех 1,\r\n"
        '100223,Петрова Анна Сергеевна,"Отдел кадров; склад, №2",\r\n'
        '100224,"Ёлкин Пётр ""Младший""",,3/1/2026\r\n'
    ).encode("utf-8-sig")


def excel() -> bytes:
    """Numbers as numbers, collected texts, empty cells with a style, a day as the number of days since 1900."""
    heads = ("Табельный номер", "ФИО", "Подразделение", "Дата увольнения")
    texts = [*heads, *(cell for _, name, department in PEOPLE for cell in (name, department) if cell)]
    rows = [row(1, *(shared(f"{letter}1", at) for at, letter in enumerate("ABCD")))]
    for line, (code, name, department) in enumerate(PEOPLE, 2):
        there = shared(f"C{line}", texts.index(department)) if department else f'<c r="C{line}" s="1"/>'
        left = number(f"D{line}", LEFT_ON, 1) if code == "100224" else f'<c r="D{line}" s="1"/>'
        rows.append(row(line, number(f"A{line}", code), shared(f"B{line}", texts.index(name)), there, left))
    empty = sheet("", "A1")
    return packed(parts({"Лист1": sheet("".join(rows), "A1:D4"), "Лист2": empty, "Лист3": empty}, tuple(texts)))


def libre_office() -> bytes:
    """UTF-8 without a mark, commas, each text in quotes, lines that end as on Linux."""
    return (
        '"Таб. №","Фамилия","Имя","Отчество","Отдел"\n'
        '100222,"Иванов","Иван","Иванович","Цех 1"\n'
        '100223,"Петрова","Анна","Сергеевна","Отдел кадров; склад, №2"\n'
        '100224,"Ёлкин","Пётр","""Младший""",\n'
    ).encode()


def libre_office_workbook() -> bytes:
    """Numbers with their decimals, a size of the sheet that has its empty columns, rows of formats at the end."""
    rows = [row(1, text("A1", "Код"), text("B1", "ФИО"), text("C1", "Отдел"))]
    for line, (code, name, department) in enumerate(PEOPLE, 2):
        rows.append(row(line, number(f"A{line}", f"{code}.0"), text(f"B{line}", name), text(f"C{line}", department)))
    rows.append('<row r="1048576"><c r="A1048576" s="1"/></row>')
    return packed(parts({"Лист1": sheet("".join(rows), "A1:AMJ1048576")}))


def google_sheets() -> bytes:
    """UTF-8 without a mark, commas, quotes where they are needed, no line end after the last row."""
    return (
        "Сотрудник,ID,Отдел\r\n"
        "Иванов Иван Иванович,100222,Цех 1\r\n"
        'Петрова Анна Сергеевна,100223,"Отдел кадров; склад, №2"\r\n'
        '"Ёлкин Пётр ""Младший""",100224,'
    ).encode()


def google_sheets_workbook() -> bytes:
    """No size of the sheet, numbers as 100222.0, empty rows up to its thousandth."""
    texts = ["Full name", "Person ID", "Department", *(cell for _, *rest in PEOPLE for cell in rest if cell)]
    rows = [row(1, *(shared(f"{letter}1", at) for at, letter in enumerate("ABC")))]
    for line, (code, name, department) in enumerate(PEOPLE, 2):
        there = [shared(f"C{line}", texts.index(department))] if department else []
        rows.append(row(line, shared(f"A{line}", texts.index(name)), number(f"B{line}", f"{code}.0"), *there))
    rows += [row(line) for line in range(5, 1001)]
    return packed(parts({"Лист1": sheet("".join(rows))}, tuple(texts)))


IVMS_RULES = (
    "Rules: 1. Items with asterisk are required.",
    "2. If a person has several cards, separate the card No. with semicolon.",
    "3. Gender: 1 male, 2 female. Date format: YYYY/MM/DD.",
)
IVMS_HEAD = ("*Person ID", "*Organization", "*Person Name", "*Gender", "Contact", "Email", "Card No.", "Hire Date")


def ivms_template() -> bytes:
    """Rules above, names with an asterisk for what is required, everything as text."""
    rows = [row(line, text(f"A{line}", rule)) for line, rule in enumerate(IVMS_RULES, 1)]
    rows.append(row(4, *(text(f"{letter}4", head) for letter, head in zip("ABCDEFGH", IVMS_HEAD, strict=True))))
    for line, (code, name, department) in enumerate(PEOPLE, 5):
        cells = (code, department, name, "1")
        rows.append(row(line, *(text(f"{letter}{line}", cell) for letter, cell in zip("ABCD", cells, strict=True))))
    return packed(parts({"Person Information": sheet("".join(rows), "A1:H7")}))


def ivms_template_csv() -> bytes:
    """The same as CSV: UTF-8 with a mark, commas."""
    lines = [f'"{rule}"' for rule in IVMS_RULES] + [",".join(IVMS_HEAD)]
    quoted = [[cell.replace('"', '""') for cell in person] for person in PEOPLE]
    lines += [f'{code},"{department}","{name}",1,,,,' for code, name, department in quoted]
    return "\r\n".join(lines).encode("utf-8-sig")


def ivms_export() -> bytes:
    """A report of attendance: a title above, and an apostrophe before the ID so that Excel keeps it a text."""
    lines = ["Attendance Records", "Exported: 2026-11-26 10:00:00", "Person ID;Name;Department;Time;Check Point"]
    quoted = [[cell.replace('"', '""') for cell in person] for person in PEOPLE]
    lines += [f'\'{code};"{name}";"{department}";2026-11-25 08:58:11;Вход' for code, name, department in quoted]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")
