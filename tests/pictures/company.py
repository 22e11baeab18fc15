"""The company in the pictures: a small one, with people who do not exist."""

from dataclasses import dataclass
from datetime import UTC, datetime

from hikflask.services.captures.drafts import Draft
from hikflask.simulator import faces
from hikflask.simulator.faces import Look

# When its people were added, one after another.
ADDED = datetime(2026, 10, 12, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Company:
    """Names as one language has them. `people` are name and department, in the order of the faces of FACES."""

    locale: str
    receptionist: str
    administrator: str
    entrance: str
    warehouse: str
    office: str
    people: tuple[tuple[str, str], ...]
    newcomer: Draft
    visitors: tuple[str, str]
    headers: str
    to_import: tuple[str, ...]

    def drafts(self) -> list[Draft]:
        return [Draft(str(100207 + 2 * index), *person) for index, person in enumerate(self.people)]


NEWCOMERS_FACE = faces.draw("anna")
FACES = [
    *(faces.draw(name) for name in faces.NAMES if name != "anna"),
    faces.paint(Look("#dff0f4", "#f1c9a8", "#7a4a26", "#3f7f86", long_hair=True, glasses=True)),
    faces.paint(Look("#efe7f7", "#dca77c", "#8a8a8a", "#39506b", beard=True)),
    faces.paint(Look("#fde9d9", "#f8d9c2", "#a03a2a", "#40507a", long_hair=True)),
    faces.paint(Look("#e3efdc", "#eec39d", "#23201f", "#8a4b3a")),
]
COMPANIES = {
    "ru": Company(
        locale="ru-RU",
        receptionist="Ольга",
        administrator="Сергей",
        entrance="Главный вход",
        warehouse="Склад",
        office="Офис",
        people=(
            ("Борисов Игорь Павлович", "Охрана"),
            ("Воронова Клара Сергеевна", "Бухгалтерия"),
            ("Дмитриев Олег Иванович", "Склад"),
            ("Егорова Елена Викторовна", "Бухгалтерия"),
            ("Фаридов Тимур Ильич", "Охрана"),
            ("Громова Галина Петровна", "Отдел кадров"),
            ("Чернов Глеб Андреевич", "Склад"),
            ("Журавлёва Юлия Олеговна", "Бухгалтерия"),
            ("Котов Никита Романович", "Склад"),
        ),
        newcomer=Draft("100225", "Смирнова Анна Игоревна", "Бухгалтерия"),
        visitors=("Петренко Павел", "Уборка, смена 2"),
        headers="Табельный номер;ФИО;Подразделение;Уволен",
        to_import=(
            "100231;Лебедев Артём Юрьевич;Склад;",
            "100233;Мишина Вера Олеговна;Бухгалтерия;",
            "100235;Носов Денис Ильич;Охрана;",
            "100211;Дмитриев Олег Иванович;Отдел кадров;",
            "100215;Фаридов Тимур Ильич;Охрана;да",
            "К-17;Орлова Нина Петровна;Склад;",
        ),
    ),
    "en": Company(
        locale="en-GB",
        receptionist="Olivia",
        administrator="Simon",
        entrance="Main entrance",
        warehouse="Warehouse",
        office="Office",
        people=(
            ("Boris Barlow", "Security"),
            ("Clara Winter", "Accounts"),
            ("Derek Hale", "Warehouse"),
            ("Elena Marsh", "Accounts"),
            ("Farid Noor", "Security"),
            ("Grace Holloway", "Personnel"),
            ("Glen Archer", "Warehouse"),
            ("Julia Finch", "Accounts"),
            ("Nick Porter", "Warehouse"),
        ),
        newcomer=Draft("100225", "Anna Smith", "Accounts"),
        visitors=("Paul Fletcher", "Cleaning, shift 2"),
        headers="Personnel number;Full name;Department;Left",
        to_import=(
            "100231;Arthur Lane;Warehouse;",
            "100233;Vera Mills;Accounts;",
            "100235;Dennis Norton;Security;",
            "100211;Derek Hale;Personnel;",
            "100215;Farid Noor;Security;yes",
            "K-17;Nina Orchard;Warehouse;",
        ),
    ),
}
