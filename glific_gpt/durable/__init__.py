"""Durable workflows: accepted work is finished even if a process dies. Only this package imports DBOS."""

from glific_gpt.durable.engine import WorkflowEngine
from glific_gpt.durable.workflow import Handler, WorkflowContext, waiting

__all__ = ["Handler", "WorkflowContext", "WorkflowEngine", "waiting"]
