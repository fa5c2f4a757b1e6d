"""Rules for new passwords: the length, and that others cannot guess them.

NIST SP 800-63B advises against rules about the characters of a password, and for a check against common ones.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from flask_babel import gettext
from flask_security import PasswordUtil
from sqlalchemy import select

from glific_gpt.accounts.tables import Membership, User
from glific_gpt.database import transaction
from glific_gpt.errors import N_, InvalidValue
from glific_gpt.organizations.tables import Organization

MIN_LENGTH = 12
MAX_LENGTH = 128

MSG_GUESSABLE = N_(
    "This password is too easy to guess. Choose another one. Several words that do not belong together make a good "
    "password."
)
MSG_PERSONAL = N_(
    "This password contains your e-mail address, the name of your organization or the name of this product. Choose one "
    "without them."
)

MIN_SCORE = 4
"""zxcvbn's best of its scores 0 to 4: more than 10^10 guesses. Common passwords with a year or a sign get 3."""
CHECKED_LENGTH = 24
"""Characters that zxcvbn reads, which takes up to a second. With 72 characters it can take many seconds."""
PRODUCT_NAMES = ("glific", "glific_gpt")
COMMON_IN_INDIA = (
    *("jaishreeram", "jaishriram", "jaimatadi", "jaihind", "bharatmatakijai", "vandemataram", "radhekrishna"),
    *("harekrishna", "omnamahshivaya", "omsairam", "waheguru", "allahuakbar", "inshallah", "hindustan", "namaste"),
)
"""Common phrases that zxcvbn's lists, which come from English texts and leaked passwords, do not have."""
MIN_WORD_LENGTH = 4
"""Shorter names are parts of many other words."""


def validate(password: str, names: Iterable[str] = ()) -> str:
    """Return the password as it is hashed. `names` are those of the person and of organizations.

    Raises InvalidValue for a password that is too short, too long, or easy to guess.
    """
    # As Flask-Security does before hashing. Otherwise a password from a command could not be entered on the page.
    normalized = unicodedata.normalize("NFKD", password)
    if not MIN_LENGTH <= len(normalized) <= MAX_LENGTH:
        raise InvalidValue(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    words = {word for name in (*PRODUCT_NAMES, *names) for word in _spellings(name)}
    letters = _letters(normalized)
    if any(word in letters for word in words if len(word) >= MIN_WORD_LENGTH):
        raise InvalidValue(MSG_PERSONAL)
    if _score(normalized, words) < MIN_SCORE:
        raise InvalidValue(MSG_GUESSABLE)
    return normalized


def names_of(user: User) -> list[str]:
    """Return the names that a person's password must not contain. Opens a transaction."""
    query = (
        select(Organization.slug, Organization.name)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user.id)
    )
    with transaction() as session:
        return [user.email, *(name for row in session.execute(query) for name in row)]


class StrictPasswordUtil(PasswordUtil):
    """Applies these rules to the forms of Flask-Security, which has messages of its own about the length."""

    def validate(self, password: str, is_register: bool, **kwargs: Any) -> tuple[list[str] | None, str]:  # noqa: FBT001
        messages, normalized = super().validate(password, is_register, **kwargs)
        if not messages:
            try:
                validate(password, names_of(kwargs["user"]))
            except InvalidValue as error:
                messages = [gettext(str(error))]
        return messages, normalized


def _spellings(name: str) -> Iterator[str]:
    """Yield a name in letters and digits, and of an e-mail address also the part before the @-sign."""
    yield _letters(name)
    if "@" in name:
        yield _letters(name.partition("@")[0])


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _score(password: str, words: Iterable[str]) -> int:
    # Imported here: its word lists take 13 MiB, and most processes never check a new password.
    from zxcvbn import zxcvbn

    result = zxcvbn(password[:CHECKED_LENGTH], user_inputs=[*words, *COMMON_IN_INDIA])
    return int(result["score"])
