"""To try a password takes memory and a core: each process does little of it at once, so that webhooks go on."""

import threading

from flask import Response, g, make_response, render_template, request

from glific_gpt.accounts.blueprint import SHOWN_AGAIN

AT_ONCE = 2
WAIT_SECONDS = 2.0
"""How long somebody stands in line before being asked to come again."""
COME_AGAIN_SECONDS = 60

places = threading.BoundedSemaphore(AT_ONCE)


def enter() -> Response | None:
    """Before a try."""
    if not is_a_try():
        return None
    if not places.acquire(timeout=WAIT_SECONDS):
        return slowed(COME_AGAIN_SECONDS)
    g.has_a_place = True
    return None


def leave(_failure: BaseException | None) -> None:
    """At the end of each request, however it went."""
    if g.pop("has_a_place", False):
        places.release()


def is_a_try() -> bool:
    """Whether somebody says a password or a code."""
    return request.method == "POST" and request.endpoint in SHOWN_AGAIN


def slowed(seconds: int) -> Response:
    """The page for who has to wait."""
    response = make_response(render_template("security/slowed.html", minutes=-(-seconds // 60)), 429)
    response.headers["Retry-After"] = str(seconds)
    return response
