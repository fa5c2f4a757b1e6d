"""The page with Glific's flow editor, configured like in Glific's own web application."""

import json
from typing import Any

PREFIX = "/flow-editor/"
LISTS = (
    *("globals", "groups", "labels", "channels", "classifiers", "ticketers", "resthooks", "templates", "languages"),
    *("environment", "users", "recipients", "completion", "activity", "sheets", "flows", "optins"),
)
OTHER_PATHS = {
    "fields": "fields?scope=contact",
    "waGroupFields": "fields?scope=wa_group",
    "attachments": "flow-attachment",
    "topics": "labels",
    "contacts": "recipients",
    "recents": "recents/",
    "validateMedia": "validate-media",
    "interactives": "interactive-templates",
}
# Lengths and fonts of Glific's own page, because the sizes of boxes depend on them. Glific does not load Roboto
# either: staff see Arial, and here a font with the same widths.
STYLE = """
html { --font-size: 14px; --font-family: Roboto, Helvetica, Arial, sans-serif; }
body { width: 100%; margin: 0; }
#flow { font: 300 var(--font-size) var(--font-family); }
#flow * { box-sizing: initial !important; }
#canvas-container { margin-top: 70px; }
#canvas-container > div { padding-top: 80px; }
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Flow</title><link rel="icon" href="data:,">{styles}<style>{style}</style></head>
<body><div id="flow"></div>{scripts}
<script>
const show = () => showFlowEditor(document.getElementById("flow"), {settings});
// The editor fails if the flow is shown before its web components are loaded.
customElements.whenDefined("temba-store").then(show);
</script></body>
</html>
"""


def render_page(flow: str, files: list[str]) -> str:
    """Return the page for the flow with this UUID. The editor's files must be in the order of their dependencies."""
    styles = "".join(f'<link rel="stylesheet" href="/{file}">' for file in files if file.endswith(".css"))
    scripts = "".join(f'<script src="/{file}"></script>' for file in files if file.endswith(".js"))
    return PAGE.format(styles=styles, style=STYLE, scripts=scripts, settings=json.dumps(editor_settings(flow)))


def editor_settings(flow: str) -> dict[str, Any]:
    """Return Glific's configuration of the editor, without the menu filters, as no test opens a menu."""
    return {
        "flow": flow,
        "flowType": "messaging",
        "localStorage": True,
        "mutable": True,
        "showNodeLabel": False,
        "attachmentsEnabled": False,
        "filters": ["whatsapp", "classifier"],
        "help": {},
        "endpoints": _endpoints(flow),
    }


def _endpoints(flow: str) -> dict[str, Any]:
    paths = {name: name for name in LISTS} | OTHER_PATHS | {"revisions": f"revisions/{flow}"}
    served: dict[str, Any] = {name: PREFIX + path for name, path in paths.items()}
    return served | {"simulateStart": False, "simulateResume": False, "editor": "/flow/configure", "contact": "/chat/"}
