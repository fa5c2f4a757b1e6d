"""Two-step sign-in: every code works once, and recovery codes cannot be read back."""

import hmac
from typing import Any

from flask_security import MfRecoveryCodesUtil, Totp
from passlib.exc import UsedTokenError
from sqlalchemy import or_, update

from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction


class SingleUseTotp(Totp):
    """Stores the 30-second counter of the last code, and refuses codes of it and of earlier counters."""

    def get_last_counter(self, user: User) -> int | None:  # type: ignore[override]
        return user.totp_last_counter

    def set_last_counter(self, user: User, tmatch: Any) -> None:  # type: ignore[override]
        """Raises UsedTokenError if another request has used the same code in between."""
        counter = User.totp_last_counter
        newer = update(User).where(User.id == user.id, or_(counter.is_(None), counter < tmatch.counter))
        with transaction() as session:
            taken = session.execute(newer.values(totp_last_counter=tmatch.counter).returning(User.id)).first()
        if taken is None:
            raise UsedTokenError


class HashedRecoveryCodes(MfRecoveryCodesUtil):
    """Stores recovery codes as HMACs, so that they are shown once only."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._key: bytes = app.config["SECURITY_RECOVERY_CODES_KEY"]

    def get_recovery_codes(self, user: Any) -> list[str]:
        return []  # codes cannot be read back from their HMACs

    def check_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        return self._digest(code) in (user.mf_recovery_codes or [])

    def delete_recovery_code(self, user: User, code: str) -> bool:  # type: ignore[override]
        # Imported here, because the datastore is created after this class.
        from flask import current_app

        index = (user.mf_recovery_codes or []).index(self._digest(code))
        return bool(current_app.extensions["security"].datastore.mf_delete_recovery_code(user, index))

    def _encrypt_codes(self, codes: list[str]) -> list[str]:
        return [self._digest(code) for code in codes]

    def _digest(self, code: str) -> str:
        return hmac.digest(self._key, code.strip().lower().encode(), "sha256").hex()
