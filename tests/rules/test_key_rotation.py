"""The key that encrypts every secret is replaced while organizations work on."""

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
from glific_gpt.connections import connecting
from glific_gpt.connections import store as connections
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.glific.resumption import ApiAccess
from glific_gpt.glific.signature import sign
from glific_gpt.operations import rotation
from glific_gpt.operations.rotation import BATCH_SIZE, RotationCount
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault
from tests.conftest import OpenHouse
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import ENCRYPTION_KEY

NEW_KEY = Fernet.generate_key().decode()
PHRASE = "a phrase that glific knows too"
PHONE = "919876543210"


def moved(ngo: Ngo, house: House) -> Ngo:
    """The same organization on another server with the same database."""
    return Ngo(house, ngo.slug, ngo.token, ngo.key)


def rotate(house: House, vault: Vault | None = None) -> RotationCount:
    with house.app.app_context():
        *_, count = rotation.rotate(vault or house.services.vault)
    return count


def connect(ngo: Ngo, password: str) -> None:
    """Gives it a connection to Glific, which nobody is asked about."""
    app = ngo.house.services
    with ngo.house.app.app_context():
        connecting.connect_by_api(
            app.vault,
            app.glific,
            ngo.slug,
            api_url="http://127.0.0.1",
            phone=PHONE,
            password=SecretStr(password),
            verify=False,
        )


def password_of(ngo: Ngo, house: House) -> str:
    """What that server logs in to its Glific with."""
    with house.app.app_context(), transaction() as session:
        organization = organizations.find(session, ngo.slug)
        access = connections.load_access(session, house.services.vault, organization.id, None)
    assert isinstance(access, ApiAccess)
    return access.password.get_secret_value()


def begin_deliveries(ngo: Ngo, texts: list[tuple[str | None, str | None]]) -> None:
    """As many answers on their way, each with what was asked or what was answered."""
    vault = ngo.house.services.vault
    with ngo.house.app.app_context(), transaction() as session:
        owner = organizations.find(session, ngo.slug).id
        for number, (question, answer) in enumerate(texts):
            call_id = f"call_{number:04}_of_{ngo.slug}"
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


def deliveries_of(house: House) -> list[tuple[str | None, str | None]]:
    """What that server reads of them."""
    vault = house.services.vault
    with house.app.app_context(), transaction() as session:
        rows = session.scalars(sa.select(Delivery).order_by(Delivery.call_id)).all()
    return [
        (
            row.question and vault.decrypt(row.organization_id, delivery_records.QUESTION_PURPOSE, row.question),
            row.answer and vault.decrypt(row.organization_id, delivery_records.ANSWER_PURPOSE, row.answer),
        )
        for row in rows
    ]


class Interrupted(Vault):
    """Lets somebody else do something after a secret was read and before it is written."""

    def __init__(self, house: House, meanwhile: Callable[[], None]) -> None:
        super().__init__(house.services.settings.encryption_keys)
        self._meanwhile = meanwhile

    def rotate(self, *secret: Any) -> str:
        self._meanwhile()
        return super().rotate(*secret)


def ciphertexts(house: House) -> list[str | None]:
    with house.app.app_context(), transaction() as session:
        credentials = session.scalars(sa.select(Credential.ciphertext).order_by(Credential.id)).all()
        logins = session.scalars(
            sa.select(GlificConnection.ciphertext).order_by(GlificConnection.organization_id)
        ).all()
        return [
            *credentials,
            *logins,
            *session.scalars(sa.select(Organization.signature_phrase).order_by(Organization.id)),
        ]


def test_the_old_key_can_be_taken_away_after_a_rotation(open_a_house: OpenHouse) -> None:
    old = open_a_house(encryption_keys=ENCRYPTION_KEY)
    ngos = [old.ngo("alice"), old.ngo("bob")]
    ngos[0].set_phrase(PHRASE)
    both = open_a_house(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")
    assert [moved(ngo, both).ask().status_code for ngo in ngos] == [200, 200]

    count = rotate(both)

    assert (count.reencrypted, count.unreadable) == (3, 0)
    new = open_a_house(encryption_keys=NEW_KEY)
    assert [moved(ngo, new).ask().status_code for ngo in ngos] == [200, 200]
    assert [moved(ngo, old).ask().json()["error_code"] for ngo in ngos] == ["credential_missing"] * 2


def test_a_secret_that_no_key_reads_is_counted_and_left_as_it_is(open_a_house: OpenHouse) -> None:
    old = open_a_house(encryption_keys=ENCRYPTION_KEY)
    alice, bob = old.ngo("alice"), old.ngo("bob")
    alice.set_phrase(PHRASE)
    new = open_a_house(encryption_keys=NEW_KEY)
    moved(bob, new).set_key(bob.key)
    before = ciphertexts(old)

    count = rotate(new)

    after = ciphertexts(old)
    assert (count.reencrypted, count.unreadable) == (1, 2)
    assert [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == [1]
    assert alice.ask().status_code == 200
    assert moved(bob, new).ask().status_code == 200


def test_a_key_that_is_replaced_during_a_rotation_stays_replaced(
    open_a_house: OpenHouse, openai: OpenAIStandIn
) -> None:
    rotating, another = open_a_house(), open_a_house()
    alice = rotating.ngo("alice")
    replaced = moved(alice, another)

    rotate(rotating, Interrupted(rotating, lambda: replaced.set_key("sk-proj-the-new-key-9999")))

    assert alice.ask().status_code == 200
    assert openai.requests[-1].api_key == "sk-proj-the-new-key-9999"


def test_a_phrase_that_is_replaced_during_a_rotation_stays_replaced(open_a_house: OpenHouse) -> None:
    rotating, another = open_a_house(), open_a_house()
    alice = rotating.ngo("alice", key="")
    alice.set_phrase(PHRASE)
    replaced = moved(alice, another)

    rotate(rotating, Interrupted(rotating, lambda: replaced.set_phrase("another phrase")))

    assert [is_let_in(alice, phrase) for phrase in ("another phrase", PHRASE)] == [True, False]


def test_a_login_at_glific_that_is_replaced_during_a_rotation_stays_replaced(open_a_house: OpenHouse) -> None:
    rotating, another = open_a_house(), open_a_house()
    alice = rotating.ngo("alice", key="")
    connect(alice, "the-password-before")
    replaced = moved(alice, another)

    rotate(rotating, Interrupted(rotating, lambda: connect(replaced, "the-password-after")))

    assert password_of(alice, rotating) == "the-password-after"


def test_logins_at_glific_and_answers_on_their_way_outlast_the_old_key(open_a_house: OpenHouse) -> None:
    old = open_a_house(encryption_keys=ENCRYPTION_KEY)
    alice, bob = old.ngo("alice", key=""), old.ngo("bob", key="")
    connect(alice, "password-of-alice")
    connect(bob, "password-of-bob")
    texts = [("asked", None), (None, "answered"), ("asked again", "answered again"), (None, None)]
    begin_deliveries(alice, texts)
    both = open_a_house(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")

    count = rotate(both)

    assert (count.reencrypted, count.unreadable) == (6, 0)
    new = open_a_house(encryption_keys=NEW_KEY)
    assert [password_of(ngo, new) for ngo in (alice, bob)] == ["password-of-alice", "password-of-bob"]
    assert deliveries_of(new) == texts


def test_it_goes_on_after_the_first_batch_until_nothing_is_left(open_a_house: OpenHouse) -> None:
    old = open_a_house(encryption_keys=ENCRYPTION_KEY)
    texts: list[tuple[str | None, str | None]] = [(f"question {number}", None) for number in range(BATCH_SIZE + 3)]
    begin_deliveries(old.ngo("alice", key=""), texts)
    both = open_a_house(encryption_keys=f"{NEW_KEY},{ENCRYPTION_KEY}")
    with both.app.app_context(), transaction() as session:
        total = rotation.count_secrets(session)

    count = rotate(both)

    assert (total, count.processed, count.reencrypted) == (BATCH_SIZE + 3,) * 3
    assert deliveries_of(open_a_house(encryption_keys=NEW_KEY)) == texts


def is_let_in(ngo: Ngo, phrase: str) -> bool:
    headers = {"Authorization": "", "X-Glific-Signature": sign(phrase, b"{}", int(time.time()))}
    return ngo.post(content=b"{}", headers=headers).status_code != 401


def test_a_rotation_is_no_change_of_the_key_nor_of_the_connection(house: House, alice: Ngo) -> None:
    def changed_at() -> list[datetime]:
        with house.app.app_context(), transaction() as session:
            moments = session.scalars(sa.select(Credential.updated_at)).all()
            return [*moments, *session.scalars(sa.select(GlificConnection.updated_at))]

    connect(alice, "password-of-alice")
    before, secrets = changed_at(), ciphertexts(house)
    rotate(house)
    assert not set(ciphertexts(house)) & set(secrets) - {None}
    assert changed_at() == before
