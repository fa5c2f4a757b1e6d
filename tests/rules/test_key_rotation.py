"""Rotation of the encryption key while the server is in use."""

import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.glific.resumption import ApiAccess
from glific_gpt.glific.signature import sign
from glific_gpt.operations import rotation, secrets
from glific_gpt.operations.secrets import BATCH_SIZE, SecretCount
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import connecting
from glific_gpt.organizations.connections import store as connections
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault
from tests.conftest import StartServer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.settings import ENCRYPTION_KEY

NEW_KEY = Fernet.generate_key().decode()
PHRASE = "a phrase that glific knows too"
PHONE = "919876543210"


def on_server(test_organization: TestOrganization, server: RunningServer) -> TestOrganization:
    """Return the same organization on another server with the same database."""
    return TestOrganization(server, test_organization.slug, test_organization.token, test_organization.key)


def rotate(server: RunningServer, vault: Vault | None = None) -> SecretCount:
    with server.app.app_context():
        *_, count = rotation.rotate(vault or server.services.vault)
    return count


def connect(test_organization: TestOrganization, password: str) -> None:
    """Connect the organization to Glific without verification."""
    app = test_organization.server.services
    with test_organization.server.app.app_context():
        connecting.connect_by_api(
            app.vault,
            app.glific,
            test_organization.slug,
            api_url="http://127.0.0.1",
            phone=PHONE,
            password=SecretStr(password),
            verify=False,
        )


def password_of(test_organization: TestOrganization, server: RunningServer) -> str:
    """Return the password with which this server signs in to Glific."""
    with server.app.app_context(), transaction() as session:
        organization = organizations.find(session, test_organization.slug)
        access = connections.load_access(session, server.services.vault, organization.id, None)
    assert isinstance(access, ApiAccess)
    return access.password.get_secret_value()


def insert_deliveries(test_organization: TestOrganization, texts: list[tuple[str | None, str | None]]) -> None:
    """Insert waiting deliveries, each with its question and answer, if any."""
    vault = test_organization.server.services.vault
    with test_organization.server.app.app_context(), transaction() as session:
        owner = organizations.find(session, test_organization.slug).id
        for number, (question, answer) in enumerate(texts):
            call_id = f"call_{number:04}_of_{test_organization.slug}"
            session.add(
                Call(
                    call_id=call_id,
                    organization_id=owner,
                    function="parse_via_chat_gpt",
                    status="pending",
                    started_at=now(),
                    give_up_at=now(),
                )
            )
            session.flush()
            session.add(
                Delivery(
                    call_id=call_id,
                    organization_id=owner,
                    result_name="gpt_response",
                    reserved_usd=Decimal(0),
                    accepted_at=now(),
                    question=question and vault.encrypt(owner, delivery_records.QUESTION_PURPOSE, question),
                    answer=answer and vault.encrypt(owner, delivery_records.ANSWER_PURPOSE, answer),
                    state="waiting",
                )
            )


def read_deliveries(server: RunningServer) -> list[tuple[str | None, str | None]]:
    """Return the question and answer of each delivery, as this server decrypts them."""
    vault = server.services.vault
    with server.app.app_context(), transaction() as session:
        rows = session.scalars(sa.select(Delivery).order_by(Delivery.call_id)).all()
    return [
        (
            row.question and vault.decrypt(row.organization_id, delivery_records.QUESTION_PURPOSE, row.question),
            row.answer and vault.decrypt(row.organization_id, delivery_records.ANSWER_PURPOSE, row.answer),
        )
        for row in rows
    ]


class InterruptedVault(Vault):
    """A vault that calls a function after a secret was read and before it is written."""

    def __init__(self, server: RunningServer, interrupt: Callable[[], None]) -> None:
        super().__init__(server.services.settings.encryption_keys)
        self._interrupt = interrupt

    def rotate(self, *secret: Any) -> str | None:
        self._interrupt()
        return super().rotate(*secret)


def ciphertexts(server: RunningServer) -> list[str | None]:
    with server.app.app_context(), transaction() as session:
        credentials = session.scalars(sa.select(Credential.ciphertext).order_by(Credential.id)).all()
        logins = session.scalars(
            sa.select(GlificConnection.ciphertext).order_by(GlificConnection.organization_id)
        ).all()
        return [
            *credentials,
            *logins,
            *session.scalars(sa.select(Organization.signature_phrase).order_by(Organization.id)),
        ]


def test_the_old_key_can_be_removed_after_a_rotation(start_server: StartServer) -> None:
    old = start_server(encryption_keys=ENCRYPTION_KEY)
    all_organizations = [old.add_organization("alice"), old.add_organization("bob")]
    all_organizations[0].set_phrase(PHRASE)
    both = start_server(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")
    assert [on_server(test_organization, both).ask().status_code for test_organization in all_organizations] == [
        200,
        200,
    ]

    count = rotate(both)

    assert (count.readable, count.unreadable) == (3, 0)
    new = start_server(encryption_keys=NEW_KEY)
    assert [on_server(test_organization, new).ask().status_code for test_organization in all_organizations] == [
        200,
        200,
    ]
    assert [
        on_server(test_organization, old).ask().json()["error_code"] for test_organization in all_organizations
    ] == ["not_ready"] * 2


def test_a_secret_that_no_key_decrypts_is_counted_and_unchanged(start_server: StartServer) -> None:
    old = start_server(encryption_keys=ENCRYPTION_KEY)
    alice, bob = old.add_organization("alice"), old.add_organization("bob")
    alice.set_phrase(PHRASE)
    new = start_server(encryption_keys=NEW_KEY)
    on_server(bob, new).set_key(bob.key)
    before = ciphertexts(old)

    count = rotate(new)

    after = ciphertexts(old)
    assert (count.readable, count.unreadable) == (1, 2)
    assert [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == [1]
    assert alice.ask().status_code == 200
    assert on_server(bob, new).ask().status_code == 200


def test_a_key_that_is_replaced_during_a_rotation_stays_replaced(
    start_server: StartServer, openai: OpenAIStandIn
) -> None:
    rotating, another = start_server(), start_server()
    alice = rotating.add_organization("alice")
    replaced = on_server(alice, another)

    rotate(rotating, InterruptedVault(rotating, lambda: replaced.set_key("sk-proj-the-new-key-9999")))

    assert alice.ask().status_code == 200
    assert openai.requests[-1].api_key == "sk-proj-the-new-key-9999"


def test_a_phrase_that_is_replaced_during_a_rotation_stays_replaced(start_server: StartServer) -> None:
    rotating, another = start_server(), start_server()
    alice = rotating.add_organization("alice", key="")
    alice.set_phrase(PHRASE)
    replaced = on_server(alice, another)

    rotate(rotating, InterruptedVault(rotating, lambda: replaced.set_phrase("another phrase")))

    assert [is_accepted(alice, phrase) for phrase in ("another phrase", PHRASE)] == [True, False]


def test_a_glific_login_that_is_replaced_during_a_rotation_stays_replaced(start_server: StartServer) -> None:
    rotating, another = start_server(), start_server()
    alice = rotating.add_organization("alice", key="")
    connect(alice, "the-password-before")
    replaced = on_server(alice, another)

    rotate(rotating, InterruptedVault(rotating, lambda: connect(replaced, "the-password-after")))

    assert password_of(alice, rotating) == "the-password-after"


def test_glific_logins_and_waiting_deliveries_are_readable_without_the_old_key(start_server: StartServer) -> None:
    old = start_server(encryption_keys=ENCRYPTION_KEY)
    alice, bob = old.add_organization("alice", key=""), old.add_organization("bob", key="")
    connect(alice, "password-of-alice")
    connect(bob, "password-of-bob")
    texts = [("asked", None), (None, "answered"), ("asked again", "answered again"), (None, None)]
    insert_deliveries(alice, texts)
    both = start_server(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")

    count = rotate(both)

    assert (count.readable, count.unreadable) == (6, 0)
    new = start_server(encryption_keys=NEW_KEY)
    assert [password_of(test_organization, new) for test_organization in (alice, bob)] == [
        "password-of-alice",
        "password-of-bob",
    ]
    assert read_deliveries(new) == texts


def test_it_continues_after_the_first_batch_until_nothing_is_left(start_server: StartServer) -> None:
    old = start_server(encryption_keys=ENCRYPTION_KEY)
    texts: list[tuple[str | None, str | None]] = [(f"question {number}", None) for number in range(BATCH_SIZE + 3)]
    insert_deliveries(old.add_organization("alice", key=""), texts)
    both = start_server(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")
    with both.app.app_context(), transaction() as session:
        total = secrets.count_secrets(session)

    count = rotate(both)

    assert (total, count.processed, count.readable) == (BATCH_SIZE + 3,) * 3
    assert read_deliveries(start_server(encryption_keys=NEW_KEY)) == texts


def is_accepted(test_organization: TestOrganization, phrase: str) -> bool:
    headers = {"Authorization": "", "X-Glific-Signature": sign(phrase, b"{}", int(time.time()))}
    return test_organization.post(content=b"{}", headers=headers).status_code != 401


def test_a_rotation_changes_no_modification_time(server: RunningServer, alice: TestOrganization) -> None:
    def changed_at() -> list[datetime]:
        with server.app.app_context(), transaction() as session:
            moments = session.scalars(sa.select(Credential.updated_at)).all()
            return [*moments, *session.scalars(sa.select(GlificConnection.updated_at))]

    connect(alice, "password-of-alice")
    before, secrets = changed_at(), ciphertexts(server)
    rotate(server)
    assert not set(ciphertexts(server)) & set(secrets) - {None}
    assert changed_at() == before
