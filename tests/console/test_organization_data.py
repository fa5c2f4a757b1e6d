"""Data of an organization: export by owners, deletion by administrators; deletion of people."""

import io
from contextlib import AbstractContextManager
from datetime import timedelta
from zipfile import ZipFile

import pytest
import time_machine
from sqlalchemy.exc import OperationalError

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.clock import now
from glific_gpt.console.views import organization_data
from glific_gpt.database import report_locks, transaction
from glific_gpt.database import session as sessions
from glific_gpt.operations.organization_data import deletion, export
from glific_gpt.organizations import store
from tests.audit.reading import lines
from tests.console.conftest import Staff
from tests.console.users import ConsoleUser, create_user
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

PAGE = "/console/organizations/alice/data"
EXPORT, DELETE = f"{PAGE}/export", f"{PAGE}/delete"
LONG_AGO = timedelta(minutes=20)
"""How long after the password was entered it has to be confirmed."""


def test_an_owner_downloads_the_data_as_a_zip_file(owner: ConsoleUser, alice: TestOrganization) -> None:
    create_call(alice)
    assert "Download all data" in owner.get(PAGE).text
    assert PAGE in owner.get("/console/organizations/alice/settings").text
    answer = owner.post(EXPORT)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="alice-{now():%Y-%m-%d}.zip"'
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.read("calls.jsonl").splitlines()) == 1
    last = lines(alice.server, "alice")[-1]
    assert (last.actor, last.action) == (owner.email, "organization_exported")


def test_an_editor_sees_neither_the_page_nor_a_link(editor: ConsoleUser) -> None:
    assert editor.get(PAGE).status_code == 403
    assert PAGE not in editor.get("/console/organizations/alice/settings").text


def test_an_owner_sees_no_deletion(owner: ConsoleUser) -> None:
    assert "Delete organization" not in owner.get(PAGE).text


def test_the_password_has_to_be_confirmed_after_a_while(administrator: ConsoleUser, server: RunningServer) -> None:
    person = create_user(server, "ravi@example.org")
    with time_machine.travel(now() + LONG_AGO):
        for path, data in ((EXPORT, {}), (DELETE, {"typed": "alice"}), ("/console/server/people/1/delete", {})):
            answer = administrator.post(path, data, page="/console/account")
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/console/account/confirm?next=/console/")
        assert person.email in administrator.get("/console/server/people").text


def test_one_export_runs_at_a_time(owner: ConsoleUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organization_data, "EXPORT_TIMEOUT_SECONDS", 0.01)
    assert organization_data.export_slot.acquire("bob", 1)
    try:
        assert owner.post(EXPORT).headers["Location"] == PAGE
        assert "Another export is running." in owner.get(PAGE).text
    finally:
        organization_data.export_slot.release()
    assert [owner.post(EXPORT).status_code for _ in range(2)] == [200, 200]


def test_an_export_that_fails_at_its_beginning_releases_its_slot(
    owner: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_organization: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    with monkeypatch.context() as failing:
        failing.setattr(export, "record", fail)
        assert owner.post(EXPORT).status_code == 503
    monkeypatch.setattr(organization_data, "EXPORT_TIMEOUT_SECONDS", 0.01)
    assert owner.post(EXPORT).status_code == 200


def test_the_page_and_the_export_read_for_one_viewer_of_an_organization_at_a_time(
    owner: ConsoleUser, server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read all calls, on connections that the reports of all organizations share."""
    with server.app.app_context(), transaction() as session:
        organization_id = store.find(session, alice.slug).id
    held: list[int] = []

    def hold_report_lock(of_organization: int, timeout: float) -> AbstractContextManager[None]:
        held.append(of_organization)
        return report_locks.hold_report_lock(of_organization, timeout)

    monkeypatch.setattr(sessions, "hold_report_lock", hold_report_lock)
    assert owner.get(PAGE).status_code == 200
    assert held == [organization_id]
    assert owner.post(EXPORT).status_code == 200
    assert set(held[1:]) == {organization_id}


def test_an_administrator_deletes_an_organization_by_typing_its_slug(
    administrator: ConsoleUser, alice: TestOrganization, staff: Staff
) -> None:
    create_call(alice)
    staff(Role.OWNER)
    page = administrator.get(PAGE).text
    assert "owner@alice.example.org" in page
    refused = administrator.post(DELETE, {"typed": "Alice"})
    assert refused.status_code == 422
    assert "This is not the name that stands above. Nothing was deleted." in refused.text
    deleted = administrator.post(DELETE, {"typed": "alice"})
    assert deleted.headers["Location"] == "/console/organizations"
    listed = administrator.get("/console/organizations").text
    assert "The organization alice is deleted." in listed
    assert administrator.get(PAGE).status_code == 404
    assert lines(alice.server)[-1] == (administrator.email, "organization_deleted", {"slug": "alice"})


def test_an_organization_with_many_calls_is_deleted_in_several_requests(
    administrator: ConsoleUser, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_data, "DELETION_SECONDS", 0.0)
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    for _ in range(3):
        create_call(alice)
    assert administrator.post(DELETE, {"typed": "alice"}).headers["Location"] == PAGE
    assert "Repeat the step to delete the rest." in administrator.get(PAGE).text
    assert administrator.post(DELETE, {"typed": "alice"}).headers["Location"] == "/console/organizations"


def person_url(server: RunningServer, email: str) -> str:
    """Return the address of a person's page."""
    with server.app.app_context(), transaction() as session:
        return f"/console/server/people/{people.find_person(session, email).id}"


@pytest.fixture
def ravi(server: RunningServer, alice: TestOrganization) -> str:
    """The address of the page of an editor."""
    create_user(server, "ravi@example.org", Role.EDITOR, alice.slug)
    return person_url(server, "ravi@example.org")


def test_an_administrator_deletes_a_person_by_typing_the_address(administrator: ConsoleUser, ravi: str) -> None:
    assert f"{ravi}/delete" in administrator.get(ravi).text
    assert "ravi@example.org" in administrator.get(f"{ravi}/delete").text
    assert administrator.post(f"{ravi}/delete", {"typed": "ravi"}).status_code == 422
    deleted = administrator.post(f"{ravi}/delete", {"typed": "ravi@example.org"})
    assert deleted.headers["Location"] == "/console/server/people"
    assert "The account is deleted." in administrator.get("/console/server/people").text
    assert administrator.get(ravi).status_code == 404


def test_the_only_owner_and_ones_own_account_stay(
    administrator: ConsoleUser, server: RunningServer, alice: TestOrganization
) -> None:
    create_user(server, "owner@example.org", Role.OWNER, alice.slug)
    create_user(server, "other@example.org")
    for email, reason in (
        ("owner@example.org", "This person is the only owner of an organization."),
        (administrator.email, "You cannot do this to your own account."),
    ):
        refused = administrator.post(f"{person_url(server, email)}/delete", {"typed": email})
        assert refused.status_code == 422
        assert reason in refused.text
