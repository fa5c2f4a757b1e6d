"""The server's bare address, which people type in: it leads to the console."""

from flask import Blueprint, Response, redirect, url_for

front = Blueprint("front", __name__)


@front.get("/")
def index() -> Response:
    return redirect(url_for("console.home"))  # type: ignore[return-value]
