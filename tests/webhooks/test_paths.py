"""Paths of webhooks: the server and the router agree which paths are those of webhooks."""

from itertools import product

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from glific_gpt.webhooks import blueprint, paths

PIECES = ("/", "webhooks", "alice")
MAX_PIECES = 8


def routed_slug(app: Flask, path: str) -> str | None:
    """Return the name to which the router sends a POST; None if it finds no route, or that of something else."""
    try:
        endpoint, arguments = app.url_map.bind("localhost").match(path, "POST")
    except HTTPException:
        return None
    return str(arguments["slug"]) if endpoint == "webhooks.call_function" else None


def test_every_path_that_the_router_sends_to_a_webhook_is_one_with_the_same_organization() -> None:
    app = Flask(__name__)
    app.url_map.merge_slashes = False
    app.register_blueprint(blueprint)
    spellings = ["".join(pieces) for length in range(MAX_PIECES + 1) for pieces in product(PIECES, repeat=length)]
    routed = {path: slug for path in spellings if (slug := routed_slug(app, path)) is not None}
    assert {"/webhooks/alice/alice", "//webhooks/alice/alice", "///webhooks/alice/alice"} <= set(routed)
    assert {path: paths.organization_name(path) for path in routed} == routed
    assert [path for path in routed if not paths.is_webhook(path)] == []


@pytest.mark.parametrize("path", ["", "/", "//", "/webhooks", "/webhook/s", "/console/webhooks/", "/./webhooks/a/b"])
def test_other_paths_are_no_webhooks(path: str) -> None:
    assert not paths.is_webhook(path)
