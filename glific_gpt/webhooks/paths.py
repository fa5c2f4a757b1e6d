"""The paths of webhooks, as the router reads them. The server decides by them how it serves a request.

Werkzeug removes all slashes at the start of a path before it looks for a route (`MapAdapter.match`, `Request.path`),
whatever `merge_slashes` says. `//webhooks/...` and `/%2Fwebhooks/...` are therefore webhooks too.
"""

PREFIX = "/webhooks"


def normalize(path: str) -> str:
    """Return a decoded path as the router reads it: with one slash at its start."""
    return "/" + path.lstrip("/")


def is_webhook(path: str) -> bool:
    """Return whether the router looks for a decoded path among the webhooks. It need not be the path of a route."""
    return normalize(path).startswith(f"{PREFIX}/")


def organization_name(path: str) -> str:
    """Return the name in the decoded path of a webhook, which need not be that of an organization."""
    return normalize(path)[len(PREFIX) + 1 :].partition("/")[0]
