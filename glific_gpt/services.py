"""What the doors share: one frozen table of the things that an app is made of."""

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
    """Made once for each app, by the factory."""

    settings: Settings
    vault: Vault
    functions: Registry
    providers: Providers
    language_models: Provider
    """The provider whose keys answer webhooks."""
    glific: Glific
    """Where waiting flows are resumed."""
    engine: Engine
    """Of durable work: of answers that outlast their call."""
    later: DeferredWorkflow
    runner: Pipeline
    slots: BoundedSemaphore
    """As many as calls may be held at once."""


def services() -> Services:
    """The current app's."""
    return cast("Services", current_app.extensions[EXTENSION])
