"""Services that the entry points share, created once for each app."""

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, current_app, g, request

from glific_gpt.calls.deferred.workflow import DeferredWorkflow
from glific_gpt.calls.pipeline import Pipeline
from glific_gpt.calls.slots import CallSlots
from glific_gpt.durable import WorkflowEngine
from glific_gpt.emails.outbox import Outbox
from glific_gpt.emails.sending import EmailWorkflow
from glific_gpt.errors import NotFound
from glific_gpt.functions.registry import Registry
from glific_gpt.glific.client import GlificClient
from glific_gpt.organizations.credentials.providers import Provider
from glific_gpt.organizations.token_uses import TokenUses
from glific_gpt.runtime.organization_limit import OrganizationLimit
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

EXTENSION = "glific_gpt"

MAX_WAITING_PAGES = 2
"""Pages and API requests of one organization that wait for OpenAI or Glific at the same time, in each process."""
MAX_PAGES = 16
"""Pages and API requests of one organization at the same time, in each process: half of the threads for pages."""


@dataclass(frozen=True)
class Services:
    """The services of one app."""

    settings: Settings
    vault: Vault
    functions: Registry
    model_provider: Provider
    """The provider that answers webhooks, with the keys of organizations."""
    glific: GlificClient
    """The client that resumes waiting flows."""
    engine: WorkflowEngine
    """The engine of durable work: answers that arrive after their request, and e-mails."""
    deferred_workflow: DeferredWorkflow
    outbox: Outbox
    email_workflow: EmailWorkflow
    pipeline: Pipeline
    slots: CallSlots
    """Slots for the calls that the process holds at the same time."""
    token_uses: TokenUses
    waiting_pages: OrganizationLimit
    """Limit on the pages and API requests that wait for OpenAI or Glific."""
    pages: OrganizationLimit
    """Limit on all pages and API requests."""

    def provider(self, name: str) -> Provider:
        """Return the provider that a URL or a command names. Raises NotFound."""
        if name != self.model_provider.name:
            raise NotFound(f"There is no provider with this name. Use {self.model_provider.name}.")
        return self.model_provider


def services() -> Services:
    """Return the services of the current app."""
    return cast("Services", current_app.extensions[EXTENSION])


def limit_pages(blueprint: Blueprint) -> None:
    """Limit the requests of each organization that this blueprint works on, after they are authorized."""
    blueprint.before_request(_count_page)
    blueprint.teardown_request(end_page)


def _count_page() -> None:
    if slug := (request.view_args or {}).get("slug"):
        begin_page(slug)


def begin_page(slug: str) -> None:
    """Count a request of the organization until `end_page`. Raises RateLimited if the maximum is reached."""
    services().pages.begin(slug)
    g.counted_page = slug


def end_page(_error: BaseException | None) -> None:
    if slug := g.pop("counted_page", None):
        services().pages.end(slug)
