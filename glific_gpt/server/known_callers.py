"""Callers of webhooks who have authenticated before. Their calls do not queue behind those of unknown callers."""

import re
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.clock import now
from glific_gpt.glific.signature import SignatureCheck, is_current
from glific_gpt.settings import MAX_BODY_BYTES
from glific_gpt.webhooks.authentication import SIGNATURE_CHECK, UNKNOWN_PHRASE, read_bearer_token

MAX_ORGANIZATIONS = 10_000
MAX_TOKENS = 50
"""Tokens of an organization that are remembered. Few organizations have more than three."""

UNKNOWN = ""
"""The group of all other callers. No organization has this name."""


@dataclass
class _Organization:
    """The tokens of an organization, as hashes so that no token is kept, and the check of its signatures."""

    tokens: dict[int, None] = field(default_factory=dict)
    """In the order of their last calls."""
    check: SignatureCheck | None = None


class KnownCallers:
    """The tokens and signatures of authenticated callers, by organization. Only the event loop's thread may use it.

    An unknown caller can put any name into the path. With a group for each name, the calls of one with a thousand names
    would all come before an organization's next call, or those with its name would. To be known gives no access: each
    call is authenticated.
    """

    def __init__(self) -> None:
        self._organizations: dict[str, _Organization] = {}
        """In the order of their last calls. Only an organization's own calls can displace what is known of it."""
        self._failing_check = SignatureCheck(UNKNOWN_PHRASE)

    def has_token(self, name: str, environ: dict[str, Any]) -> bool:
        """Return whether the caller sends a token with which it has authenticated before."""
        known = self._organizations.get(name)
        return known is not None and _hash_token(environ) in known.tokens

    def find_check(self, name: str, environ: dict[str, Any]) -> SignatureCheck | None:
        """Return the check for a caller that sends a signature; None if it cannot be valid.

        Without a known phrase of the organization, the check always fails. It takes as long as any other, so that the
        time of an answer does not reveal which organizations use signatures. The signature of a body that is too long
        is not checked.
        """
        header = environ.get("HTTP_X_GLIFIC_SIGNATURE")
        if header is None or not is_current(header, now()) or _content_length(environ) > MAX_BODY_BYTES:
            return None
        known = self._organizations.get(name)
        return known.check if known and known.check else self._failing_check

    def forget_token(self, name: str, environ: dict[str, Any]) -> None:
        """Forget the token of a call that was refused: it may have been revoked."""
        if known := self._organizations.get(name):
            known.tokens.pop(_hash_token(environ), None)

    def add(self, name: str, environ: dict[str, Any]) -> None:
        """Remember how the caller of a call was authenticated, which the webhook has noted in `environ`."""
        known = self._organizations.pop(name, None) or _Organization()
        self._organizations[name] = known
        _limit(self._organizations, MAX_ORGANIZATIONS)
        if check := environ.get(SIGNATURE_CHECK):
            known.check = check
            return
        token = _hash_token(environ)
        known.tokens.pop(token, None)
        known.tokens[token] = None
        _limit(known.tokens, MAX_TOKENS)


def _limit(values: dict[Any, Any], number: int) -> None:
    while len(values) > number:
        del values[next(iter(values))]


def _hash_token(environ: dict[str, Any]) -> int:
    # The token as the webhook reads it: the header has many spellings. Python's own hash has a random key in each
    # process, so that no caller can find another token with the same hash.
    return hash(read_bearer_token(environ.get("HTTP_AUTHORIZATION", "")))


def _content_length(environ: dict[str, Any]) -> int:
    """Return the length of the body; zero if it is not known or not a number."""
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if re.fullmatch("[0-9]{1,18}", length) else 0
