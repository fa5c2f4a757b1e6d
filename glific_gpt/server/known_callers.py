"""Callers of webhooks who have authenticated before. Their calls do not queue behind those of unknown callers."""

from typing import Any

MAX_KNOWN = 10_000
"""Callers that are remembered. Those of a thousand organizations with several tokens are fewer."""

UNKNOWN = ""
"""The group of all other callers. No organization has this name."""


class KnownCallers:
    """The organizations and tokens or addresses of authenticated callers. Only the event loop's thread may use it.

    An unknown caller can put any name into the path. With a group for each name, the calls of one with a thousand names
    would all come before an organization's next call. To be known gives no access: each call is authenticated.
    """

    def __init__(self) -> None:
        self._known: dict[int, None] = {}
        """Hashes, so that no token is kept. Their order is that of the first calls."""

    def group(self, name: str, environ: dict[str, Any]) -> str:
        """Return the group of a call: the organization's name, or UNKNOWN."""
        return name if _hash(name, environ) in self._known else UNKNOWN

    def forget_token(self, name: str, environ: dict[str, Any]) -> None:
        """Forget the token of a call that was refused: it may have been revoked.

        An address is not forgotten: others may use it too, and could delay the organization's calls in this way.
        """
        if environ.get("HTTP_AUTHORIZATION"):
            self._known.pop(_hash(name, environ), None)

    def add(self, name: str, environ: dict[str, Any]) -> None:
        """Remember the caller of a call that was authenticated."""
        self._known.setdefault(_hash(name, environ))
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]


def _hash(name: str, environ: dict[str, Any]) -> int:
    # Python's own hash has a random key in each process, so that no caller can find another with the same hash.
    if token := environ.get("HTTP_AUTHORIZATION"):
        return hash((name, token))
    # Each signature is another one. A caller elsewhere cannot imitate Glific's address: without a proxy it is the
    # peer's, and a proxy adds the caller's own to what the caller has sent.
    return hash((name, environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR")))
