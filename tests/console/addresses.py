"""The pages of the console, found in the URL map, each with what makes its address real."""

from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

PREFIXES = ("console.", "security.", "front.")
FILES = {"console.export_calls"}
"""What is no page but a file to keep."""

NOT_PAGES = {"console.static", "security.static"}


@dataclass(frozen=True)
class Address:
    """One way to ask for one page."""

    method: str
    endpoint: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


def addresses(app: Flask, **values: str | int) -> list[Address]:
    """Every method of every page; `values` stand for what is variable in addresses. KeyError for a new variable."""
    return [
        Address(method, rule.endpoint, _path(app, rule, values))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(PREFIXES) and rule.endpoint not in NOT_PAGES
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def openable(app: Flask, calls: str) -> list[Address]:
    """The pages of seva-trust and of the server; `calls` is the page of its calls, with one that can be looked at."""
    call_id = f"call_{calls.partition('call_')[2][:24]}"
    found = addresses(app, slug="seva-trust", call_id=call_id, token_id=1, user_id=1, token="nonsense")
    return [page for page in found if page.method == "GET" and page.endpoint not in FILES]


def _path(app: Flask, rule: Rule, values: dict[str, str | int]) -> str:
    arguments = {name: values[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, arguments)
