"""Encryption of organizations' secrets, with a separate key for each organization and purpose."""

import base64
import time
from collections.abc import Sequence
from functools import lru_cache

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from glific_gpt.errors import NotReady

RETRY_AFTER_SECONDS = 30
"""When a caller may try again. Meanwhile another process may have the key, or administrators may have added it."""

NO_ORGANIZATION = 0
"""An id that no organization has, for secrets of the server: no stored secret of an organization has the same key."""

_PADDING = "="
"""Ends base64 whose length is no multiple of four."""

LOG_SECONDS = 1.0
REMEMBER_SECONDS = 600.0

log = structlog.get_logger()


class Vault:
    """Encrypts with the first master key and decrypts with any of them.

    Each pair of organization id and purpose has separate keys, derived from each master key with HKDF (RFC 5869).
    A ciphertext that is copied to another row therefore cannot be read there.
    """

    def __init__(self, master_keys: Sequence[SecretStr]) -> None:
        self._masters = [base64.urlsafe_b64decode(key.get_secret_value()) for key in master_keys]
        self._failed_at: dict[str, float] = {}
        """When a secret could not be read, on `time.monotonic()`, by purpose."""
        # Deriving a key costs more than decrypting. A derived key never changes, so it can be cached.
        self._keys_for = lru_cache(maxsize=10_000)(self._derive_keys)

    def __repr__(self) -> str:
        return f"Vault({len(self._masters)} keys)"

    def encrypt(self, organization_id: int, purpose: str, secret: str) -> str:
        """Return a ciphertext that only the same organization id and purpose can decrypt."""
        return self._keys_for(organization_id, purpose).encrypt(secret.encode()).decode()

    def decrypt(self, organization_id: int, purpose: str, ciphertext: str) -> str:
        """Return the secret. If no master key reads it, log an error and raise NotReady: the server is at fault."""
        try:
            return self._keys_for(organization_id, purpose).decrypt(ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            self._note_failure(organization_id, purpose)
            raise NotReady(retry_after=RETRY_AFTER_SECONDS) from None

    def seal(self, organization_id: int, purpose: str, content: bytes) -> str:
        """Return a ciphertext for a caller to keep. It consists of letters, digits, hyphens and underscores."""
        return self._keys_for(organization_id, purpose).encrypt(content).decode().rstrip(_PADDING)

    def unseal(self, organization_id: int, purpose: str, sealed: str) -> bytes | None:
        """Return what `seal` was given; None if no master key reads it.

        It is not logged as an error of the server, because a caller can send anything.
        """
        padded = sealed + _PADDING * (-len(sealed) % 4)
        try:
            return self._keys_for(organization_id, purpose).decrypt(padded.encode())
        except (InvalidToken, ValueError):
            return None

    def has_failed(self, purpose: str) -> bool:
        """Return whether this process has met a secret of this purpose in the last minutes that it could not read."""
        return time.monotonic() - self._failed_at.get(purpose, float("-inf")) < REMEMBER_SECONDS

    def _note_failure(self, organization_id: int, purpose: str) -> None:
        """Log an error, at most once a second: a caller without a token can cause it too."""
        at = time.monotonic()
        if at - max(self._failed_at.values(), default=float("-inf")) >= LOG_SECONDS:
            log.error("secret_unreadable", organization_id=organization_id, purpose=purpose)
        self._failed_at[purpose] = at

    def can_decrypt(self, organization_id: int, purpose: str, ciphertext: str) -> bool:
        """Return whether a master key reads the ciphertext."""
        return self.rotate(organization_id, purpose, ciphertext) is not None

    def rotate(self, organization_id: int, purpose: str, ciphertext: str) -> str | None:
        """Re-encrypt under the first master key. Returns None if no master key reads the ciphertext."""
        try:
            return self._keys_for(organization_id, purpose).rotate(ciphertext.encode()).decode()
        except (InvalidToken, ValueError):
            return None

    def _derive_keys(self, organization_id: int, purpose: str) -> MultiFernet:
        derived = (_derive(master, f"{organization_id}:{purpose}") for master in self._masters)
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def derive_key(secret_key: SecretStr, purpose: str) -> bytes:
    """Derive a key from the server's secret key. It reveals neither the secret key nor the keys of other purposes."""
    return _derive(secret_key.get_secret_value().encode(), purpose)


def _derive(key: bytes, purpose: str) -> bytes:
    # RFC 5869 makes the salt optional for a key that is random already, as master keys are.
    return HKDF(SHA256(), length=32, salt=None, info=f"glific_gpt:{purpose}".encode()).derive(key)
