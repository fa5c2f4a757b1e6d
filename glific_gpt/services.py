"""Services that the entry points share, created once for each app."""

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import cast

from flask import current_app

from glific_gpt.calls.deferred.workflow import DeferredWorkflow
from glific_gpt.calls.pipeline import Pipeline
from glific_gpt.credentials.providers import Provider, Providers
from glific_gpt.durable import Engine
from glific_gpt.functions.registry import Registry
from glific_gpt.glific.client import Glific
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

EXTENSION = "glific_gpt"


@dataclass(frozen=True)
class Services:
    """The services of one app."""

    settings: Settings
    vault: Vault
    functions: Registry
    providers: Providers
    language_models: Provider
    """The provider whose keys answer webhooks."""
    glific: Glific
    """The client that resumes waiting flows."""
    engine: Engine
    """The engine of durable work, for answers that arrive after their request."""
    deferred_workflow: DeferredWorkflow
    pipeline: Pipeline
    slots: BoundedSemaphore
    """One slot for each call that the process may hold at the same time."""


def services() -> Services:
    """Return the services of the current app."""
    return cast("Services", current_app.extensions[EXTENSION])
