"""The table of all settings in the guides, from the program's own words: `make texts` writes it into both."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask_babel import force_locale, gettext

from hikflask import create_app
from hikflask.config import DAYS, SETTINGS, as_text
from hikflask.labels import settings as labels

PAGES = {language: Path(__file__).parent / language / "settings.md" for language in ("en", "ru")}
ROWS = re.compile(r"(?:^\| (?:`HIKFLASK_|\*\*).*\n)+", re.MULTILINE)
# Where the guides say more of a setting.
NETWORKS = (
    "[Terminals](terminals.md#where-the-program-connects-to)",
    "[Терминалы](terminals.md#куда-программа-соединяется)",
)
CHAPTERS = {
    "CONSENT": ("[Personal data](privacy.md)", "[Персональные данные](privacy.md)"),
    "PHOTO_RETENTION": ("[Retention](#retention)", "[Сроки хранения](#сроки-хранения)"),
    "BACKUP_MAX_AGE": ("[Backup](backup.md)", "[Резервная копия](backup.md)"),
    "SECOND_FACTOR_ROLES": (
        "[Second factor](operators.md#second-factor)",
        "[Второй фактор](operators.md#второй-фактор)",
    ),
    "LDAP_URL": ("[The company's directory](directory.md)", "[Каталог организации](directory.md)"),
    "MAIL_SERVER": ("[Mails](monitoring.md#mails)", "[Письма](monitoring.md#письма)"),
    "WEBHOOK_NETWORKS": ("[Webhooks](api.md#webhooks)", "[Вебхуки](api.md#вебхуки)"),
    "FACE_DETECTION": ("[Photos](photos.md)", "[Фото](photos.md)"),
    "TERMINAL_NETWORKS": NETWORKS,
    "TERMINAL_REQUIRE": NETWORKS,
    "PASSWORD_KEY": ("[Keys](running.md#keys)", "[Ключи](running.md#ключи)"),
    "LOG_FORMAT": ("[Log](monitoring.md#log)", "[Журнал](monitoring.md#журнал)"),
    "METRICS_PORT": ("[Metrics](monitoring.md#metrics)", "[Метрики](monitoring.md#метрики)"),
    "BACKUP_KEEP": ("[Backup](backup.md#each-night)", "[Резервная копия](backup.md#каждую-ночь)"),
}


def with_table(page: str, language: str) -> str:
    """Return the page with the present table in place of its own."""
    with force_locale(language):
        return ROWS.sub("".join(f"| {row} |\n" for row in _rows(language)), page)


def _rows(language: str) -> Iterator[str]:
    for title, names in (*labels.SECTIONS.values(), *labels.MACHINE):
        yield f"**{title}** | | "
        for name in names:
            said = [str(labels.WORDS_OF[name].about)]
            if SETTINGS[name].decided:
                said.insert(0, "✎")
            if SETTINGS[name].allowed:
                said.append(gettext("Allowed: %(values)s.", values=_allowed(name)))
            if name in CHAPTERS:
                said.append(f"→ {CHAPTERS[name][language == 'ru']}")
            yield f"`HIKFLASK_{name}` | {_default(name)} | {' '.join(said)}"


def _allowed(name: str) -> str:
    """Return what is allowed; of words among which one is chosen, what each of them says."""
    words = labels.WORDS_OF[name]
    said = [f"`{word}` ({labels.word_label(word)})" for word in words.choices if word]
    if words.number:
        said.append(gettext(DAYS))
    return ", ".join(said) or str(gettext(SETTINGS[name].allowed))


def _default(name: str) -> str:
    """Return the default as the environment takes it, and as a person reads it."""
    setting = SETTINGS[name]
    text = as_text(setting.default)
    if not text:
        return str(labels.WORDS_OF[name].empty)
    said = labels.value_label(name, setting.read(setting.default))
    return f"`{text}`" if said == text else f"`{text}` ({said})"


def main() -> None:
    """Write the table into the guides."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"INSTANCE_PATH": folder, "SECRET_KEY": "of a document alone", "WORKER": "external"})
        with app.test_request_context():
            for language, path in PAGES.items():
                path.write_text(with_table(path.read_text(encoding="utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    main()
