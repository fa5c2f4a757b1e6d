"""The server's settings as one frozen, typed model."""

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from glific_gpt.wildcards import MAX_STARS, has_too_many_stars

PREFIX = "GLIFIC_GPT_"
MODEL_NAME = r"^[A-Za-z0-9._:/-]{1,200}$"
VECTOR_STORE_ID = r"^vs_[A-Za-z0-9_-]{1,97}$"
"""OpenAI: "Expected an ID that begins with 'vs'"."""
FERNET_KEY = r"[A-Za-z0-9+/_-]{43}="
MODEL_PATTERN = r"^[a-z0-9._:/*-]{1,200}$"
MAX_KEPT_DAYS = 36_500
MAX_PATTERNS = 200
"""Patterns in a list of models. Each call is matched against the whole list on the event loop."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _check_stars(pattern: str) -> str:
    if has_too_many_stars(pattern):
        raise ValueError(f"a pattern has too many stars. Use at most {MAX_STARS}")
    return pattern


Pattern = Annotated[str, BeforeValidator(_lower), Field(pattern=MODEL_PATTERN), AfterValidator(_check_stars)]


class Settings(BaseModel):
    """Validated settings. The environment variable of a field is GLIFIC_GPT_ and the field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(default="sqlite:///instance/glific_gpt.db", repr=False)  # it may hold a password
    """SQLAlchemy URL; postgresql+psycopg://... at scale."""
    database_connections: int = Field(default=20, ge=8, le=1000)
    """Maximum number of connections that each process opens to PostgreSQL."""
    secret_key: SecretStr = Field(min_length=8)
    """Flask's secret key, which signs sessions. Make one: python -c 'import secrets; print(secrets.token_hex())'"""
    encryption_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_split), Field(min_length=1)]
    """Fernet keys: the first encrypts, all decrypt. The README shows how to make one."""
    openai_base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.openai.com/v1"
    """Base URL of the OpenAI API."""
    sandbox: bool = False
    """True if a stand-in answers at `openai_base_url`. The console says so on every page."""
    openai_hosts: Annotated[tuple[str, ...], BeforeValidator(_split)] = ("api.openai.com", "*.api.openai.com")
    """Patterns of the hosts that the base URL of a key may have."""
    default_time_zone: str = "UTC"
    """Time zone of new organizations, by its IANA name. An organization can choose another one."""
    default_model: Annotated[str, Field(pattern=MODEL_NAME)] = "gpt-4o"
    """Model of organizations that have not chosen one."""
    models: Annotated[tuple[Pattern, ...], BeforeValidator(_split), Field(max_length=MAX_PATTERNS)] = ("*",)
    """Patterns of the models that organizations may use."""
    deadline_seconds: float = Field(default=4.5, gt=0, le=600)
    """Total time limit of a synchronous call. Glific closes the connection after 5 seconds."""
    deferred_timeout_seconds: float = Field(default=110, gt=0, le=3600)
    """Time limit for OpenAI in a deferred call, counted from the start of its work."""
    max_deferred_calls: int = Field(default=2000, ge=1, le=5000)
    """Maximum number of deferred calls that each process works on."""
    max_deferred_calls_per_organization: int = Field(default=50, ge=1, le=5000)
    """Maximum number of deferred calls of one organization, over all processes."""
    max_waiting_calls_per_organization: int = Field(default=2000, ge=1, le=100_000)
    """Maximum number of accepted deferred calls of one organization that wait for the delivery of their answers."""
    max_waiting_megabytes_per_organization: int = Field(default=64, ge=2, le=100_000)
    """Maximum size of what is stored for these calls and failed deliveries. The largest question takes 1.4 MB."""
    public_url: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:8000"
    """Start of the webhook addresses that the console and commands show."""
    bind: Annotated[str, Field(pattern=r"^([^:\[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$")] = "127.0.0.1:8000"
    """Address and port to listen on."""
    processes: int = Field(default=1, ge=1, le=64)
    """Number of server processes."""
    max_in_flight: int = Field(default=1000, ge=1, le=10_000)
    """Maximum number of calls that each process handles at the same time. Further calls get the error `overloaded`."""
    organization_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the calls in flight that one organization may hold, of those that other organizations leave free."""
    max_connections: int = Field(default=10_000, ge=10, le=1_000_000)
    """Maximum number of connections of clients that each process holds."""
    max_connections_per_address: int = Field(default=2000, ge=1, le=1_000_000)
    """The same for one client address. Without effect behind proxies (`trusted_proxy_count`)."""
    keep_calls_days: int = Field(default=400, ge=0, le=MAX_KEPT_DAYS)
    """Number of days for which calls are kept. Their daily totals are kept longer. 0 keeps calls for ever."""
    worker: Literal["inline", "separate"] = "inline"
    """`inline`: each server process also runs durable work. `separate`: only `make worker` does."""
    glific_hosts: Annotated[tuple[str, ...], BeforeValidator(_split)] = ("*.glific.com",)
    """Patterns of the hosts that a Glific API may be on."""
    rate_limit_storage_url: SecretStr = SecretStr("memory://")
    """Storage of the counters of failed sign-ins and of calls per minute: memory:// for each process, redis://... for
    all processes."""
    trusted_proxy_count: int = Field(default=0, ge=0, le=9)
    """Number of your own reverse proxies in front of the server. Needed to read client addresses correctly."""
    log_level: Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)] = "info"
    """Lines of the log below this level are not written."""
    metrics_token: SecretStr | None = None
    """Bearer token of GET /metrics. Without it there is no such page, and nothing is counted."""
    metrics_dir: Path | None = None
    """Folder that the processes of a machine share for their metrics."""
    idle_timeout_minutes: int = Field(default=120, ge=1, le=720)
    """Minutes without activity after which a person is signed out of the console."""
    alert_webhook_url: SecretStr | None = None
    """Address that administrators get messages about alerts at, in the format of Slack."""
    mail_url: SecretStr | None = None
    """Server for outgoing e-mail: smtp://user:password@host:587, or smtps://..."""
    mail_from: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    """Sender address of outgoing e-mail."""

    @property
    def chosen_time_zone(self) -> str | None:
        """The time zone of new organizations; None if it is UTC, for which organizations have no value."""
        return None if self.default_time_zone == "UTC" else self.default_time_zone

    def is_https(self) -> bool:
        """Return whether people reach the server over TLS. The server itself cannot know: a proxy may end TLS."""
        return self.public_url.startswith("https://")

    def cookie_name(self, name: str) -> str:
        """Return the name of a cookie. With the prefix, browsers accept it only over TLS, from this host, for `/`."""
        return f"__Host-{name}" if self.is_https() else name

    def response_headers(self) -> dict[str, str]:
        """Return the security headers of every response."""
        headers = {"X-Content-Type-Options": "nosniff"}
        return headers | {"Strict-Transport-Security": "max-age=31536000"} if self.is_https() else headers

    @field_validator("encryption_keys")
    @classmethod
    def _check_fernet_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # Fernet ignores what follows the first key, so two keys without a comma between them would pass as one.
        if not all(re.fullmatch(FERNET_KEY, key.get_secret_value()) for key in keys):
            raise ValueError("these are not Fernet keys")
        return keys

    @field_validator("default_time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("use a name such as Asia/Kolkata") from None
        return name

    @field_validator("rate_limit_storage_url")
    @classmethod
    def _check_storage_url(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"^(memory|rediss?)://", url.get_secret_value()):
            raise ValueError("use memory:// or redis://host:6379")
        return url

    @field_validator("alert_webhook_url")
    @classmethod
    def _check_webhook_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.match(r"^https?://[^\s/]+", url.get_secret_value()):
            raise ValueError("use https://..., as the settings of the channel show it")
        return url

    @field_validator("mail_url")
    @classmethod
    def _check_mail_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.match(r"^smtps?://([^@/]*@)?[^@/:]+(:\d{1,5})?/?$", url.get_secret_value()):
            raise ValueError("use smtp://user:password@host:587, or smtps://...")
        return url

    @field_validator("openai_base_url", "public_url")
    @classmethod
    def _strip_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")


FALLBACK_MESSAGE = "Sorry, I cannot answer just now. Please try again in a little while."
"""Message to the WhatsApp user after a failed call, for organizations without a message of their own."""

MSG_RATE_LIMIT_STORAGE = (
    "GLIFIC_GPT_RATE_LIMIT_STORAGE_URL cannot be used. Set memory://, or redis://host:6379 with the package "
    "redis installed (pip install redis)."
)

MAX_BODY_BYTES = 1024 * 1024
"""Maximum size of the body of a webhook, or of a request to the JSON API."""

MAX_FILE_BYTES = 5 * 1024 * 1024
"""Maximum size of a file that a page of the console accepts."""

MAX_DOCUMENT_BYTES = 12 * 1024 * 1024
"""Maximum size of a document that a page passes on to OpenAI."""

MAX_FORM_BYTES = 256 * 1024
"""Maximum size of any other body: a form of the console."""

MAX_PUBLIC_FORM_BYTES = 16 * 1024
"""Maximum size of a form that strangers can send too: of the sign-in pages, and of pages without a session."""

FORM_OVERHEAD_BYTES = 64 * 1024
"""Bytes that a form needs beside its file."""
