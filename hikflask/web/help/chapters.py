"""Where the “?” of each page leads: to the section of the guides that explains the page."""

import re
from dataclasses import dataclass

from flask import g, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from hikflask.web.help import site
from hikflask.web.security import current_operator, resubmission


@dataclass(frozen=True)
class Section:
    """A heading of a guide, in English and in Russian as it stands there; that of the guide itself leads to its top."""

    page: str
    en: str
    ru: str

    def heading(self, language: str) -> str:
        """Return the heading in a language."""
        return self.ru if language == "ru" else self.en


@dataclass(frozen=True)
class HelpLink:
    """The “?” of a page. `is_apart`: it opens beside the page, which Back would ask to send again."""

    address: str
    label: str
    is_apart: bool


# What a row of “Needs attention” is about that no page of the program puts right → the section that says how.
CURES = {
    "no_backup": Section("backup", "Back up", "Сделать копию"),
    "missing_photos": Section("backup", "Photos that are missing", "Фото пропали"),
}
# Section → the views whose pages it explains; a blueprint stands for all of its views that are not named themselves.
EXPLAINED: dict[Section, tuple[str, ...]] = {
    Section("attention", "Needs attention", "Требует внимания"): ("attention",),
    Section("employees", "Add an employee", "Добавить сотрудника"): (
        *("employees.new", "employees.create", "employees.new_in_language"),
        *("employees.edit", "employees.update", "employees.edit_in_language"),
        *("captures", "photo_drafts"),
    ),
    Section("employees", "On which terminals somebody is", "На каких терминалах сотрудник"): ("employees.show",),
    Section("employees", "The list of employees", "Список сотрудников"): ("employees",),
    Section("employees", "Departments", "Отделы"): ("departments",),
    Section("employees", "Somebody leaves", "Сотрудник увольняется"): (
        *("employees.ask_activate", "employees.ask_deactivate", "employees.ask_delete", "employees.delete"),
    ),
    Section("privacy", "Consent", "Согласие"): ("consents",),
    Section("privacy", "Erase all data", "Удалить все данные"): ("erasures",),
    Section("privacy", "Checking a certificate", "Проверка акта"): (
        *("erasures.ask_certificate", "erasures.check_certificate"),
    ),
    Section("privacy", "Many leavers at once", "Много уволенных сразу"): ("removals.bulk", "removals.preview"),
    Section("terminals", "Removals that stay open", "Удаления, которые не подтверждены"): ("removals",),
    Section("passages", "The list", "Список"): ("passages",),
    Section("passages", "Why did the door not open?", "Почему не открылась дверь?"): (
        *("passages.show_why", "passages.read_schedules"),
    ),
    Section("passages", "Who is inside", "Кто внутри"): ("presence",),
    Section("passages", "Days and payroll", "Дни и зарплата"): ("days",),
    Section("passages", "Switch it on", "Как включить"): ("settings.ask_passages", "settings.delete_passages"),
    Section("jobs", "Jobs", "Задания"): ("jobs",),
    Section("jobs", "The page of a job", "Страница задания"): ("jobs.show", "jobs.state"),
    Section("jobs", "Stop and try again", "Остановить и повторить"): (
        *("jobs.ask_retry", "jobs.retry", "jobs.retry_and_remove"),
    ),
    Section("imports", "How it goes", "Порядок"): ("imports",),
    Section("imports", "The page of the columns", "Страница столбцов"): (
        *("imports.columns", "imports.choose", "imports.mappings", "imports.rename_mapping"),
    ),
    Section("imports", "The photos", "Фото"): ("imports.photos",),
    Section("imports", "The dry run", "Проверка"): (
        *("imports.show", "imports.state", "imports.shown_again", "imports.check", "imports.confirm", "imports.fix"),
        *("imports.correct", "imports.correct_from_file", "imports.start", "imports.deactivate"),
    ),
    Section("imports", "After the import", "После импорта"): (
        *("imports.ask_undo", "imports.undo", "imports.undo_and_remove"),
    ),
    Section("groups", "Groups of terminals", "Группы терминалов"): ("groups",),
    Section("groups", "Make one", "Создать"): ("groups.new", "groups.create", "groups.draft_of_new"),
    Section("groups", "Change or delete one", "Изменить или удалить"): (
        *("groups.edit", "groups.update", "groups.draft", "groups.ask_delete", "groups.delete"),
    ),
    Section("terminals", "Terminals: guide for administrators", "Терминалы: руководство администратора"): (
        "terminals.index",
    ),
    Section("terminals", "Add a terminal", "Добавить терминал"): (
        *("terminals.new", "terminals.create", "terminals.edit", "terminals.update", "terminals.fingerprint"),
    ),
    Section("terminals", "The page of a terminal", "Страница терминала"): ("terminals",),
    Section("terminals", "The queue of a terminal", "Очередь терминала"): ("terminals.queue", "terminals.queue_state"),
    Section("terminals", "The photo round", "Съёмка по списку"): ("rounds",),
    Section("terminals", "Replace a terminal", "Замена терминала"): (
        *("terminals.ask_restore", "terminals.restore_people", "terminals.ask_same_device", "terminals.put_right"),
    ),
    Section("terminals", "A terminal that is gone for good", "Терминал больше не используется"): (
        *("terminals.ask_retire", "terminals.retire", "terminals.ask_delete", "terminals.delete"),
    ),
    Section("terminals", "Where a terminal sends events", "Куда терминал отправляет события"): (
        *("terminals.ask_clear", "terminals.clear_destination"),
    ),
    Section("backup", "The terminals after a restore", "Терминалы после восстановления"): (
        *("terminals.ask_after_restore", "terminals.allow_after_restore"),
    ),
    Section("compare", "On the pages", "На страницах"): ("comparisons",),
    Section("compare", "The plan", "План"): (
        *("comparisons.plan", "comparisons.start_plan", "comparisons.remove", "comparisons.answer"),
    ),
    Section("compare", "Undoing a taking-over", "Отмена приёма"): ("comparisons.ask_undo", "comparisons.start_undo"),
    Section("operators", "Roles", "Роли"): ("operators",),
    Section("operators", "Passwords and sessions", "Пароли и сеансы"): ("account", "confirmation"),
    Section("operators", "Second factor", "Второй фактор"): ("second_factor",),
    Section("operators", "API tokens", "Токены API"): ("tokens",),
    Section("settings", "Settings", "Настройки"): ("settings",),
    Section("settings", "The page Administration", "Страница «Управление»"): ("administration",),
    Section("api", "The JSON API", "JSON API"): ("api_reference",),
    Section("api", "Webhooks", "Вебхуки"): ("webhooks",),
    Section("audit", "The audit trail", "Журнал действий"): ("audit",),
}
SECTIONS = {view: section for section, views in EXPLAINED.items() for view in views}


def section_of(endpoint: str) -> Section | None:
    """Return the section that explains a view's page, or those of its blueprint; None where the first page must do."""
    return SECTIONS.get(endpoint) or SECTIONS.get(endpoint.partition(".")[0])


def anchor(heading: str) -> str:
    """Return the id of a heading, as GitHub and the built site make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def explain_as(view: str) -> None:
    """Let the “?” of this answer lead where that of another view does: the page is at a later stage by now."""
    g.explained_as = view


def link() -> HelpLink | None:
    """Return the “?” of the page that is being answered; None before somebody may open other pages."""
    person = current_operator.get()
    if person is None or person.is_kept_back:
        return None
    section = section_of(g.get("explained_as") or resubmission.page_endpoint())
    is_apart = request.method == "POST"
    if section is None:
        address = url_for("help.show", language=str(get_locale()), path=site.FIRST_PAGE)
        return HelpLink(address, _("Help"), is_apart)
    return HelpLink(_address(section), _("Help: %(section)s", section=section.heading(str(get_locale()))), is_apart)


def cure(name: str) -> str:
    """Return the address of the section that says how something is put right."""
    return _address(CURES[name])


def _address(section: Section) -> str:
    language = str(get_locale())
    path, heading = f"{section.page}.html", section.heading(language)
    return url_for("help.show", language=language, path=path, _anchor=anchor(heading))
