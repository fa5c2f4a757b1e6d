"""Check an organization's setup from end to end, as Glific would call it, and say how to fix each problem."""

from glific_gpt.operations.doctor.checks import (
    TITLES,
    find_deferred_problems,
    is_private_only,
    run_checks,
    would_answer,
)
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus

__all__ = [
    "TITLES",
    "CheckResult",
    "CheckStatus",
    "find_deferred_problems",
    "is_private_only",
    "run_checks",
    "would_answer",
]
