"""The two ways into an organization's Glific, with what each needs."""

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue, SecretStr


@dataclass(frozen=True)
class ApiAccess:
    """The documented API, with the login of a person whose role there is manager or higher."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phone: str = field(repr=False)
    """Digits only, with the country's code."""
    password: SecretStr = field(repr=False)


@dataclass(frozen=True)
class SignedAccess:
    """The call that is signed with the organization's signature phrase, as Glific's own AI platform makes it."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phrase: SecretStr = field(repr=False)
    organization_id: int
    """Glific's own id of the organization."""


Access = ApiAccess | SignedAccess


LONGEST_RETRY_AFTER = 60.0
"""Seconds; whoever asks for more is asked again after these."""


@dataclass(frozen=True)
class Resumption:
    """An answer on its way to the flow of one contact."""

    flow_id: int
    contact_id: int
    result_name: str
    """The flow reads the result as `@results.<result_name>`."""
    result: dict[str, JsonValue] = field(repr=False)
    """`success`, `status` ("ok" or "error"), `parsed_msg`, `call_id` and whatever else the flow may read."""


class Reply(StrEnum):
    """What Glific made of a resumption."""

    DELIVERED = "delivered"
    NOT_WAITING = "not_waiting"
    """The flow has not come to its waiting node yet, or has gone on already."""
    TRY_LATER = "try_later"
    REFUSED = "refused"
    """Trying again would not change it."""


@dataclass(frozen=True)
class Verdict:
    """A reply with a reason."""

    reply: Reply
    said: str
    """One plain sentence of ours, at most 300 characters; nothing of Glific's own words, which may name people."""
    retry_after: float | None = None
    """Seconds that Glific asks to be left alone, at most LONGEST_RETRY_AFTER."""
    may_have_arrived: bool = False
    """Whether the resumption was sent and no verdict came back."""


class Undelivered(Exception):
    """Carries a verdict up to where it is given; it never leaves this room."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.said)
        self.verdict = verdict


def refused(said: str) -> Verdict:
    return Verdict(Reply.REFUSED, said)


def try_later(said: str, *, retry_after: float | None = None) -> Verdict:
    return Verdict(Reply.TRY_LATER, said, retry_after)
