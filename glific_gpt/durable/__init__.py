"""Durable work: what was once accepted is finished, whichever process dies on the way. DBOS is known here alone."""

from glific_gpt.durable.engine import Engine
from glific_gpt.durable.workflow import Durable, Handler

__all__ = ["Durable", "Engine", "Handler"]
