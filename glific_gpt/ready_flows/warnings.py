"""What to mind before a flow is used: the token in it, and whatever would keep it from its answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from glific_gpt.credentials.tables import Credential
from glific_gpt.errors import N_, CredentialInactive, CredentialMissing, GlificGptError, OrganizationInactive
from glific_gpt.http_client import is_inside
from glific_gpt.models import allowlist
from glific_gpt.organizations.tables import Organization

HOLDS_A_TOKEN = N_(
    "The file holds a webhook token. Whoever can edit the flow in Glific can read it too. If it gets into the wrong "
    'hands, revoke the token "%(label)s" and make the flow anew.'
)
NO_PHRASE = N_(
    "Glific's signature lets this flow in, and no signature phrase is set here yet: set it, the same as in Glific."
)
NOT_CONNECTED = N_(
    "This flow waits for answers that come later, for which the organization must be connected to Glific first."
)
NOT_PUBLIC = N_("The flow calls %(url)s, which Glific cannot reach: give this server a public address first.")
NOT_ENCRYPTED = N_("The flow calls %(url)s without https: anybody on the way can read tokens and questions.")


@dataclass(frozen=True)
class Caution:
    """One sentence or two: a template that translators know, and what fills it."""

    says: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English, filled in."""
        return self.says % self.values if self.values else self.says


@dataclass(frozen=True)
class Circumstances:
    """How an organization stands when a flow is made for it."""

    organization: Organization
    key: Credential | None
    is_connected: bool
    operator: tuple[str, ...]
    """The patterns of the models that anybody may use."""
    administrators: list[str] | None
    """The administrators' list for all."""

    def refusal(self, model: str) -> GlificGptError | None:
        """Why the organization may not use the model; None when it may."""
        allowed = self.organization.allowed_models
        return allowlist.refusal(allowlist.canonical(model), self.operator, self.administrators, allowed)


def of_the_way_in(url: str, label: str | None, organization: Organization) -> Iterator[Caution]:
    """`label` is that of the token in the file; None where the signature lets it in."""
    if label is not None:
        yield Caution(HOLDS_A_TOKEN, {"label": label})
    elif organization.signature_phrase is None:
        yield Caution(NO_PHRASE)
    yield from of_the_address(url)


def of_the_address(url: str) -> Iterator[Caution]:
    # No name is looked up here: a page waits for this.
    if is_inside(urlsplit(url).hostname or ""):
        yield Caution(NOT_PUBLIC, {"url": url})
    elif not url.startswith("https:"):
        yield Caution(NOT_ENCRYPTED, {"url": url})


def of_answering(now: Circumstances, model: str | None, *, waits: bool) -> Iterator[Caution]:
    """What keeps answers away at this moment; `waits` for a flow whose answers come later."""
    if not now.organization.is_active:
        yield Caution(OrganizationInactive.sentence)
    if now.key is None:
        yield Caution(CredentialMissing.sentence)
    elif not now.key.is_active:
        yield Caution(CredentialInactive.sentence)
    refusal = now.refusal(model) if model else None
    if refusal:
        yield Caution(str(refusal))
    if waits and not now.is_connected:
        yield Caution(NOT_CONNECTED)
