"""E-mail addresses: one normal form for each, in which people are stored, found, limited and recorded."""

import unicodedata

from email_validator import EmailNotValidError, validate_email
from flask_security import MailUtil
from flask_security.mail_util import EmailValidateException

from glific_gpt.errors import N_, InvalidValue

MAX_LENGTH = 255
MAX_TYPED = 1000
"""A longer text is not an address, and is not parsed."""

MSG_INVALID = N_("This is not an e-mail address. Enter one such as asha@example.org.")
MSG_TOO_LONG = N_("This e-mail address is too long. Enter at most 255 characters.")

FULL_STOPS = ".\u3002"
"""Full stops that may end a domain, as in `example.org.`; the second one is ideographic (UTS #46)."""
JOINERS = "\u200c\u200d"
"""Invisible characters that distinguish domains in some scripts (RFC 5892, appendix A)."""
# Characters that are not drawn, although Unicode counts them among letters and marks (Default_Ignorable_Code_Point).
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(code) for block in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for code in block
}


def normalize(text: str) -> str:
    """Return the normal form of an address. Different spellings of an address have the same one.

    Spellings differ in case, blanks, invisible characters, Unicode forms, and ways to write a domain (IDNA). A text
    that is not an address is returned without these differences, too, or empty if it is too long.
    """
    stripped = text.strip()
    folded = _fold(stripped) if len(stripped) <= MAX_TYPED else ""
    try:
        return _fold(validate_email(folded, check_deliverability=False).normalized)
    except EmailNotValidError:
        return folded


def validate(text: str) -> str:
    """Return the normal form of an address to which e-mail can be sent. Raises InvalidValue."""
    # An address without its joiners could be in the domain of another owner.
    has_joiner = not set(JOINERS).isdisjoint(text.strip())
    try:
        valid = validate_email("" if has_joiner else normalize(text), check_deliverability=False)
    except EmailNotValidError:
        raise InvalidValue(MSG_INVALID) from None
    address = _fold(valid.normalized)
    if len(address) > MAX_LENGTH:
        raise InvalidValue(MSG_TOO_LONG)
    return address


class NormalizingMailUtil(MailUtil):
    """Makes Flask-Security's forms use the same normal form."""

    def normalize(self, email: str) -> str:
        """Raises EmailValidateException, which the forms expect, for a text that is not an address."""
        try:
            return validate(normalize(email))
        except InvalidValue as error:
            raise EmailValidateException(str(error)) from None

    def validate(self, email: str) -> str:
        return self.normalize(email)


def _fold(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", text).lower()
    visible = "".join(character for character in compatible if not _is_invisible(character))
    # Again, because lower case and missing characters can change how letters and their marks are combined.
    return unicodedata.normalize("NFKC", visible).strip().rstrip(FULL_STOPS)


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cf")
