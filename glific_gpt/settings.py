"""Settings: everything that the environment can decide, as one frozen, typed table."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

PREFIX = "GLIFIC_GPT_"
MODEL_NAME = r"^[A-Za-z0-9._:/-]{1,200}$"
FERNET_KEY = r"[A-Za-z0-9+/_-]{43}="
MODEL_PATTERN = r"^[a-z0-9._:/*-]{1,200}$"


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Pattern = Annotated[str, BeforeValidator(_lower), Field(pattern=MODEL_PATTERN)]


class Settings(BaseModel):
    """What the server was told at its start. The variable's name is GLIFIC_GPT_ and the field's in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(default="sqlite:///instance/glific_gpt.db", repr=False)  # it may hold a password
    """SQLAlchemy URL; postgresql+psycopg://... at scale."""
    secret_key: SecretStr = Field(min_length=8)
    """Flask's secret key, which signs sessions. Make one: python -c 'import secrets; print(secrets.token_hex())'"""
    encryption_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_split), Field(min_length=1)]
    """Fernet keys: the first encrypts, all decrypt. How to make one is in the README."""
    openai_base_url: Annotated[str, Field(pattern=r"^https?://")] = "https://api.openai.com/v1"
    """Where the OpenAI API is."""
    default_model: Annotated[str, Field(pattern=MODEL_NAME)] = "gpt-4o"
    """The model of organizations that have chosen none."""
    models: Annotated[tuple[Pattern, ...], BeforeValidator(_split)] = ("*",)
    """Patterns of the models that anybody may use."""
    deadline_seconds: float = Field(default=4.5, gt=0, le=600)
    """The whole time that a synchronous call may take; Glific hangs up after 5 seconds."""
    deferred_timeout_seconds: float = Field(default=110, gt=0, le=3600)
    """How long OpenAI may take for an answer that comes later, when the call itself has long been accepted."""
    max_deferred_calls: int = Field(default=200, ge=1, le=5000)
    """Answers that come later on which each process works at once."""
    max_deferred_calls_per_organization: int = Field(default=50, ge=1, le=5000)
    """Of these, how many may be one organization's, in all processes together."""
    public_url: Annotated[str, Field(pattern=r"^https?://")] = "http://127.0.0.1:8000"
    """What the webhook addresses shown to people begin with."""
    bind: Annotated[str, Field(pattern=r"^([^:\[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$")] = "127.0.0.1:8000"
    """Address and port to listen on."""
    processes: int = Field(default=1, ge=1, le=64)
    """Server processes."""
    max_in_flight: int = Field(default=1000, ge=1, le=10_000)
    """Calls that each process holds at once; past it, callers are told to come again."""
    worker: Literal["inline", "separate"] = "inline"
    """Whether each server process also runs durable work."""
    glific_hosts: Annotated[tuple[str, ...], BeforeValidator(_split)] = ("*.glific.com",)
    """Hosts that a Glific API may live on."""
    rate_limit_storage_url: SecretStr = SecretStr("memory://")
    """Where wrong tries to sign in are counted: in each process, or in Redis for all of them together."""
    trusted_proxy_count: int = Field(default=0, ge=0, le=9)
    """How many reverse proxies of yours each request passes, so that people's own addresses are known."""
    mail_url: SecretStr | None = None
    """The server for outgoing e-mails: smtp://user:password@host:587, or smtps://..."""
    mail_from: Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")] | None = None
    """What these e-mails are from."""

    @field_validator("encryption_keys")
    @classmethod
    def _usable(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # Fernet itself takes two keys with anything but a comma between them for the first one alone.
        if not all(re.fullmatch(FERNET_KEY, key.get_secret_value()) for key in keys):
            raise ValueError("these are not Fernet keys")
        return keys

    @field_validator("rate_limit_storage_url")
    @classmethod
    def _counts(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"^(memory|rediss?)://", url.get_secret_value()):
            raise ValueError("it is memory:// or redis://host:6379")
        return url

    @field_validator("mail_url")
    @classmethod
    def _sends(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.match(r"^smtps?://([^@/]*@)?[^@/:]+(:\d{1,5})?/?$", url.get_secret_value()):
            raise ValueError("it is smtp://user:password@host:587, or smtps://...")
        return url

    @field_validator("openai_base_url", "public_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")


FALLBACK_MESSAGE = "Sorry, I cannot answer just now. Please try again in a little while."
"""What the WhatsApp user reads when a call failed and the organization has no text of its own."""

MAX_BODY_BYTES = 1024 * 1024
"""The largest webhook body that is read."""
