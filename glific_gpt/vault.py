"""The vault: encrypts and decrypts an organization's secrets; a secret can be read in the place it was written for."""

import base64
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr


class UnreadableSecret(Exception):
    """No master key reads this ciphertext here: it was written under another key, or for another place."""


class Vault:
    """Master keys in, ciphertexts out. The first master key encrypts, all decrypt.

    Each place (an organization's id and what the secret is for) has keys of its own, derived with HKDF
    (RFC 5869) from each master key, so a ciphertext that is copied to another row cannot be read there.
    """

    def __init__(self, master_keys: Sequence[SecretStr]) -> None:
        self._masters = [base64.urlsafe_b64decode(key.get_secret_value()) for key in master_keys]
        # Deriving costs more than decrypting; what is derived depends on nothing that can change.
        self._keys_for = lru_cache(maxsize=10_000)(self._derive)

    def __repr__(self) -> str:
        return f"Vault({len(self._masters)} keys)"

    def encrypt(self, organization_id: int, purpose: str, secret: str) -> str:
        return self._keys_for(organization_id, purpose).encrypt(secret.encode()).decode()

    def decrypt(self, organization_id: int, purpose: str, ciphertext: str) -> str:
        """Raises UnreadableSecret."""
        try:
            return self._keys_for(organization_id, purpose).decrypt(ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            raise UnreadableSecret from None

    def rotate(self, organization_id: int, purpose: str, ciphertext: str) -> str:
        """The same secret under the first master key. Raises UnreadableSecret."""
        try:
            return self._keys_for(organization_id, purpose).rotate(ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            raise UnreadableSecret from None

    def _derive(self, organization_id: int, purpose: str) -> MultiFernet:
        info = f"glific_gpt:{organization_id}:{purpose}".encode()
        derived = (HKDF(SHA256(), length=32, salt=None, info=info).derive(master) for master in self._masters)
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
