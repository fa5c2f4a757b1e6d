"""The deletion of an organization: nothing of it is left, and nothing else changes."""

from typing import Any

import pytest
from sqlalchemy import select

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role, User
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import find_tenant
from glific_gpt.clock import Deadline, now
from glific_gpt.database import transaction
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.errors import NotFound, Unauthorized
from glific_gpt.operations.organization_data import deletion
from glific_gpt.operations.organization_data.deletion import Deletion, delete_organization
from glific_gpt.organizations import store
from tests.audit.reading import Line, lines
from tests.conftest import StartServer
from tests.operations.organization_data.scenario import SHARED_PERSON, fill, organization_id, other_rows, rows_of
from tests.support.call_records import create_call
from tests.support.deferred import has_unfinished_work, pending_call_id, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error, require_ok

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("patient_deferral")]

KEY = {"Idempotency-Key": "a-key"}


def delete(organization: TestOrganization, **options: Any) -> Deletion:
    server = organization.server
    with server.app.app_context():
        return delete_organization(server.services.engine, organization.slug, **options)


def emails_of(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        return list(session.scalars(select(User.email).order_by(User.email)))


def test_no_row_of_it_is_left_and_no_other_row_changes(
    alice: TestOrganization, bob: TestOrganization, glific: GlificStandIn
) -> None:
    for organization in (alice, bob):
        fill(organization, glific)
    server, alice_id = alice.server, organization_id(alice)
    assert all(rows_of(server, alice_id).values())  # otherwise the scenario forgets a table
    before = other_rows(server, alice_id)
    assert delete(alice) == Deletion(is_complete=True, people=1)
    after = other_rows(server, alice_id)
    assert not any(rows_of(server, alice_id).values())
    # The account of the owner, who belongs to no other organization, and the entries of the deletion.
    assert [user["email"] for user in before["users"] if user not in after["users"]] == ["owner@alice.example.org"]
    assert [entry["action"] for entry in after["audit_entries"][len(before["audit_entries"]) :]] == [
        "person_deleted",
        "organization_deleted",
    ]
    for name, rows in before.items():
        if name not in ("users", "audit_entries"):
            assert after[name] == rows, name
    assert after["audit_entries"][: len(before["audit_entries"])] == before["audit_entries"]


def test_the_audit_trail_keeps_the_slug_alone(alice: TestOrganization, glific: GlificStandIn) -> None:
    fill(alice, glific)
    delete(alice)
    *_, person, organization = lines(alice.server)
    assert organization == Line("server", "organization_deleted", {"slug": "alice"})
    assert person.detail["email"].startswith("deleted person ")
    assert "owner@alice" not in str(lines(alice.server))


def test_administrators_and_members_of_other_organizations_keep_their_accounts(
    alice: TestOrganization, bob: TestOrganization
) -> None:
    with alice.server.app.app_context(), transaction() as session:
        for organization in (alice, bob):
            people.add_member(session, store.find(session, organization.slug).id, SHARED_PERSON, Role.OWNER)
        people.create_person(session, "admin@example.org", administrator=True)
        for email in ("admin@example.org", "only@example.org"):
            people.add_member(session, store.find(session, "alice").id, email, Role.EDITOR)
    assert delete(alice).people == 1
    assert emails_of(alice.server) == ["admin@example.org", SHARED_PERSON]


def test_its_tokens_and_stored_answers_are_unknown_after_its_slug_is_reused(
    server: RunningServer, alice: TestOrganization
) -> None:
    alice.change(calls_per_minute=2)
    first = alice.post({"question_text": "What is ORS?"}, headers=KEY)
    require_ok(first)
    old_id = organization_id(alice)
    delete(alice)
    require_error(alice.post({"question_text": "What is ORS?"}, headers=KEY), "unauthorized")
    again = server.add_organization("alice", calls_per_minute=2)
    require_error(alice.ask(), "unauthorized")
    assert organization_id(again) != old_id
    assert again.calls() == []
    # Neither the stored answer nor the counted calls are those of the organization before.
    replies = [again.post({"question_text": "What is ORS?"}, headers=KEY), again.ask()]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].json()["call_id"] != first.json()["call_id"]


def test_a_secret_of_the_organization_before_cannot_be_read_under_its_slug(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    fill(alice, glific)
    (old,) = rows_of(server, organization_id(alice))["credentials"]
    delete(alice)
    again = server.add_organization("alice")
    with server.app.app_context():
        assert not server.services.vault.can_decrypt(organization_id(again), "open_ai", old["ciphertext"])


def test_waiting_answers_and_their_work_end(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, glific: GlificStandIn
) -> None:
    for organization in (alice, bob):
        organization.connect(glific)
        pending_call_id(organization.ask_deferred())
    delete(alice)
    with server.app.app_context():
        (left,) = server.services.engine.list_unfinished()
    assert left == bob.calls()[0]["call_id"]


def test_an_answer_that_arrives_after_the_deletion_is_dropped(
    server_with_worker: RunningServer, glific: GlificStandIn, openai: OpenAIStandIn
) -> None:
    alice = server_with_worker.add_organization("alice")
    alice.connect(glific)

    def delete_meanwhile(exchange: Exchange) -> None:
        assert delete(alice).is_complete
        answer()(exchange)

    openai.will(delete_meanwhile)
    pending_call_id(alice.ask_deferred())
    wait_until(lambda: openai.requests and not has_unfinished_work(server_with_worker), 90)
    assert glific.resumptions == []


def test_e_mails_of_the_organization_that_wait_are_deleted(start_server: StartServer) -> None:
    server = start_server(mail_url="smtp://127.0.0.1:9", mail_from="gpt@example.org")
    alice, bob = server.add_organization("alice"), server.add_organization("bob")
    expires_at = now().replace(year=now().year + 1)
    for organization in (alice, bob):
        with server.app.app_context():
            owner = organization_id(organization)
            with transaction() as session:
                email = Email(f"new@{organization.slug}.example.org", "Your link", "https://example.org")
                server.services.outbox.send(session, email, expires_at, owner)
    delete(alice)
    with server.app.app_context(), transaction() as session:
        assert len(session.scalars(select(OutgoingEmail)).all()) == 1
        assert len(server.services.engine.list_unfinished()) == 1


def test_many_calls_are_deleted_in_batches_before_the_rest(
    alice: TestOrganization, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    for organization in (alice, bob, alice, alice, alice, alice):
        create_call(organization)
    batches: list[int] = []
    delete(alice, on_rows=batches.append)
    assert batches == [2, 2]
    assert len(bob.calls()) == 1


def test_an_interrupted_deletion_leaves_the_organization_switched_off_and_can_be_repeated(
    alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    for _ in range(5):
        create_call(alice)
    assert delete(alice, seconds=0.0) == Deletion(is_complete=False)
    require_error(alice.ask(), "organization_inactive")
    assert len(alice.calls()) == 4
    assert delete(alice).is_complete


def test_an_unknown_organization_is_not_found(alice: TestOrganization) -> None:
    delete(alice)
    with pytest.raises(NotFound):
        delete(alice)


def test_a_call_that_was_authenticated_before_the_deletion_is_refused_without_a_trace(
    alice: TestOrganization, server: RunningServer
) -> None:
    with server.app.app_context():
        tenant = find_tenant("alice", "open_ai", alice.token)
        assert tenant is not None
        delete(alice)
        context = CallContext(tenant.organization_id, "parse_via_chat_gpt")
        body = b'{"question_text": "What is ORS?"}'
        inbound = InboundCall("parse_via_chat_gpt", body, Deadline.after(5))
        with pytest.raises(Unauthorized):
            server.services.pipeline.run(tenant, inbound, context)
        with transaction() as session:
            assert session.scalars(select(Call)).all() == []
