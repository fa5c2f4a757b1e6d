"""Check the server's public address, and its clock."""

import json
import time
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import httpcore2

from glific_gpt.clock import Deadline, now
from glific_gpt.database import transaction
from glific_gpt.errors import N_
from glific_gpt.network.http_client import is_private_host, resolve_addresses
from glific_gpt.operations.doctor.http_get import HttpResponse, Unreachable, get
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.organizations.connections import store as connections
from glific_gpt.services import services

TIMEOUT_SECONDS = 5
PUBLIC_URL_SETTING = "GLIFIC_GPT_PUBLIC_URL=https://..."

MSG_REACHABLE = N_("This server answers at %(url)s.")
MSG_UNKNOWN_HOST = N_("The host name in the address %(url)s does not exist.")
MSG_NO_ANSWER = N_("There was no answer from %(url)s within %(seconds)s seconds.")
MSG_OTHER_SERVER = N_("A different server answers at %(url)s (status %(status)s).")
MSG_REDIRECT = N_("The address %(url)s redirects to another one (status %(status)s). Glific does not follow redirects.")
MSG_PRIVATE = N_("This server answers at %(url)s, but only inside its own network. Glific cannot reach it.")
MSG_NO_HTTPS = N_(
    "This server answers at %(url)s, but without https. Others can read tokens and questions on the network."
)
REMEDY_START = N_("Start the server, check the proxy in front of it, or correct GLIFIC_GPT_PUBLIC_URL.")
REMEDY_ADDRESS = N_("Correct GLIFIC_GPT_PUBLIC_URL, or the proxy in front of the server.")
REMEDY_PUBLISH = N_("Give the server a public name with https.")
REMEDY_HTTPS = N_("Set up https in front of the server, and change GLIFIC_GPT_PUBLIC_URL.")


def check_address(_slug: str) -> CheckResult:
    """Check that this server answers at its public address, and that Glific can reach it."""
    url = services().settings.public_url
    host, deadline = urlsplit(url).hostname or "", Deadline.after(TIMEOUT_SECONDS)
    try:
        is_private = is_private_host(host, resolve_addresses)
        # /livez needs neither a token nor the database, so that this check is about the address only.
        response = get(f"{url}/livez", deadline)
    except httpcore2.ConnectError:
        return _address_problem(MSG_UNKNOWN_HOST, REMEDY_ADDRESS, {"url": url})
    except Unreachable:
        return _address_problem(MSG_NO_ANSWER, REMEDY_START, {"url": url, "seconds": TIMEOUT_SECONDS})
    return evaluate_livez(url, response, is_private=is_private)


def evaluate_livez(url: str, response: HttpResponse, *, is_private: bool) -> CheckResult:
    """Evaluate the response of /livez; `is_private` for an address that the Internet does not reach."""
    values = {"url": url, "status": response.status}
    if not _is_livez_of_this_software(response):
        message = MSG_REDIRECT if 300 <= response.status < 400 else MSG_OTHER_SERVER
        return _address_problem(message, REMEDY_ADDRESS, values)
    if is_private:
        return CheckResult(
            "address",
            CheckStatus.WARNING,
            MSG_PRIVATE,
            REMEDY_PUBLISH,
            values,
            command=PUBLIC_URL_SETTING,
            is_private_only=True,
        )
    if not url.startswith("https:"):
        return CheckResult(
            "address", CheckStatus.WARNING, MSG_NO_HTTPS, REMEDY_HTTPS, values, command=PUBLIC_URL_SETTING
        )
    return CheckResult("address", CheckStatus.OK, MSG_REACHABLE, values=values)


def _address_problem(message: str, remedy: str, values: dict[str, object]) -> CheckResult:
    return CheckResult("address", CheckStatus.PROBLEM, message, remedy, values, command=PUBLIC_URL_SETTING)


def _is_livez_of_this_software(response: HttpResponse) -> bool:
    with suppress(ValueError):
        return response.status == 200 and json.loads(response.body) == {"status": "ok"}
    return False


MAX_CLOCK_ERROR_SECONDS = 30
MAX_SIGNATURE_ERROR_SECONDS = 300
"""Beyond this the clock is a problem for signatures, which are valid for 15 minutes."""

MSG_CLOCK_CORRECT = N_("The server's clock is correct.")
MSG_CLOCK_WRONG = N_("The server's clock differs by %(seconds)s seconds from OpenAI's.")
MSG_CLOCK_UNKNOWN = N_("Not checked: OpenAI did not send its time.")
REMEDY_CLOCK = N_("Synchronize the server's clock with NTP. Webhook signatures are valid for 15 minutes only.")


def check_clock(slug: str) -> CheckResult:
    """Compare the server's clock with OpenAI's, as signatures are only valid for some minutes."""
    sent_at, started = now(), time.monotonic()
    try:
        # Without a key OpenAI refuses the request, which costs nothing, but the response still has a date.
        response = get(f"{services().settings.openai_base_url}/models", Deadline.after(TIMEOUT_SECONDS))
    except Unreachable:
        return CheckResult("clock", CheckStatus.SKIPPED, MSG_CLOCK_UNKNOWN)
    if response.date is None:
        return CheckResult("clock", CheckStatus.SKIPPED, MSG_CLOCK_UNKNOWN)
    # OpenAI read its clock about half-way between the request and the response.
    read_at = sent_at + timedelta(seconds=(time.monotonic() - started) / 2)
    difference = abs((response.date - read_at).total_seconds())
    if difference <= MAX_CLOCK_ERROR_SECONDS:
        return CheckResult("clock", CheckStatus.OK, MSG_CLOCK_CORRECT)
    requires_signature, signs_answers = _uses_signatures(slug)
    is_problem = difference > MAX_SIGNATURE_ERROR_SECONDS and (requires_signature or signs_answers)
    return CheckResult(
        "clock",
        CheckStatus.PROBLEM if is_problem else CheckStatus.WARNING,
        MSG_CLOCK_WRONG,
        REMEDY_CLOCK,
        {"seconds": round(difference)},
        is_deferred_only=is_problem and not requires_signature,
    )


def _uses_signatures(slug: str) -> tuple[bool, bool]:
    """Return whether calls must be signed, and whether later answers are signed."""
    with transaction() as session:
        organization = store.find(session, slug)
        connection = connections.find_or_none(session, organization.id)
    return organization.require_signature, connection is not None and connection.way == "signed"
