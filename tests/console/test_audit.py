"""The audit trail: who changed what, for those of the organization; and everything for administrators."""

import html
import re

import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.console.conftest import Staff
from tests.console.people import Person, employ
from tests.support.house import House, Ngo

AUDIT = "/console/organizations/alice/audit"
EVERYTHING = "/console/server/audit"


def told(page: str) -> list[tuple[str, str]]:
    """Who and what, the newest first."""
    cells = re.findall(r'<td[^>]*data-label="(?:Who|What)"[^>]*>([^<]*)</td>', page)
    words = [html.unescape(cell) for cell in cells]
    return list(zip(words[::2], words[1::2], strict=True))


def record(house: House, *emails: str) -> None:
    with house.app.app_context(), transaction() as session:
        alice = store.find(session, "alice")
        for email in emails:
            trail.record(session, Action.MEMBER_REMOVED, alice.id, email=email)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_of_an_organization_reads_who_changed_what(staff: Staff, owner: Person, role: Role) -> None:
    owner.post("/console/organizations/alice/members", {"email": "asha@example.org", "role": "viewer"})
    reader = owner if role is Role.OWNER else staff(role)
    page = told(reader.get(AUDIT).text)
    assert (owner.email, "Added asha@example.org as a member: Viewer") in page
    assert (owner.email, "Made a one-time link for asha@example.org") in page


def test_an_organization_reads_nothing_of_another(house: House, owner: Person, administrator: Person) -> None:
    house.ngo("bob")
    employ(house, "theirs@example.org", Role.OWNER, "bob").client.close()
    assert "theirs@example.org" not in owner.get(AUDIT).text
    everything = administrator.get(EVERYTHING).text
    assert "theirs@example.org" in everything
    assert 'href="/console/organizations/alice/audit"' in everything
    assert "This server" in everything


@pytest.mark.parametrize("role", list(Role))
def test_only_administrators_read_everything(staff: Staff, role: Role) -> None:
    assert staff(role).get(EVERYTHING).status_code == 404


def test_it_is_not_there_for_who_belongs_elsewhere(house: House, alice: Ngo, bob: Ngo) -> None:
    theirs = employ(house, "theirs@example.org", Role.OWNER, bob.slug)
    theirs.sign_in()
    assert theirs.get(AUDIT).status_code == 404
    theirs.client.close()


def test_it_goes_back_page_by_page_to_the_first_change(house: House, owner: Person) -> None:
    record(house, *(f"{number}@example.org" for number in range(trail.PAGE * 2)))
    page, seen = owner.get(AUDIT).text, []
    assert "Newest" not in page
    while older := re.search(r'href="([^"]+)">[^<]*Older', page):
        seen += told(page)
        page = owner.get(html.unescape(older[1])).text
        assert f'href="{AUDIT}"' in page
    sentences = [what for _who, what in seen + told(page)]
    assert sentences[: trail.PAGE * 2] == [f"Removed the member {n}@example.org" for n in range(trail.PAGE * 2)][::-1]
    assert sentences[-1] == "Made the organization alice"


@pytest.mark.parametrize("before", ["1", "0", "-5", "nonsense", "9223372036854775808", "9" * 40])
def test_it_takes_any_address(owner: Person, before: str) -> None:
    assert owner.get(f"{AUDIT}?before={before}").status_code == 200
