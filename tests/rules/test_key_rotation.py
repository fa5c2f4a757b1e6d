"""The key that encrypts every secret is replaced while organizations work on."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet

from glific_gpt.credentials import rotation
from glific_gpt.credentials.rotation import Count
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.glific.signature import sign
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault
from tests.conftest import OpenHouse
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import ENCRYPTION_KEY

NEW_KEY = Fernet.generate_key().decode()
PHRASE = "a phrase that glific knows too"


def moved(ngo: Ngo, house: House) -> Ngo:
    """The same organization on another server with the same database."""
    return Ngo(house, ngo.slug, ngo.token, ngo.key)


def rotate(house: House, vault: Vault | None = None) -> Count:
    with house.app.app_context():
        *_, count = rotation.rotate(vault or house.services.vault)
    return count


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
        return [*credentials, *session.scalars(sa.select(Organization.signature_phrase).order_by(Organization.id))]


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


def is_let_in(ngo: Ngo, phrase: str) -> bool:
    headers = {"Authorization": "", "X-Glific-Signature": sign(phrase, b"{}", int(time.time()))}
    return ngo.post(content=b"{}", headers=headers).status_code != 401


def test_a_rotation_is_no_change_of_the_key(house: House, alice: Ngo) -> None:
    def changed_at() -> list[datetime]:
        with house.app.app_context(), transaction() as session:
            return list(session.scalars(sa.select(Credential.updated_at)))

    before, secrets = changed_at(), ciphertexts(house)
    rotate(house)
    assert ciphertexts(house) != secrets
    assert changed_at() == before
