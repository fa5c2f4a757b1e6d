"""Audit trail of an organization, and of the whole server for administrators."""

import html
import re

import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.console.conftest import Staff
from tests.console.users import ConsoleUser, create_user
from tests.support.server import RunningServer, TestOrganization

AUDIT = "/console/organizations/alice/audit"
EVERYTHING = "/console/server/audit"


def told(page: str) -> list[tuple[str, str]]:
    """Return person and change of each entry, newest first."""
    cells = re.findall(r'<td[^>]*data-label="(?:Person|Change)"[^>]*>([^<]*)</td>', page)
    words = [html.unescape(cell) for cell in cells]
    return list(zip(words[::2], words[1::2], strict=True))


def record(server: RunningServer, *emails: str) -> None:
    with server.app.app_context(), transaction() as session:
        alice = store.find(session, "alice")
        for email in emails:
            trail.record(session, Action.MEMBER_REMOVED, alice.id, email=email)


@pytest.mark.parametrize("role", list(Role))
def test_all_members_can_read_the_audit_trail(staff: Staff, owner: ConsoleUser, role: Role) -> None:
    owner.post("/console/organizations/alice/members", {"email": "asha@example.org", "role": "viewer"})
    reader = owner if role is Role.OWNER else staff(role)
    page = told(reader.get(AUDIT).text)
    assert (owner.email, "Added asha@example.org as a member: Viewer") in page
    assert (owner.email, "Created a one-time link for asha@example.org") in page


def test_an_organization_sees_no_entries_of_another(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser
) -> None:
    server.add_organization("bob")
    create_user(server, "theirs@example.org", Role.OWNER, "bob").client.close()
    assert "theirs@example.org" not in owner.get(AUDIT).text
    everything = administrator.get(EVERYTHING).text
    assert "theirs@example.org" in everything
    assert 'href="/console/organizations/alice/audit"' in everything
    assert "This server" in everything


@pytest.mark.parametrize("role", list(Role))
def test_only_administrators_can_read_the_server_trail(staff: Staff, role: Role) -> None:
    assert staff(role).get(EVERYTHING).status_code == 404


def test_the_page_of_another_organization_is_not_found(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    theirs = create_user(server, "theirs@example.org", Role.OWNER, bob.slug)
    theirs.sign_in()
    assert theirs.get(AUDIT).status_code == 404
    theirs.client.close()


def test_older_pages_lead_to_the_first_change(server: RunningServer, owner: ConsoleUser) -> None:
    record(server, *(f"{number}@example.org" for number in range(trail.PAGE_SIZE * 2)))
    page, seen = owner.get(AUDIT).text, []
    assert "Newest" not in page
    while older := re.search(r'href="([^"]+)">[^<]*Older', page):
        seen += told(page)
        page = owner.get(html.unescape(older[1])).text
        assert f'href="{AUDIT}"' in page
    sentences = [what for _who, what in seen + told(page)]
    assert (
        sentences[: trail.PAGE_SIZE * 2]
        == [f"Removed the member {n}@example.org" for n in range(trail.PAGE_SIZE * 2)][::-1]
    )
    assert sentences[-1] == "Created the organization alice"


@pytest.mark.parametrize("before", ["1", "0", "-5", "nonsense", "9223372036854775808", "9" * 40])
def test_invalid_paging_shows_the_newest_entries(owner: ConsoleUser, before: str) -> None:
    assert owner.get(f"{AUDIT}?before={before}").status_code == 200
