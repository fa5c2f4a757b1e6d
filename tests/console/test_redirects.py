"""Targets of redirects that a request names: only pages of the console, and no line breaks."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from glific_gpt.accounts.tables import Role
from tests.console.users import PASSWORD, ConsoleUser, create_user
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice?days=7"
FOREIGN = (
    "https://evil.example",
    "http:evil.example",
    "//evil.example",
    "///evil.example",
    " //evil.example",
    "/\\evil.example",
    "/console/\\evil.example",
    "/console//evil.example",
    "/\t/evil.example",
    "\r\n//evil.example",
    "javascript:alert(1)",
    "/webhooks/alice",
    "http://[",
    "/console/\r\nSet-Cookie: a=b",
    "/console/\n",
    "/console/\r",
    "/console/?a=\r\n",
    "/console/\x00",
    "/console/\x85",
    "/console/\u2028",
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def owner_signed_out(alice: TestOrganization) -> Iterator[ConsoleUser]:
    person = create_user(alice.server, "owner@alice.example.org", Role.OWNER, alice.slug)
    with person.client:
        yield person


def target_after(person: ConsoleUser, path: str, target: str, *, query: str = "", **fields: str) -> str:
    """Send a form, with the target of the redirect in it or in the query. Return the address of the redirect."""
    encoded = quote(target)
    body = "&".join(f"{name}={quote(value)}" for name, value in {"csrf_token": person.token(), **fields}.items())
    address = f"{person.server.url}{path}" + (f"?{query}={encoded}" if query else "")
    content = body if query else f"{body}&next={encoded}"
    answer = person.client.post(address, content=content, headers=FORM)
    assert answer.status_code == 302, answer.status_code
    return answer.headers["location"]


@pytest.mark.parametrize(("target", "expected"), [(PAGE, PAGE), *((target, "/console/") for target in FOREIGN)])
def test_the_language_switch_leads_to_pages_of_the_console_only(
    owner_signed_out: ConsoleUser, target: str, expected: str
) -> None:
    assert target_after(owner_signed_out, "/console/language", target, language="hi") == expected


@pytest.mark.parametrize("query", ["", "next"], ids=["in the form", "in the query"])
@pytest.mark.parametrize(("target", "expected"), [(PAGE, PAGE), *((target, "/console/") for target in FOREIGN)])
def test_signing_in_leads_to_pages_of_the_console_only(
    owner_signed_out: ConsoleUser, target: str, expected: str, query: str
) -> None:
    path, fields = "/console/account/sign-in", {"email": owner_signed_out.email, "password": PASSWORD}
    assert target_after(owner_signed_out, path, target, query=query, **fields) == expected
