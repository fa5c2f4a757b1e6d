"""The page that shows Glific's flow editor, set up as Glific's own web application sets it up."""

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
# Lengths and fonts that Glific gives the editor, for boxes get their size from them. Glific loads no Roboto either:
# what staff see is Arial, and here a font of the same widths.
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
// The editor loads its web components by itself, and fails when the flow is there before them.
customElements.whenDefined("temba-store").then(show);
</script></body>
</html>
"""


def render_page(flow: str, files: list[str]) -> str:
    """For the flow with that UUID, with the editor's files in the order in which they build on each other."""
    styles = "".join(f'<link rel="stylesheet" href="/{file}">' for file in files if file.endswith(".css"))
    scripts = "".join(f'<script src="/{file}"></script>' for file in files if file.endswith(".js"))
    return PAGE.format(styles=styles, style=STYLE, scripts=scripts, settings=json.dumps(editor_settings(flow)))


def editor_settings(flow: str) -> dict[str, Any]:
    """What Glific tells the editor, but for what it leaves out of menus: nobody opens one here."""
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
