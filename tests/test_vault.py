"""The vault: a secret is readable only for its organization and purpose, and only with its master key."""

import base64
import re

import pytest
from cryptography.fernet import Fernet, InvalidToken
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from glific_gpt.errors import NotReady
from glific_gpt.vault import Vault

OLD, NEW = SecretStr(Fernet.generate_key().decode()), SecretStr(Fernet.generate_key().decode())
VAULT = Vault([OLD])
SECRET = "sk-proj-alice-0123456789"


@settings(deadline=None)
@given(st.integers(0, 2**63), st.text(), st.text(st.characters(codec="utf-8")))
def test_it_decrypts_what_it_encrypted(organization_id: int, purpose: str, secret: str) -> None:
    purpose = purpose.encode("ascii", "replace").decode()
    ciphertext = VAULT.encrypt(organization_id, purpose, secret)
    assert VAULT.decrypt(organization_id, purpose, ciphertext) == secret


def test_each_ciphertext_of_a_secret_is_different() -> None:
    ciphertexts = {VAULT.encrypt(1, "open_ai", SECRET) for _ in range(10)}
    assert len(ciphertexts) == 10
    assert not any(SECRET in ciphertext for ciphertext in ciphertexts)


@pytest.mark.parametrize(("organization_id", "purpose"), [(2, "open_ai"), (1, "signature_phrase"), (11, "open_ai")])
def test_another_organization_or_purpose_cannot_decrypt_a_secret(organization_id: int, purpose: str) -> None:
    ciphertext = VAULT.encrypt(1, "open_ai", SECRET)
    with pytest.raises(NotReady):
        VAULT.decrypt(organization_id, purpose, ciphertext)
    assert VAULT.rotate(organization_id, purpose, ciphertext) is None
    assert not VAULT.can_decrypt(organization_id, purpose, ciphertext)


@pytest.mark.parametrize("invalid", ["", "x", "gAAAA", "é", SECRET])
def test_it_refuses_text_that_is_not_a_ciphertext(invalid: str) -> None:
    with pytest.raises(NotReady) as caught:
        VAULT.decrypt(1, "open_ai", invalid)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_refuses_a_modified_ciphertext() -> None:
    raw = bytearray(base64.urlsafe_b64decode(VAULT.encrypt(1, "open_ai", SECRET)))
    raw[-40] ^= 1
    with pytest.raises(NotReady):
        VAULT.decrypt(1, "open_ai", base64.urlsafe_b64encode(raw).decode())


def test_a_master_key_alone_decrypts_nothing() -> None:
    with pytest.raises(InvalidToken):
        Fernet(OLD.get_secret_value()).decrypt(VAULT.encrypt(1, "open_ai", SECRET).encode())


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    both = Vault([NEW, OLD])
    assert both.decrypt(1, "open_ai", VAULT.encrypt(1, "open_ai", SECRET)) == SECRET
    assert Vault([NEW]).decrypt(1, "open_ai", both.encrypt(1, "open_ai", SECRET)) == SECRET
    with pytest.raises(NotReady):
        VAULT.decrypt(1, "open_ai", both.encrypt(1, "open_ai", SECRET))


def test_a_rotated_secret_does_not_need_the_old_key() -> None:
    rotated = Vault([NEW, OLD]).rotate(1, "open_ai", VAULT.encrypt(1, "open_ai", SECRET))
    assert rotated is not None
    assert Vault([NEW]).decrypt(1, "open_ai", rotated) == SECRET
    with pytest.raises(NotReady):
        VAULT.decrypt(1, "open_ai", rotated)


def test_its_repr_hides_the_keys() -> None:
    assert repr(Vault([NEW, OLD])) == "Vault(2 keys)"


@pytest.mark.parametrize("size", range(20))
def test_it_seals_content_in_characters_that_need_no_escaping(size: int) -> None:
    content = bytes(range(size))
    sealed = VAULT.seal(1, "thread", content)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", sealed)
    assert VAULT.unseal(1, "thread", sealed) == content
    assert Vault([NEW, OLD]).unseal(1, "thread", sealed) == content
    assert [VAULT.unseal(2, "thread", sealed), VAULT.unseal(1, "other", sealed)] == [None, None]


@pytest.mark.parametrize("invalid", ["", "x", "gAAAA", "é", "a" * 100])
def test_unreadable_sealed_content_is_no_failure_of_the_server(invalid: str) -> None:
    assert VAULT.unseal(1, "thread", invalid) is None
    assert not VAULT.has_failed("thread")
