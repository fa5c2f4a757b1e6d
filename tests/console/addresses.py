"""All pages of the console, from the URL map, with values for the variables of their addresses."""

from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

ENDPOINT_PREFIXES = ("console.", "security.", "root.")
DOWNLOAD_ENDPOINTS = {"console.export_calls", "console.export_report", "console.export_server_report"}
"""Endpoints that return a file."""

STATIC_ENDPOINTS = {"console.static", "security.static"}


@dataclass(frozen=True)
class Address:
    """A method and a path of one endpoint."""

    method: str
    endpoint: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


def list_addresses(app: Flask, **values: str | int) -> list[Address]:
    """Return every method of every page.

    `values` fill the variables of addresses. Raises KeyError for a variable without a value.
    """
    return [
        Address(method, rule.endpoint, _path(app, rule, values))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(ENDPOINT_PREFIXES) and rule.endpoint not in STATIC_ENDPOINTS
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def list_pages(app: Flask, calls: str) -> list[Address]:
    """Return the pages of seva-trust and of the server.

    `calls` is the HTML of its call list, from which one call is taken.
    """
    call_id = f"call_{calls.partition('call_')[2][:24]}"
    found = list_addresses(app, slug="seva-trust", call_id=call_id, token_id=1, user_id=1, token="nonsense")
    return [page for page in found if page.method == "GET" and page.endpoint not in DOWNLOAD_ENDPOINTS]


def _path(app: Flask, rule: Rule, values: dict[str, str | int]) -> str:
    filled = {**values, **(rule.defaults or {})}
    arguments = {name: filled[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, arguments)
