"""OpenAI's refusals: the fields of an error reply, and what they say about another attempt."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.openai import causes, retry_timing
from glific_gpt.openai import refusal_patterns as patterns

MAX_MESSAGE_CHARACTERS = 1000
"""Characters of a message that are read. OpenAI's own sentences are shorter."""
MAX_NAME_CHARACTERS = 100
"""The same of a code, a type and a parameter. Some patterns take quadratic time."""

DAILY_LIMIT_SECONDS = 3600.0
"""Wait for a limit per day if OpenAI does not say when it ends."""

_LASTING_SERVER_ERRORS = {501, 505, 506, 508, 510, 511, 525, 526}
"""Statuses from 500 that a proxy sends for its own settings, so that the same request fails again."""

_ACCESS_STATUSES = {401, 403, 407}
"""Statuses of servers that do not admit the sender."""


@dataclass(frozen=True)
class ApiRefusal:
    """The fields of an OpenAI error reply that tell its cause. They are never shown to users."""

    status: int
    code: str = ""
    type: str = ""
    parameter: str = ""
    message: str = ""
    """In lower case."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that say when to try again, and the id of the request. Names are in lower case."""
    is_from_api: bool = True
    """False for a reply that is not an error of OpenAI's API, such as the page of a proxy on the way."""

    @classmethod
    def parse(cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> "ApiRefusal":
        """Read a reply of a status other than 2xx. Its body may be anything."""
        names = [(name.decode("latin-1").lower(), value.decode("latin-1").strip()) for name, value in headers]
        kept = {name: value for name, value in names if name == "x-request-id" or retry_timing.is_read(name)}
        error = _find_error(status, body)
        return cls.from_error(status, error or {}, kept, is_from_api=error is not None)

    @classmethod
    def from_error(
        cls,
        status: int,
        error: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        *,
        is_from_api: bool = True,
    ) -> "ApiRefusal":
        """Read an error object of OpenAI. Its fields may be missing, null or of another type."""
        return cls(
            status=status,
            code=_text(error.get("code"), MAX_NAME_CHARACTERS),
            type=_text(error.get("type"), MAX_NAME_CHARACTERS),
            parameter=_text(error.get("param"), MAX_NAME_CHARACTERS),
            message=_text(error.get("message"), MAX_MESSAGE_CHARACTERS).strip().lower(),
            headers=headers or {},
            is_from_api=is_from_api,
        )

    @property
    def cause(self) -> str:
        return causes.describe_refusal(
            self.status, self.code, self.type, self.parameter, self.headers.get("x-request-id", "")
        )

    @property
    def names(self) -> set[str]:
        """The code and the type, either of which can hold the cause."""
        return {self.code.lower(), self.type.lower()}

    @property
    def retry_after(self) -> float | None:
        """Seconds after which OpenAI may accept the same request; None if it does not say."""
        seconds = retry_timing.seconds_to_wait(self.headers, self.message, self.type.lower())
        return DAILY_LIMIT_SECONDS if seconds is None and self.is_daily_limit else seconds

    @property
    def is_out_of_credit(self) -> bool:
        return self.status == 402 or self._says(patterns.CREDIT_CODE, patterns.CREDIT_SENTENCE)

    @property
    def is_account_closed(self) -> bool:
        """True if OpenAI has ended or suspended the key's account or organization."""
        return self._says(patterns.CLOSED_CODE, patterns.CLOSED_SENTENCE)

    @property
    def is_project_closed(self) -> bool:
        return self._says(patterns.PROJECT_CODE, patterns.PROJECT_SENTENCE)

    @property
    def is_country_unsupported(self) -> bool:
        return patterns.COUNTRY_CODE in self.names or patterns.COUNTRY_SENTENCE.search(self.message) is not None

    @property
    def is_wrong_region(self) -> bool:
        """True if another address of OpenAI serves the key's project."""
        return self._says(patterns.REGION_CODE, patterns.REGION_SENTENCE)

    @property
    def region_host(self) -> str:
        """The host that OpenAI names for the key's project, or an empty text."""
        found = patterns.REGION_HOST.search(self.message)
        return found[1] if found else ""

    @property
    def is_address_refused(self) -> bool:
        """True if the account does not allow the address of this server."""
        return self._says(patterns.ADDRESS_CODE, patterns.ADDRESS_SENTENCE)

    @property
    def is_unsafe(self) -> bool:
        """True if OpenAI's safety system refused the question."""
        is_about_question = self.status in {200, 400, 403, 422}
        return is_about_question and (
            any(patterns.SAFETY_CODE.search(name) for name in self.names)
            or patterns.SAFETY_SENTENCE.match(self.message) is not None
        )

    @property
    def is_restricted_key(self) -> bool:
        """True if the key is valid but lacks the permission."""
        return self.status == 403 or patterns.MISSING_SCOPE.match(self.message) is not None

    @property
    def is_rate_limit(self) -> bool:
        is_overloaded = self.is_from_api and bool(self.names & patterns.OVERLOADED)
        return not is_overloaded and (self.status == 429 or self.code in {"rate_limit_exceeded", "slow_down"})

    @property
    def is_too_large(self) -> bool:
        """True if the request is larger than the account may ever send in one piece."""
        return self._is_about_limit and (
            patterns.TOO_LARGE.match(self.message) is not None
            or (self._limit is not None and self._limit[1] > self._limit[0])
        )

    @property
    def is_limit_zero(self) -> bool:
        """True if the account may send nothing at all to the model."""
        return self._is_about_limit and self._limit is not None and self._limit[0] == 0

    @property
    def is_daily_limit(self) -> bool:
        return self._is_about_limit and patterns.PER_DAY.search(self.message) is not None

    @property
    def is_temporary(self) -> bool:
        """True if the same request may succeed a moment later."""
        if self.headers.get("x-should-retry") == "false" or self._is_lasting:
            return False
        # Request time-out, conflict and too early: the openai library retries the first two as well.
        return (
            self.code.lower() in patterns.TEMPORARY_CODES
            or patterns.DOWNLOAD_TIMEOUT.match(self.message) is not None
            or self.status in {408, 409, 425, 429}
            or (self.status >= 500 and self.status not in _LASTING_SERVER_ERRORS)
        )

    @property
    def _is_lasting(self) -> bool:
        """True if somebody has to change something before the request can succeed, whatever its status says."""
        return (
            self.is_out_of_credit
            or self.is_account_closed
            or self.is_project_closed
            or self.is_country_unsupported
            or self.is_wrong_region
            or self.is_address_refused
            or self.is_unsafe
            or self.is_too_large
            or self.is_limit_zero
        )

    @property
    def _is_about_limit(self) -> bool:
        return self.status in {413, 429} or self.code == "rate_limit_exceeded"

    @property
    def _limit(self) -> tuple[int, int] | None:
        """The limit, and how much of it the request needs."""
        found = patterns.LIMIT.search(self.message)
        return (int(found[1].replace(",", "") or 0), int(found[2].replace(",", "") or 0)) if found else None

    def _says(self, code: re.Pattern[str], sentence: re.Pattern[str]) -> bool:
        """Return whether the code or the type says so, or the message.

        Replies about the account hold no text of the caller, so the sentence may be anywhere in their message.
        """
        if any(code.search(name) for name in self.names):
            return True
        find = sentence.search if self.status in {401, 403, 429} else sentence.match
        return find(self.message) is not None


class RequestRefused(Exception):
    """OpenAI refused a request, or failed to answer it, or something on the way replied instead."""

    def __init__(self, refusal: ApiRefusal, *, is_paid: bool = False) -> None:
        super().__init__()
        self.refusal = refusal
        self.is_paid = is_paid
        """True if OpenAI used tokens for the request, which another attempt would use once more."""


def _find_error(status: int, body: bytes) -> Mapping[str, Any] | None:
    """Return the error object of a body; None if the body is not an error of OpenAI's API."""
    try:
        # Python would otherwise recognize UTF-16, in which `json_size.py` cannot count.
        value = json.loads(body.decode("utf-8-sig", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("error"), dict):
        return dict(value["error"])
    # Servers that imitate the API send the message alone. Proxies do so too, and say nothing about the key.
    if status not in _ACCESS_STATUSES and isinstance(value.get("error"), str) and value["error"].strip():
        return {**value, "message": value["error"]}
    # Some of them send the error itself.
    if value.get("object") == "error":
        return value
    return _find_validation_error(value.get("detail"))


def _find_validation_error(detail: object) -> Mapping[str, Any] | None:
    """Return the first refused field in a reply of FastAPI, in which many of these servers are written."""
    first = detail[0] if isinstance(detail, list) and detail else None
    if not isinstance(first, dict):
        return None
    location = first.get("loc")
    names = [str(name) for name in location if name != "body"] if isinstance(location, list) else []
    is_unknown = first.get("type") == "extra_forbidden"
    code = "unknown_parameter" if is_unknown else first.get("type")
    return {"message": first.get("msg"), "param": ".".join(names), "code": code}


def _text(value: object, length: int) -> str:
    """Return a text or a number as text. Other values say nothing."""
    is_usable = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value)[:length] if is_usable else ""
