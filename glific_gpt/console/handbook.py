"""The handbook of the console in each language, as HTML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

DOCUMENTS = Path(__file__).parents[2] / "docs"
FILES = {"en": DOCUMENTS / "console.md", "hi": DOCUMENTS / "hi" / "console.md"}
"""The documents have the same headings in the same order, so that both have the anchors of the English one."""
SECTIONS = {
    "account": "signing-in",
    "overview": "overview",
    "openai": "openai-chatgpt",
    "models": "models",
    "documents": "documents",
    "use_in_glific": "download-a-ready-flow",
    "show_conversion": "convert-an-existing-flow",
    "show_check_up": "test-the-whole-setup",
    "by_hand": "by-hand",
    "webhook_tokens": "tokens",
    "try_it": "try-it",
    "list_calls": "calls",
    "show_call": "calls",
    "report": "report",
    "glific": "glific-connection",
    "organization_settings": "settings",
    "organization_data": "settings",
    "members": "members",
    "audit_trail": "audit-trail",
    "list_organizations": "roles",
    "new_organization": "roles",
    "server_models": "models",
    "server_people": "roles",
    "server_person": "roles",
    "confirm_person_deletion": "roles",
    "server_audit": "audit-trail",
    "server_report": "report",
}
"""Anchors of the parts of the handbook that describe pages, by endpoint."""


@dataclass(frozen=True)
class Handbook:
    """The document in one language."""

    title: str
    html: Markup
    contents: tuple[tuple[str, str], ...]
    """Anchors and titles of its chapters."""


@lru_cache
def load_handbook(language: str) -> Handbook:
    """Read the document in a language, a key of `FILES`."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(FILES[language].read_text(encoding="utf-8"))
    headings, anchors = list(_headings(tokens)), _english_anchors()
    for (heading, _), anchor in zip(headings, anchors, strict=True):
        heading.attrSet("id", anchor)
    _adapt(tokens)
    title_end = next(index for index, token in enumerate(tokens) if token.type == "heading_close") + 1
    chapters = (
        (anchor, title) for (heading, title), anchor in zip(headings, anchors, strict=True) if heading.tag == "h2"
    )
    # The document is our own, and HTML in Markdown is off.
    html = Markup(parser.renderer.render(tokens[title_end:], parser.options, {}))  # noqa: S704
    return Handbook(headings[0][1], html, tuple(chapters))


def _headings(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    """Yield the headings with their texts."""
    for token, text in pairwise(tokens):
        if token.type == "heading_open":
            yield token, text.content


def _english_anchors() -> list[str]:
    """Return the anchors of the headings of the English document, as GitHub makes them."""
    tokens = MarkdownIt("commonmark").parse(FILES["en"].read_text(encoding="utf-8"))
    return [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for _, text in _headings(tokens)]


def _adapt(tokens: list[Token]) -> None:
    """Give tables the style of the console, and remove links to documents that the server does not serve."""
    for token in tokens:
        if token.type == "table_open":
            token.attrSet("class", "table")
        if token.children:
            token.children = list(_without_links(token.children))


def _without_links(children: list[Token]) -> Iterator[Token]:
    is_removed = False
    for token in children:
        if token.type == "link_open":
            is_removed = not str(token.attrGet("href")).startswith(("#", "https:"))
        if not (is_removed and token.type in ("link_open", "link_close")):
            yield token
