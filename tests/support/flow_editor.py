"""A flow in Glific's own flow editor: the drawn nodes and lines, their positions, and the editor's complaints."""

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
    """An open flow, and the errors that occurred while it was opened."""

    page: Page
    server: FlowEditorServer
    console_errors: list[str] = field(default_factory=list)
    """Errors that the editor's scripts raised or logged."""
    foreign: set[str] = field(default_factory=set)
    """Requested URLs on other hosts. All of these requests are blocked."""

    def boxes(self) -> dict[str, Box]:
        """Return the position and size of each node and note."""
        drawn: dict[str, list[int]] = self.page.evaluate(BOXES)
        return {uuid: Box(*sides) for uuid, sides in drawn.items()}

    def node_uuids(self) -> set[str]:
        """Return the UUIDs of the drawn nodes: none if the editor cannot read the definition."""
        return set(self.texts())

    def texts(self) -> dict[str, list[str]]:
        """Return the text lines of each node: its title, its actions, its exits."""
        found: dict[str, list[str]] = self.page.evaluate(TEXTS)
        return found

    def sticky_notes(self) -> list[Sticky]:
        return [Sticky(**sticky) for sticky in self.page.evaluate(STICKIES)]

    def lines(self) -> set[Line]:
        return {Line(*ends) for *ends, _ in self.page.evaluate(LINES)}

    def issues(self) -> list[str]:
        """Return the texts of nodes that the editor marks as wrong, and its error messages."""
        found: list[str] = self.page.evaluate(ISSUES)
        return found

    def overlaps(self) -> list[tuple[str, str]]:
        """Return pairs of boxes that overlap at the positions of the definition. The editor moves them apart."""
        placed = self._positions()
        drawn = {uuid: box._replace(**placed[uuid]) for uuid, box in self.boxes().items() if uuid in placed}
        return [(one, other) for one, other in combinations(sorted(drawn), 2) if drawn[one].meets(drawn[other])]

    def moved(self) -> set[str]:
        """Return the boxes that the editor moved because they were too close to a box above."""
        placed = self._positions()
        return {uuid for uuid, box in self.boxes().items() if box != box._replace(**placed.get(uuid, {}))}

    def hidden(self) -> set[tuple[Line, str]]:
        """Return lines that run behind a box other than those at their ends, with that box."""
        boxes = self.boxes()
        return {
            (Line(*ends), uuid)
            for *ends, points in self.page.evaluate(LINES)
            for uuid, box in boxes.items()
            if uuid not in ends and any(box.has_inside(*point) for point in points)
        }

    def saved(self) -> dict[str, Any]:
        """Save the unchanged flow in the editor and return the saved definition."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            self.page.evaluate("window.editor.props.createNewRevision()")
        return self.server.saved[-1]

    def screenshot(self, path: Path) -> None:
        """Take a screenshot of the whole flow, whatever the size of the window."""
        boxes = self.boxes().values()
        width = max((box.right for box in boxes), default=0) + 120
        height = max((box.bottom for box in boxes), default=0) + 220
        self.page.set_viewport_size({"width": max(width, 800), "height": max(height, 600)})
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=path)

    def _positions(self) -> dict[str, dict[str, int]]:
        layout = self.server.definition.get("_ui", {})
        placed = {**layout.get("nodes", {}), **(layout.get("stickies") or {})}
        return {uuid: {side: box["position"][side] for side in ("left", "top")} for uuid, box in placed.items()}


@contextmanager
def open_editor(page: Page, definition: dict[str, Any]) -> Iterator[Editor]:
    """Open the flow on the page, and wait until nothing moves any more or the editor has failed."""
    server = FlowEditorServer(definition)
    with server as url:
        editor = Editor(page, server)
        _watch(editor, url)
        page.goto(url)
        _settle(editor)
        yield editor
        # Without its server, the editor would log errors for ever.
        page.goto("about:blank")
        page.unroute_all()


def _watch(editor: Editor, url: str) -> None:
    def block_other_hosts(route: Route) -> None:
        if route.request.url.startswith((url + "/", "data:", "blob:")):
            route.continue_()
        else:
            editor.foreign.add(route.request.url)
            route.abort()

    errors, page = editor.console_errors, editor.page
    page.route("**/*", block_other_hosts)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))


def _settle(editor: Editor) -> None:
    until = time.monotonic() + TIMEOUT_SECONDS
    while not editor.page.evaluate(IS_SETTLED):
        if editor.console_errors and editor.page.evaluate(IS_BLANK):
            return
        assert time.monotonic() < until, "the flow editor shows neither the flow nor an error"
        editor.page.wait_for_timeout(50)
