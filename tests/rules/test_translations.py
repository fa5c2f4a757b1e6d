"""Every text of the console is translated into every language, with the same placeholders."""

import ast
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from glific_gpt.console.context import LANGUAGES
from tests.support.programs import ROOT

CATALOGUES = ROOT / "glific_gpt" / "console" / "translations"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")
TRANSLATED = sorted(set(LANGUAGES) - {"en"})


def texts() -> set[str]:
    """Return the texts of the code and the templates, in the singular."""
    read: Any = parse_mapping_cfg
    mapping, options = read(io.StringIO((ROOT / "babel.cfg").read_text(encoding="utf-8")))
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None, "lazy_ngettext": (1, 2)}
    below = [(name.removeprefix("glific_gpt/"), method) for name, method in mapping]
    own = {name.removeprefix("glific_gpt/"): option for name, option in options.items()}
    found = extract_from_dir(ROOT / "glific_gpt", below, own, keywords)
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def placeholders(text: str) -> list[str]:
    return sorted(found.group() for found in PLACEHOLDER.finditer(text))


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalogue(language) if message.id)


def forms(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    translated = {forms(message.id)[0] for message in messages(language) if all(forms(message.string or ""))}
    assert len(texts()) > 100
    assert sorted(texts() - translated) == []


def test_no_text_is_inside_an_f_string_where_extraction_does_not_find_it() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "glific_gpt").rglob("*.py")}
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, source in sources.items()
        if "flask_babel" in source
        for text in ast.walk(ast.parse(source))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"_", *DEFAULT_KEYWORDS}
    ]
    assert hidden == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_obsolete_or_fuzzy(language: str) -> None:
    assert sorted({forms(message.id)[0] for message in messages(language)} - texts()) == []
    assert [message.id for message in messages(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_same_placeholders(language: str) -> None:
    wrong = [
        message.id
        for message in messages(language)
        for text in forms(message.string or "")
        if placeholders(text) != placeholders(forms(message.id)[-1])
    ]
    assert wrong == []
