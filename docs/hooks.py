"""What the site needs beside MkDocs: pages from outside docs/<language>, links that leave it, diagrams, the app's
colours, and the hashes of inline scripts for the policy under which the app serves it."""

import base64
import hashlib
import json
import posixpath
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from PIL import Image

from docs import api_reference, state_diagrams
from hikflask import create_app
from hikflask.api.openapi import document

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
STATIC = ROOT / "hikflask/static"
LANGUAGES = ("en", "ru")
# Pages for developers are in English alone: where they are in the repository, and on the English site.
DEVELOPERS = {
    "docs/code-map.md": "code-map.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
}
PROGRAMMERS = {"api.md", "protocol.md", "states.md"}
DECISIONS = "docs/decisions/"
LINK = re.compile(
    r"(?<!!)\[(?P<text>[^\]\n]+(?:\n[^\]\n]+)*)\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]+)?\)"
)
ITEM = re.compile(r"(?P<marker>[*+-]|\d+\.) +(?=\S)")
FENCE = re.compile(r"(```|~~~)")
# Maps for whoever changes the theme, and word forms of other languages.
UNUSED = re.compile(r"\.map$|/lunr/(?!min/lunr\.(ru|stemmer\.support)\.)")
BUNDLE = re.compile(r"/bundle\.\w+\.min\.js$")
# What the theme draws around the buttons of each example: for who does not see them, landmarks without a name.
BUTTONS = ('"nav",{class:"md-code__nav"}', '"div",{class:"md-code__nav"}')
WORKER = re.compile(r"/workers/search\.\w+\.min\.js$")
# How Material's search makes a word that was typed one with which words begin; ours, which leaves out words like «на».
BEGINNING = ":`${r}*`)"
BEGINNINGS = {
    "en": ':lunr.stopWordFilter(r.toLowerCase())?`${r}*`:"")',
    "ru": ':lunr.ru.stopWordFilter(r.toLowerCase())?`${lunr.ru.stemmer(r.toLowerCase())}*`:"")',
}
# Where a word ends: at its marks, too, so that «Excel», or (GDPR) is found.
SEPARATOR = '[\\s\\-,.:;!?()\\[\\]«»“”„"/|…]+'
# What a word weighs in a heading, and among those that people type for it; one in the text weighs 1.
HEADING, TYPED = 1000.0, 3000.0
PICTURE = re.compile(r'src="(?P<path>[^":]+\.webp)(?=[#"])')
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let the navigation have every page of decisions below the first one, in the order in which that names them."""
    index = f"{DECISIONS}index.md"
    below = re.findall(r"\]\((\w[\w-]*\.md)\)", (ROOT / index).read_text(encoding="utf-8"))
    for entries in (entry for section in config.nav or () for entry in section.values()):
        for entry in entries:
            for title, page in entry.items():
                if page == "decisions/index.md":
                    entry[title] = [page, *(f"decisions/{name}" for name in below)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands outside docs/<language>, and leave out what no page of ours loads of the theme."""
    for file in [file for file in files if UNUSED.search(file.src_uri)]:
        files.remove(file)
    for file in [file for file in files if WORKER.search(file.src_uri)]:
        file.content_string = searching(file.content_string, config.theme["language"])
    for file in [file for file in files if BUNDLE.search(file.src_uri)]:
        file.content_string = file.content_string.replace(*BUTTONS)
    if config.theme["language"] == "en":
        for path, name in developers_pages().items():
            files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
        files.append(File.generated(config, "api-reference.md", content=api_reference.page(described())))
    files.append(File.generated(config, "assets/icon.svg", abs_src_path=str(STATIC / "icon.svg")))
    files.append(File.generated(config, "assets/colours.css", content=colours()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Let the text of a page, as GitHub shows it, be read by Python-Markdown."""
    language = config.theme["language"]
    page.meta["in_both_languages"] = all((DOCS / one / page.file.src_uri).exists() for one in LANGUAGES)
    if page.file.src_uri in PROGRAMMERS or not page.meta["in_both_languages"]:
        # What people at the desk look for comes first.
        page.meta["search"] = {"boost": 0.5}
    source = page.file.abs_src_path
    if source is not None:
        markdown = with_links(markdown, Path(source), page.file.src_uri, language)
    return nested(state_diagrams.drawn(markdown))


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Say the size of each picture, so that the text below it does not move when the picture comes."""
    folder = Path(page.file.abs_src_path or "").parent

    def with_size(found: re.Match[str]) -> str:
        with Image.open(folder / found["path"]) as picture:
            return f'width="{picture.width}" height="{picture.height}" {found[0]}'

    return PICTURE.sub(with_size, html)


def on_pre_template(template: jinja2.Template, template_name: str, **_: object) -> jinja2.Template:
    """Leave out the page of what is not found, whose links hold at one address alone, and the site map with its day."""
    return jinja2.Template("") if template_name in {"404.html", "sitemap.xml"} else template


def on_post_build(config: MkDocsConfig) -> None:
    """Let the search know the words that people type; once all languages are there, write the hashes of their inline
    scripts: then the site counts as built."""
    site = Path(config.site_dir)
    index = site / "search/search_index.json"
    words = yaml.safe_load((DOCS / "search_words.yml").read_text(encoding="utf-8"))[site.name]
    index.write_text(json.dumps(with_words(json.loads(index.read_text(encoding="utf-8")), words)), encoding="utf-8")
    folder = site.parent
    if not all((folder / language / "index.html").exists() for language in LANGUAGES):
        return
    pages = (page.read_text(encoding="utf-8") for page in folder.rglob("*.html"))
    hashes = sorted({hash_of(script) for page in pages for script in SCRIPT.findall(page)})
    (folder / "script-hashes.json").write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


def developers_pages() -> dict[str, str]:
    """The pages in English alone, by their path in the repository, with their names on the site."""
    decisions = sorted((ROOT / DECISIONS).glob("*.md"))
    found = DEVELOPERS | {f"{DECISIONS}{path.name}": f"decisions/{path.name}" for path in decisions}
    return {path: name for path, name in found.items() if (ROOT / path).exists()}


def described() -> dict[str, object]:
    """The program's own description of its API."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"INSTANCE_PATH": folder, "SECRET_KEY": "of a document alone", "WORKER": "external"})
        with app.app_context():
            return document.build(app)


def colours() -> str:
    """The app's colours: its own for light, and those for dark."""
    light, dark = re.findall(r":root \{\s*--accent:.*?\}", (STATIC / "app.css").read_text(encoding="utf-8"), re.DOTALL)
    return f"{light}\n\n{dark.replace(':root', '[data-md-color-scheme=slate]')}\n"


def searching(worker: str, language: str) -> str:
    """The search, so that «сотрудника» finds «сотрудник», too: with the stem of a Russian word all its forms begin."""
    before, after = worker.split(BEGINNING)
    return f"{before}{BEGINNINGS[language]}{after}"


def with_words(index: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """What the search knows, with the words that people type for a chapter.

    :param words: by the chapter, as a guide would link to it.
    """
    chapters = {chapter["location"]: chapter for chapter in index["docs"]}
    for chapter, typed in words.items():
        chapters[chapter.replace(".md", ".html")]["words"] = typed
    index["config"]["separator"] = SEPARATOR
    index["config"]["fields"] = {"title": {"boost": HEADING}, "text": {"boost": 1.0}, "words": {"boost": TYPED}}
    return index


def with_links(markdown: str, source: Path, name: str, language: str) -> str:
    """The page with links that hold on the site; `name`: of the page there."""

    def link(found: re.Match[str]) -> str:
        target = (source.parent / found["path"]).resolve()
        if not target.exists() or not target.is_relative_to(ROOT):
            return found[0]
        anchor = found["anchor"] or ""
        home, there = place(target.relative_to(ROOT).as_posix())
        if home == language:
            return f"[{found['text']}]({posixpath.relpath(there, posixpath.dirname(name))}{anchor})"
        if home:
            page = posixpath.relpath(f"../{home}/{there}", posixpath.dirname(name)).removesuffix(".md")
            return f'<a href="{page}.html{anchor}">{found["text"]}</a>'
        # A file of the program is no page: its path is enough.
        path = f"`{target.relative_to(ROOT)}`"
        return found["text"] if "`" in found["text"] else f"{found['text']} ({path})"

    return LINK.sub(link, markdown)


def place(path: str) -> tuple[str, str]:
    """On the site of which language a file of the repository is, and under which name; no language for other files."""
    if path in (pages := developers_pages()):
        return "en", pages[path]
    folder, language, *rest = [*path.split("/", 2), "", ""][:3]
    return (language, "/".join(rest)) if folder == "docs" and language in LANGUAGES else ("", path)


def nested(markdown: str) -> str:
    """The page with what is within items of lists indented by four spaces each, and blank lines around what is long.

    So Python-Markdown wants it; GitHub looks at where the text of the item begins.
    """
    return "\n".join(_nested(markdown.split("\n")))


def _nested(lines: list[str]) -> Iterator[str]:
    begins: list[int] = []
    in_fence = before = ""
    # More than the text of the last item came since.
    is_long = True
    for line in lines:
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if in_fence or not text:
            yield " " * 4 * len(begins) + line[begins[-1] if begins else 0 :] if text else ""
        else:
            item = ITEM.match(text)
            while begins and indent < begins[-1] and (item or not before or FENCE.match(text)):
                begins.pop()
            if item and is_long and before:
                yield ""
            yield " " * 4 * len(begins) + line[min(indent, begins[-1] if begins else 0) :]
            if item:
                begins.append(indent + item.end())
                is_long = False
        if fence := FENCE.match(text):
            in_fence = "" if in_fence else fence[0]
        is_long |= not begins or not text or bool(fence)
        before = text


def hash_of(script: str) -> str:
    """How a Content-Security-Policy names an inline script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
