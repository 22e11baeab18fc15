"""The same three people in files as other programs write them; README.md tells where the names of columns are from."""

from dataclasses import dataclass
from html import escape

from tests.spreadsheets import ods, xls, xml_2003
from tests.spreadsheets.workbooks import STYLES, number, packed, parts, row, shared, sheet, text


@dataclass(frozen=True)
class Person:
    """Somebody as an import leaves the person here; days are YYYY-MM-DD, or empty where there is no limit."""

    number: str
    name: str
    department: str
    valid_from: str = ""
    valid_to: str = ""
    works_here: bool = True


PEOPLE = [
    ("100222", "Иванов Иван Иванович", "Цех 1"),
    ("100223", "Петрова Анна Сергеевна", "Отдел кадров; склад, №2"),
    ("100224", 'Ёлкин Пётр "Младший"', ""),
]
# Excel's number for 1 March 2026, and for 31 December 2035.
LEFT_ON, VALID_TO = "46082", "49674"


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
        "iVMS-4200, люди.csv": ivms_people(),
        "1С, отчёт с группами.xlsx": one_c_grouped_report(),
        "1С, отчёт с группами.csv": one_c_grouped_report_csv(),
        "HikCentral, шаблон.xlsx": hik_central_template(),
        "HikCentral, прежний шаблон.xlsx": hik_central_former_template(),
        "HikCentral, по-русски.xlsx": hik_central_in_russian(),
        "1С, заголовок в две строки.xlsx": one_c_head_of_two_rows(),
        "ZKAccess.csv": zk_access(),
        "BioTime.xlsx": bio_time(),
        "BioStar 2.csv": bio_star(),
        "Sigur, импорт.xlsx": sigur(),
        "Sigur, список.csv": sigur_list(),
        "1С, отчёт.xls": one_c_old_report(),
        "Excel 97-2003.xls": old_excel(),
        "LibreOffice.ods": libre_office_document(),
        "Excel, таблица XML 2003.xls": excel_xml(),
        "Веб-программа.xls": web_program(),
        "Excel, оформленный.xlsx": dressed_excel(),
        **{name: "\r\n".join(lines).encode() for name, lines in LISTS.items()},
    }


def people_of(name: str) -> list[Person]:
    """Return the people that an import of a file leaves here."""
    return _PEOPLE.get(name) or [Person(*person) for person in PEOPLE]


# Lists of one person, by the heads that their programs give; days of no interest are among the columns.
LISTS = {
    "1С, состояния.csv": ("Таб. номер;ФИО;Прием Дата приема;Состояние", "0012;Иванов Иван;01.02.2020;Отпуск"),
    "Bitrix24.csv": (
        "ID;Имя;Фамилия;Подразделения;Дата регистрации;Дата последней авторизации",
        "0012;Иван;Иванов;Цех 1;01.02.2020;01.11.2026",
    ),
    "Google Workspace.csv": (
        "First Name [Required],Last Name [Required],Email Address [Required],Employee ID,Department,"
        "Status [READ ONLY],Last Sign In [READ ONLY]",
        "Иван,Иванов,ivan@example.org,0012,Цех 1,Active,2026/11/01 10:00:00",
    ),
    "Entra.csv": (
        "userPrincipalName,displayName,surname,givenName,employeeId,department,accountEnabled,createdDateTime,"
        "employeeHireDate",
        "ivan@example.org,Иван,Иванов,Иван,0012,Цех 1,True,2020-02-01T10:00:00Z,2020-02-01",
    ),
    "Odoo.csv": (
        "Employee Name,Employee Reference,Department,Contract Start Date,Created on",
        "Иванов Иван,0012,Цех 1,2020-02-01,2020-02-01",
    ),
    "frappe.csv": (
        "ID,Employee Number,Full Name,Status,Department,Date of Joining,Relieving Date,Contract Date",
        "HR-EMP-00001,0012,Иванов Иван,Active,Цех 1,2020-02-01,,2027-02-01",
    ),
    "SAP ALV.txt": ("|Pers.No.|Employee/app.name|Org. unit|", "|0012|Иванов Иван|Цех 1|"),
    "frappe, блок заголовков.csv": (
        "Data Import Template",
        "Table:,Employee",
        '""',
        '""',
        "Notes:",
        "Please do not change the template headings.",
        "First data column must be blank.",
        '""',
        "DocType:,Employee,,,,,,~,Employee Education,education",
        "Column Labels:,ID,Full Name,Employee Number,Status,Department,Contract End Date,,ID,School/University",
        "Column Name:,name,employee_name,employee_number,status,department,contract_end_date,~,name,school_univ",
        "Mandatory:,Yes,Yes,No,Yes,No,No,,Yes,No",
        "Type:,Data,Data,Data,Select,Link,Date,,Data,Small Text",
        'Info:,,,,"One of: Active, Left",Valid Department,dd-mm-yyyy,,,',
        "Start entering data below this line",
        ',"""HR-EMP-00001""",Иванов Иван,0012,Active,Цех 1,01-02-2027,,"""abc""",МГУ',
        ',,,,,,,,"""abd""",ВШЭ',
    ),
    "frappe, блок по-русски.csv": (
        "Шаблон импорта данных",
        "Таблица:,Employee",
        "DocType:,Employee,,",
        "Метки столбцов:,ID,Полное имя,Номер сотрудника,Отдел,Дата приёма",
        "Имя столбца:,name,employee_name,employee_number,department,date_of_joining",
        "Обязательный:,Yes,No,No,No,Yes",
        "Тип:,Data,Data,Data,Link,Date",
        "Информация:",
        "Начните вводить данные ниже этой строки",
        ",HR-EMP-00001,Иванов Иван,0012,Цех 1,2020-02-01",
    ),
    "1С, заголовок в две строки.csv": (
        "Сотрудник;Таб. №;Прием;;Увольнение;;Подразделение",
        ";;Дата приема;Приказ;Дата увольнения;Приказ;",
        "Иванов Иван;0012;01.02.2020;П-1;;;Цех 1",
    ),
    "Чужие даты.csv": (
        "ID;ФИО;Отдел;Окончание договора;Срок договора;Трудовой договор (по);Испытание до;Срок действия (договора);"
        "Родился;Когда принят;Создано;Contract End Date;Probation end;Date of creation",
        "0012;Иванов Иван;Цех 1" + ";31.12.2027" * 11,
    ),
    "BambooHR.csv": (
        "Employee #,Last name,First name,Hire Date,Department",
        "0012,Иванов,Иван,2020-02-01,Цех 1",
    ),
    "BambooHR, имя целиком.csv": ('Employee #,"Last name, First name",Department', '0012,"Иванов, Иван",Цех 1'),
    "RusGuard.csv": ("Фамилия;Имя;Табельный номер;Группа;Номер карты", "Иванов;Иван;0012;Цех 1;123"),
    "Sigur, отделы.csv": ("ФИО;Таб. №;Отдел", "Иванов Иван;0012;Завод\\Цех 1"),
    "iVMS-4200, организация.csv": ("Person ID,Person Name,Organization", "0012,Иванов Иван,Default Organization/Цех 1"),
    "BioTime, люди.csv": ("Emp Code,First Name,Last Name,Department,Hired Date", "0012,Иван,Иванов,Цех 1,2020-02-01"),
    "ZKBio.csv": ("Personnel ID,First Name,Last Name,Department Name,Birthday", "0012,Иван,Иванов,Цех 1,1990-02-01"),
    "O‘zbekcha.csv": ("Tabel raqami;Familiya;Ism;Boʻlim;Tug'ilgan sana", "0012;Иванов;Иван;Цех 1;01.02.1990"),
    "Қазақша.csv": ("Табельдік нөмірі;Тегі;Аты;Бөлім;Туған күні", "0012;Иванов;Иван;Цех 1;01.02.1990"),
}
LEFT = [*(Person(*person) for person in PEOPLE[:2]), Person(*PEOPLE[2], works_here=False)]
# Names of departments without what the tree above them adds; the third person is in none.
IN_A_TREE = [
    Person("00011", "Иванов Иван Иванович", "Смена Б", "2026-01-01", "2035-01-01"),
    Person("00012", "Петрова Анна Сергеевна", "Отдел кадров", "2026-01-01", "2035-01-01"),
    Person("A7", "Ёлкин Пётр", "", "2026-01-01", "2030-06-30"),
]
IN_DEPARTMENTS = [
    Person("000012", "Иванов Иван Иванович", "Цех 1"),
    Person("000013", "Ёлкин Пётр", "Цех 1"),
    Person("000014", "Петрова Анна Сергеевна", "Отдел кадров"),
]
_PEOPLE = {
    **{name: [Person("0012", "Иванов Иван", "Цех 1")] for name in LISTS},
    "1С, состояния.csv": [Person("0012", "Иванов Иван", "")],
    "1С, список сотрудников.csv": LEFT,
    "Excel, английский.csv": LEFT,
    "Excel, русский.xlsx": LEFT,
    "Excel 97-2003.xls": LEFT,
    "Excel, оформленный.xlsx": [
        Person("00012", "Иванов Иван Иванович", "Цех 1", valid_to="2027-12-31"),
        Person("00013", "Ёлкин Пётр", "Цех 1", valid_to="2027-12-31"),
        Person("00014", "Петрова Анна", "Отдел кадров"),
    ],
    "Excel, таблица XML 2003.xls": LEFT,
    "Google Sheets.csv": [Person(*person, valid_to="2035-12-31") for person in PEOPLE],
    "Google Sheets.xlsx": [Person(*person, valid_to="2035-12-31") for person in PEOPLE],
    "iVMS-4200, люди.csv": IN_A_TREE,
    "1С, отчёт с группами.xlsx": IN_DEPARTMENTS,
    "1С, отчёт с группами.csv": IN_DEPARTMENTS,
    "HikCentral, шаблон.xlsx": IN_A_TREE,
    "HikCentral, прежний шаблон.xlsx": IN_A_TREE,
    "HikCentral, по-русски.xlsx": IN_A_TREE,
    "1С, заголовок в две строки.xlsx": [Person("0012", "Иванов Иван", "Цех 1")],
    "ZKAccess.csv": [
        Person("000000012", "Иванов Иван", "Цех 1"),
        Person("000000013", "Петрова Анна", "Отдел кадров"),
    ],
    "BioTime.xlsx": [
        Person("12", "Иванов Иван", "Цех 1"),
        Person("13", "Петрова Анна", "Отдел кадров"),
    ],
    "BioStar 2.csv": [
        Person("12", "Иванов Иван Иванович", "Цех 1", "2001-01-01", "2030-12-31"),
        Person("13", "Петрова Анна Сергеевна", "Отдел кадров", "2026-01-01", "2036-08-26"),
    ],
    "Sigur, импорт.xlsx": [
        Person("0012", "Иванов Иван Иванович", "Цех 1", "2026-01-01", "2030-12-31"),
        Person("0013", "Петрова Анна Сергеевна", "Отдел кадров"),
    ],
    "Sigur, список.csv": [
        Person("0012", "Иванов Иван Иванович", "Цех 1", "", "2030-12-31"),
        Person("0013", "Петрова Анна Сергеевна", "Отдел кадров"),
    ],
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
        "Сотрудник,ID,Отдел,Пропуск до\r\n"
        "Иванов Иван Иванович,100222,Цех 1,31.12.2035\r\n"
        'Петрова Анна Сергеевна,100223,"Отдел кадров; склад, №2",31.12.2035\r\n'
        '"Ёлкин Пётр ""Младший""",100224,,31.12.2035'
    ).encode()


def google_sheets_workbook() -> bytes:
    """No size of the sheet, numbers as 100222.0, empty rows up to its thousandth."""
    heads = ("Full name", "Person ID", "Department", "Valid until")
    texts = [*heads, *(cell for _, *rest in PEOPLE for cell in rest if cell)]
    rows = [row(1, *(shared(f"{letter}1", at) for at, letter in enumerate("ABCD")))]
    for line, (code, name, department) in enumerate(PEOPLE, 2):
        there = [shared(f"C{line}", texts.index(department))] if department else []
        cells = (shared(f"A{line}", texts.index(name)), number(f"B{line}", f"{code}.0"), *there)
        rows.append(row(line, *cells, number(f"D{line}", f"{VALID_TO}.0", 1)))
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


IVMS_NOTES = (
    "# 1. Fields with an asterisk are required, and a person is known by the ID.",
    '"# 2. Separate organizations by a slash, for example: All Departments/Workshop."',
    '"# 3. Gender: 1 male, 2 female. Time: yyyy/mm/dd hh:mm:ss."',
)


def ivms_people() -> bytes:
    """Rules that begin with #, IDs with an apostrophe so that Excel keeps their zeros, and the times of a validity."""
    lines = [
        *IVMS_NOTES,
        "*Person ID,*Organization,*Person Name,*Gender,Contact,Email,Effective Time,Expiry Time,Card No.,Room No.",
        "'00011,All Departments/Цех 1/Смена Б,Иванов Иван Иванович,1,,,2026/01/01 00:00:00,2035/01/01 23:59:59,,",
        "'00012,All Departments/Отдел кадров,Петрова Анна Сергеевна,2,,,2026/01/01 00:00:00,2035/01/01 23:59:59,,",
        "'A7,All Departments,Ёлкин Пётр,1,,,2026/01/01 00:00:00,2030/06/30 23:59:59,,",
    ]
    return "\r\n".join(lines).encode("utf-8-sig")


def filled(rows: list[tuple[str, ...]]) -> str:
    """The XML of rows of texts, from the first one of the sheet on; empty cells have none."""
    return "".join(
        row(line, *(text(f"{chr(ord('A') + at)}{line}", cell) for at, cell in enumerate(cells) if cell))
        for line, cells in enumerate(rows, 1)
    )


def one_c_grouped_report() -> bytes:
    """Titles, a header of two rows, departments within an organization in rows of their own, totals, merged cells."""
    rows: list[tuple[str, ...]] = [
        ("Штатные сотрудники",),
        ("Параметры:", "", "Дата отчёта: 01.11.2026"),
        ("",),
        ("Подразделение", "Таб. №", "Должность", "Дата приема", "Количество ставок"),
        ("Сотрудник",),
        ("ООО «Ромашка»", "", "", "", "3"),
        ("Цех 1", "", "", "", "2"),
        ("Иванов Иван Иванович", "000012", "Слесарь", "01.02.2020", "1"),
        ("Ёлкин Пётр", "000013", "Слесарь", "01.02.2021", "1"),
        ("Отдел кадров", "", "", "", "1"),
        ("Петрова Анна Сергеевна", "000014", "Инспектор", "01.02.2022", "1"),
        ("Итого", "", "", "", "3"),
    ]
    merged = ("A1:E1", "B4:B5", "C4:C5", "D4:D5", "E4:E5")
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in merged)
    whole = sheet(filled(rows)).replace("</sheetData>", f"</sheetData><mergeCells>{cells}</mergeCells>")
    return packed(parts({"TDSheet": whole}))


def one_c_grouped_report_csv() -> bytes:
    """The same report saved as a text: the group's name where the people's names are, totals of each group."""
    return (
        "Список сотрудников;;;\r\n"
        "Сотрудник;Табельный номер;Должность;Дата приема\r\n"
        "Цех 1;;;\r\n"
        "Иванов Иван Иванович;000012;Слесарь;01.02.2020\r\n"
        "Ёлкин Пётр;000013;Слесарь;01.02.2021\r\n"
        "Всего по подразделению Цех 1: 2;;;\r\n"
        "Отдел кадров;;;\r\n"
        "Петрова Анна Сергеевна;000014;Инспектор;01.02.2022\r\n"
        "Всего по подразделению Отдел кадров: 1;;;\r\n"
        "Всего: 3;;;\r\n"
    ).encode("cp1251")


HIK_CENTRAL_RULES = (
    "Rule",
    "At least one of family name and given name is required.",
    "Once configured, the ID cannot be edited. Confirm the ID rule before setting an ID.",
    "Do NOT change the layout and column title in this template file. The importing may fail if changed.",
    "You can add persons to an existing departments. The department names should be separated by/. "
    "Format: All Departments/Department A.",
    "Start Time of Effective Period is used for Access Control Module and Time & Attendance Module. "
    "Format: yyyy/mm/dd hh:mm:ss.",
    "End Time of Effective Period is used for Access Control Module and Time & Attendance Module. "
    "Format: yyyy/mm/dd hh:mm:ss.",
)
START, END = "2026/01/01 00:00:00", "2035/01/01 23:59:59"


def hik_central_template() -> bytes:
    """Rules above the header, names in two columns, departments as paths, times to the last second of a day."""
    heads = ("ID", "First Name", "Last Name", "Department", "Start Time of Effective Period",
             "End Time of Effective Period", "Enrollment Date", "Type")  # fmt: skip
    enrolled = ("2026/02/03 10:11:12", "Basic Person")
    return packed(
        parts(
            {
                "Person Information": sheet(
                    filled(
                        [
                            *((rule,) for rule in HIK_CENTRAL_RULES),
                            heads,
                            (
                                "00011",
                                "Иван Иванович",
                                "Иванов",
                                "All Departments/Цех 1/Смена Б",
                                START,
                                END,
                                *enrolled,
                            ),
                            (
                                "00012",
                                "Анна Сергеевна",
                                "Петрова",
                                "All Departments/Отдел кадров",
                                START,
                                END,
                                *enrolled,
                            ),
                            ("A7", "Пётр", "Ёлкин", "All Departments", START, "2030/06/30 23:59:59", *enrolled),
                        ]
                    )
                )
            }
        )
    )


def hik_central_former_template() -> bytes:
    """An earlier one: asterisks, groups of persons, and a tree whose top has the name of the company."""
    heads = ("First Name", "Last Name", "*ID", "Type", "*Person Group", "Gender", "Start Time of Effective Period",
             "End Time of Effective Period", "Card", "Email", "Phone", "Remark")  # fmt: skip
    return packed(
        parts(
            {
                "Person": sheet(
                    filled(
                        [
                            ("Rule",),
                            ("The items with asterisk are required.",),
                            ("Supports adding persons to the existing person group whose name is separated by slash.",),
                            heads,
                            (
                                "Иван Иванович",
                                "Иванов",
                                "00011",
                                "Basic Person",
                                "Ромашка/Цех 1/Смена Б",
                                "",
                                START,
                                END,
                            ),
                            (
                                "Анна Сергеевна",
                                "Петрова",
                                "00012",
                                "Basic Person",
                                "Ромашка/Отдел кадров",
                                "",
                                START,
                                END,
                            ),
                            ("Пётр", "Ёлкин", "A7", "Basic Person", "", "", START, "2030/06/30 23:59:59"),
                        ]
                    )
                )
            }
        )
    )


def hik_central_in_russian() -> bytes:
    """The list of persons of a Russian interface: rules above, heads in Russian, the top of the tree too."""
    return packed(
        parts(
            {
                "Информация о персонах": sheet(
                    filled(
                        [
                            ("Правило",),
                            ("Необходимо указать имя или фамилию.",),
                            ("После настройки идентификатор нельзя изменить.",),
                            ("Названия отделов разделяются знаком /. Формат: Все отделы/Отдел A.",),
                            ("*Идентификатор", "Имя", "Фамилия", "*Отдел", "Время начала", "Время окончания",
                             "Дата регистрации", "Тип"),
                            ("00011", "Иван Иванович", "Иванов", "Все отделы/Цех 1/Смена Б", START, END, START),
                            ("00012", "Анна Сергеевна", "Петрова", "Все отделы/Отдел кадров", START, END, START),
                            ("A7", "Пётр", "Ёлкин", "Все отделы", START, "2030/06/30 23:59:59", START),
                        ]
                    )
                )
            }
        )
    )  # fmt: skip


def one_c_head_of_two_rows() -> bytes:
    """Names of columns that are merged over both rows beside groups of columns with names of their own."""
    rows: list[tuple[str, ...]] = [
        ("Сотрудник", "Таб. №", "Прием", "", "Увольнение", "", "Подразделение"),
        ("", "", "Дата приема", "Приказ", "Дата увольнения", "Приказ", ""),
        ("Иванов Иван", "0012", "01.02.2020", "П-1", "", "", "Цех 1"),
    ]
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:G2"))
    whole = sheet(filled(rows)).replace("</sheetData>", f"</sheetData><mergeCells>{cells}</mergeCells>")
    return packed(parts({"TDSheet": whole}))


def zk_access() -> bytes:
    """Nine digits with zeros, a number beside the name of each department, amounts of fingerprints."""
    return (
        "Personnel ID,First Name,Last Name,Card Number,Department Number,Department Name,Gender,10.0 FP Qty,9.0 FP Qty,"
        "Vein Quantity,Face Qty\r\n"
        "000000012,Иван,Иванов,1234567,2,Цех 1,Male,1,0,0,1\r\n"
        "000000013,Анна,Петрова,,3,Отдел кадров,Female,0,0,0,0\r\n"
    ).encode("utf-8-sig")


def bio_time() -> bytes:
    """Numbers as numbers, and the day of the employment as a text."""
    heads = ("Employee ID", "First Name", "Last Name", "Department", "Position", "Area", "Hire Date", "Birthday")
    rows = [row(1, *(text(f"{letter}1", head) for letter, head in zip("ABCDEFGH", heads, strict=True)))]
    people = (("12", "Иван", "Иванов", "Цех 1", "Слесарь"), ("13", "Анна", "Петрова", "Отдел кадров", "Инспектор"))
    for line, (code, *texts) in enumerate(people, 2):
        cells = [text(f"{letter}{line}", cell) for letter, cell in zip("BCDE", texts, strict=True)]
        days = (text(f"G{line}", "2020-02-01"), text(f"H{line}", "1985-05-06"))
        rows.append(row(line, number(f"A{line}", code), *cells, *days))
    return packed(parts({"Employee": sheet("".join(rows))}))


def bio_star() -> bytes:
    """Names of its fields, a group beside the department, times with thousandths of a second."""
    return (
        "user_id,name,department,user_title,phone,email,user_group,start_datetime,expiry_datetime,csn\n"
        "12,Иванов Иван Иванович,Цех 1,,,,All Users,2001-01-01 00:00:00.000,2030-12-31 23:59:00.000,\n"
        "13,Петрова Анна Сергеевна,Отдел кадров,,,,All Users,2026-01-01 00:00:00.000,2036-08-26 00:00:00.000,\n"
    ).encode()


def sigur() -> bytes:
    """The table that its import asks for: the pass with its first and last moment, one row for each person."""
    heads = ("ФИО", "Отдел", "Должность", "Номер пропуска", "Окончание действия пропуска", "Табельный номер",
             "Тип пропуска", "Тип записи", "Имя файла фотографии", "Примечание", "Начало действия пропуска",
             "Дата рождения")  # fmt: skip
    first = ("Иванов Иван Иванович", "Цех 1", "Слесарь", "00000123", "31.12.2030 23:59:59", "0012", "Карта",
             "Сотрудник", "", "", "01.01.2026 00:00:00", "06.05.1985")  # fmt: skip
    second = ("Петрова Анна Сергеевна", "Отдел кадров", "Инспектор", "", "", "0013", "", "Сотрудник")
    return packed(parts({"Импорт": sheet(filled([heads, first, second]))}))


def sigur_list() -> bytes:
    """A list of passes: Windows-1251, semicolons, an empty cell where a pass has no end."""
    return (
        "ФИО;Таб. №;Отдел;Должность;Номер пропуска;Дата выдачи пропуска;Срок действия пропуска\r\n"
        "Иванов Иван Иванович;0012;Цех 1;Слесарь;123,45678;01.01.2026;31.12.2030\r\n"
        "Петрова Анна Сергеевна;0013;Отдел кадров;Инспектор;;;\r\n"
    ).encode("cp1251")


def one_c_old_report() -> bytes:
    """A report saved as XLS: everything a text, a title above, and a header of two rows with a group of columns."""
    head = [["№ п/п", "Сотрудник", None, None, "Таб. №", "Подразделение"], [None, "Фамилия", "Имя", "Отчество"]]
    people = [[str(at), *name.split(" ", 2), code, there] for at, (code, name, there) in enumerate(PEOPLE, 1)]
    rows: list[list[xls.Cell]] = [["Сотрудники организации"], [], *head, *people]  # type: ignore[list-item]
    merged = [(2, 3, 0, 0), (2, 2, 1, 3), (2, 3, 4, 4), (2, 3, 5, 5)]
    return xls.file(xls.stream({"TDSheet": xls.sheet(rows, merged)}))


def old_excel() -> bytes:
    """ "Книга Excel 97-2003": numbers as numbers, a day as the number of days since 1900, empty sheets at the end."""
    head: list[xls.Cell] = ["Табельный номер", "ФИО", "Подразделение", "Дата увольнения"]
    rows = [head]
    for code, name, department in PEOPLE:
        left = (float(LEFT_ON), 1) if code == "100224" else None
        rows.append([(float(code), 0), name, department or None, left])
    return xls.file(xls.stream({"Лист1": xls.sheet(rows), "Лист2": xls.sheet([]), "Лист3": xls.sheet([])}))


def libre_office_document() -> bytes:
    """The shown text beside each value, and empty rows and cells to the end of the sheet."""
    rows = [ods.row(*map(ods.cell, ("Код", "ФИО", "Отдел")))]
    for code, name, department in PEOPLE:
        there = ods.cell(department) if department else ods.empty()
        rows.append(ods.row(ods.cell(code, "float", code), ods.cell(name), there))
    return ods.workbook(*rows)


def excel_xml() -> bytes:
    """A title over merged columns, and below an empty row numbers, and a day where somebody left."""
    head = ("Табельный номер", "ФИО", "Подразделение", "Дата увольнения")
    rows = [xml_2003.row(xml_2003.cell("Список сотрудников", more='ss:MergeAcross="3"'))]
    rows += [xml_2003.row(*map(xml_2003.cell, head), more='ss:Index="3"')]
    for code, name, department in PEOPLE:
        left = [] if department else [xml_2003.cell("2026-03-01T00:00:00.000", "DateTime", 'ss:Index="4"')]
        told = [xml_2003.cell(department)] if department else []
        rows.append(xml_2003.row(xml_2003.cell(code, "Number"), xml_2003.cell(name), *told, *left))
    return xml_2003.workbook(xml_2003.sheet(*rows))


def web_program() -> bytes:
    """A page of the web in Windows-1251 with a title above the table, as a program sends it to be opened by Excel."""
    lines = ["<th>Таб. №</th><th>ФИО</th><th>Отдел</th>"]
    lines += ["".join(f"<td>{escape(cell) or '&nbsp;'}</td>" for cell in person) for person in PEOPLE]
    table = "".join(f"<tr>\r\n{line}\r\n</tr>" for line in lines)
    begin = '<html><head><meta http-equiv="Content-Type" content="application/vnd.ms-excel; charset=windows-1251">'
    return f"{begin}</head><body><h3>Сотрудники</h3><table border=1>{table}</table></body></html>".encode("cp1251")


def dressed_excel() -> bytes:
    """IDs shown with zeros, a department of merged cells, formulas, line breaks, a filter, and another sheet before."""
    head = ("Отдел", "Табельный номер", "ФИО", "Срок действия до")
    whole_name = '<c r="C3" t="str"><f>"Иванов" &amp; " Иван Иванович"</f><v>Иванов Иван Иванович</v></c>'
    rows = [
        row(1, text("A1", "Список сотрудников")),
        row(2, *(text(f"{letter}2", name) for letter, name in zip("ABCD", head, strict=True))),
        row(3, text("A3", "Цех\n1"), number("B3", "12", 2), whole_name, text("D3", "31.12.27")),
        row(4, number("B4", "13", 2), text("C4", "Ёлкин  Пётр"), number("D4", "46752"), more=' hidden="1"'),
        row(5, text("A5", "Отдел кадров"), number("B5", "14", 2), text("C5", "Петрова\r\nАнна ")),
    ]
    filtered = '<autoFilter ref="A2:D5"><filterColumn colId="2"/></autoFilter>'
    people = sheet("".join(rows), merged=("A1:D1", "A3:A4"), after=filtered)
    files = parts({"Инструкция": sheet(row(1, text("A1", "Как заполнять"))), "Люди": people})
    return packed({**files, "xl/styles.xml": STYLES.replace("000000", "00000;-00000")})
