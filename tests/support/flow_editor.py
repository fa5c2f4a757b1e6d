"""A flow as Glific's own flow editor shows it: what is drawn, where, and what the editor has to say about it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from tests.support.flow_editor_drawing import (
    BOXES,
    IS_BLANK,
    IS_SETTLED,
    ISSUES,
    LINES,
    STICKIES,
    TEXTS,
    Box,
    Line,
    Sticky,
)
from tests.support.flow_editor_server import FlowEditorServer

TIMEOUT_SECONDS = 20


@dataclass
class Editor:
    """An open flow, and all that went wrong while it was opened."""

    page: Page
    server: FlowEditorServer
    console_errors: list[str] = field(default_factory=list)
    """What the editor's scripts have thrown or complained about."""
    foreign: set[str] = field(default_factory=set)
    """Addresses on other hosts that were asked for. None was reached."""

    def boxes(self) -> dict[str, Box]:
        """Where everything is drawn, nodes and notes."""
        drawn: dict[str, list[int]] = self.page.evaluate(BOXES)
        return {uuid: Box(*sides) for uuid, sides in drawn.items()}

    def node_uuids(self) -> set[str]:
        """Of the nodes that are drawn: of none, where the editor cannot read the definition."""
        return set(self.texts())

    def texts(self) -> dict[str, list[str]]:
        """What each node says line by line: its title, what it does, its exits."""
        found: dict[str, list[str]] = self.page.evaluate(TEXTS)
        return found

    def sticky_notes(self) -> list[Sticky]:
        return [Sticky(**sticky) for sticky in self.page.evaluate(STICKIES)]

    def lines(self) -> set[Line]:
        return {Line(*ends) for *ends, _ in self.page.evaluate(LINES)}

    def issues(self) -> list[str]:
        """What the editor marks as wrong: all that the marked node says."""
        found: list[str] = self.page.evaluate(ISSUES)
        return found

    def overlaps(self) -> list[tuple[str, str]]:
        """Which boxes cover each other where the definition puts them; the editor shows them moved apart."""
        placed = self._positions()
        drawn = {uuid: box._replace(**placed[uuid]) for uuid, box in self.boxes().items() if uuid in placed}
        return [(one, other) for one, other in combinations(sorted(drawn), 2) if drawn[one].meets(drawn[other])]

    def moved(self) -> set[str]:
        """What the editor did not leave where the definition puts it: it was too near to something above."""
        placed = self._positions()
        return {uuid for uuid, box in self.boxes().items() if box != box._replace(**placed.get(uuid, {}))}

    def hidden(self) -> set[tuple[Line, str]]:
        """Lines that run behind a box which is at neither of their ends, and that box."""
        boxes = self.boxes()
        return {
            (Line(*ends), uuid)
            for *ends, points in self.page.evaluate(LINES)
            for uuid, box in boxes.items()
            if uuid not in ends and any(box.has_inside(*point) for point in points)
        }

    def saved(self) -> dict[str, Any]:
        """The definition that the editor keeps when it is told to save the flow as it is."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            self.page.evaluate("window.editor.props.createNewRevision()")
        return self.server.saved[-1]

    def screenshot(self, path: Path) -> None:
        """Of the whole flow, however large the window is."""
        boxes = self.boxes().values()
        width = max((box.right for box in boxes), default=0) + 120
        height = max((box.bottom for box in boxes), default=0) + 220
        self.page.set_viewport_size({"width": max(width, 800), "height": max(height, 600)})
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=path)

    def _positions(self) -> dict[str, dict[str, int]]:
        layout = self.server.definition.get("_ui", {})
        placed = {**layout.get("nodes", {}), **(layout.get("stickies") or {})}
        return {uuid: {side: thing["position"][side] for side in ("left", "top")} for uuid, thing in placed.items()}


@contextmanager
def open_editor(page: Page, definition: dict[str, Any]) -> Iterator[Editor]:
    """Shows the flow on the page until nothing on it moves any more, or the editor has given up on it."""
    server = FlowEditorServer(definition)
    with server as url:
        editor = Editor(page, server)
        _watch(editor, url)
        page.goto(url)
        _settle(editor)
        yield editor
        # An editor without its server would complain for ever.
        page.goto("about:blank")
        page.unroute_all()


def _watch(editor: Editor, url: str) -> None:
    def keep_inside(route: Route) -> None:
        if route.request.url.startswith((url + "/", "data:", "blob:")):
            route.continue_()
        else:
            editor.foreign.add(route.request.url)
            route.abort()

    errors, page = editor.console_errors, editor.page
    page.route("**/*", keep_inside)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))


def _settle(editor: Editor) -> None:
    until = time.monotonic() + TIMEOUT_SECONDS
    while not editor.page.evaluate(IS_SETTLED):
        if editor.console_errors and editor.page.evaluate(IS_BLANK):
            return
        assert time.monotonic() < until, "the flow editor shows nothing, and says nothing about it"
        editor.page.wait_for_timeout(50)
