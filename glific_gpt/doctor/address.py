"""Does this server answer at the address that goes into Glific, and can Glific get there?"""

import json
from contextlib import suppress
from urllib.parse import urlsplit

import httpcore2

from glific_gpt.clock import Deadline
from glific_gpt.doctor import web
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.http_client import addresses, is_inside
from glific_gpt.services import services

NAME = "address"
SECONDS = 5

NO_NAME = N_("The name in the address %(url)s leads nowhere.")
AWAY = N_("Nothing answered at the address %(url)s within %(seconds)s seconds.")
START = N_("Start the server, and look at the proxy before it; or correct the address that the server is told it has.")
ELSEWHERE = N_("Something else than this server answers at the address %(url)s (with status %(status)s).")
REDIRECT = N_("The address %(url)s leads on to another one (status %(status)s), and Glific does not follow.")
CORRECT = N_("Correct the address that the server is told it has, or the proxy before it.")
INSIDE = N_("This server answers at %(url)s, but only inside its own network: Glific cannot get there.")
PUBLISH = N_("To use it with Glific, give the server a public name with https.")
OPEN = N_("This server answers at %(url)s, but without https: anybody on the way can read tokens and questions.")
ENCRYPT = N_("Put https before it, and change the address that the server is told it has.")
GOOD = N_("This server answers at %(url)s.")

SETTING = "GLIFIC_GPT_PUBLIC_URL=https://..."


def look(_slug: str) -> Finding:
    url = services().settings.public_url
    host, deadline = urlsplit(url).hostname or "", Deadline.after(SECONDS)
    values = {"url": url, "seconds": SECONDS}
    try:
        inside = is_inside(host, addresses)
        page = web.get(f"{url}/livez", deadline)
    except httpcore2.ConnectError:
        return Finding(NAME, Verdict.PROBLEM, NO_NAME, CORRECT, values, command=SETTING)
    except web.Unreachable:
        return Finding(NAME, Verdict.PROBLEM, AWAY, START, values, command=SETTING)
    return judged(url, page, is_inside=inside)


def judged(url: str, page: web.Page, *, is_inside: bool) -> Finding:
    """What to say of that page at /livez; `is_inside` for an address that the Internet does not reach."""
    values = {"url": url, "status": page.status}
    if not _is_ours(page):
        says = REDIRECT if 300 <= page.status < 400 else ELSEWHERE
        return Finding(NAME, Verdict.PROBLEM, says, CORRECT, values, command=SETTING)
    if is_inside:
        return Finding(NAME, Verdict.WARNING, INSIDE, PUBLISH, values, command=SETTING, only_inside=True)
    if not url.startswith("https:"):
        return Finding(NAME, Verdict.WARNING, OPEN, ENCRYPT, values, command=SETTING)
    return Finding(NAME, Verdict.OK, GOOD, values=values)


def _is_ours(page: web.Page) -> bool:
    with suppress(ValueError):
        return page.status == 200 and json.loads(page.body) == {"status": "ok"}
    return False
