"""A stand-in for Glific around its flow editor: it serves the editor, one flow, and the data for the editor."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.support.flow_editor_page import PREFIX, render_page
from tests.support.platforms import skip_or_fail

MODULES = Path(__file__).parents[2] / "node_modules"
BUILD = MODULES / "@glific" / "flow-editor" / "build"
COMPONENTS = MODULES / "@nyaruka" / "temba-components" / "dist"
"""The editor's web components, which Glific's page loads from a folder of its own."""
COMPONENTS_PREFIX = "/static/temba-components/"
REVISION = {"id": 1, "revision": 1, "version": "13.2.0", "created_on": "2024-01-01T00:00:00Z", "user": {}}
LANGUAGES = [{"iso": "en", "name": "English"}, {"iso": "hi", "name": "Hindi"}]
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def require_editor() -> Path:
    """Return the folder of the built editor. Skip the test if it is not installed, or fail in CI, which installs it."""
    if (BUILD / "asset-manifest.json").is_file():
        return BUILD
    return skip_or_fail("Glific's flow editor is not installed. Run `make install`.")


class FlowEditorServer:
    """A server on 127.0.0.1. `with` starts it and yields the URL that shows the flow."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.build = require_editor()
        self.definition = definition
        self.saved: list[dict[str, Any]] = []
        """Definitions that the editor has saved."""
        self.unanswered: list[str] = []
        """Requested paths that do not exist."""
        self._server = _Server(self)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self) -> str:
        manifest = json.loads((self.build / "asset-manifest.json").read_text(encoding="utf-8"))
        components = f"{COMPONENTS_PREFIX.lstrip('/')}temba-components.js"
        return render_page(self.definition["uuid"], [components, *manifest["entrypoints"]])

    def file(self, path: str) -> Path | None:
        is_component = path.startswith(COMPONENTS_PREFIX)
        folder = (COMPONENTS if is_component else self.build).resolve()
        found = (folder / (path.removeprefix(COMPONENTS_PREFIX) if is_component else path.lstrip("/"))).resolve()
        return found if found.is_file() and found.is_relative_to(folder) else None

    def answer(self, path: str) -> Any:
        """Return Glific's response for an organization that has only this flow."""
        resource, *rest = path.removeprefix(PREFIX).strip("/").split("/")
        if resource == "revisions":
            opened = {"definition": self.definition, "metadata": {"issues": []}}
            return opened if len(rest) > 1 else {"results": [REVISION]}
        responses: dict[str, Any] = {
            "activity": {"nodes": {}, "segments": {}},
            "completion": {"context": {"types": [], "root": [], "root_no_session": []}, "functions": []},
            "environment": {"date_format": "YYYY-MM-DD", "time_format": "hh:mm", "timezone": "Asia/Kolkata"},
            "languages": {"results": LANGUAGES},
        }
        return responses.get(resource, {"results": []})

    def keep(self, definition: dict[str, Any]) -> Any:
        self.saved.append(definition)
        return {"status": "success", "revision": REVISION, "metadata": {"issues": []}, "issues": []}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: FlowEditorServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def handle(self) -> None:
        # A page that is closed while it loads closes its connections. This is no error.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        owner, path = self.server.owner, urlsplit(self.path).path
        if path == "/":
            self._send(owner.page().encode(), "text/html; charset=utf-8")
        elif path.startswith(PREFIX):
            self._send_json(owner.answer(path))
        elif (file := owner.file(path)) is not None:
            self._send(file.read_bytes(), MEDIA_TYPES.get(file.suffix, "application/octet-stream"))
        else:
            owner.unanswered.append(path)
            self.send_error(404)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if urlsplit(self.path).path.startswith(f"{PREFIX}revisions/"):
            self._send_json(self.server.owner.keep(json.loads(sent)))
        else:
            self.send_error(404)

    def _send_json(self, content: Any) -> None:
        self._send(json.dumps(content).encode(), "application/json")

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass
