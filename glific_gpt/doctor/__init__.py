"""The doctor: looks at an organization from end to end, as Glific would call it, and says what to do."""

from glific_gpt.doctor.checks import TITLES, examine, later_problems, only_inside, would_answer
from glific_gpt.doctor.findings import Finding, Verdict

__all__ = ["TITLES", "Finding", "Verdict", "examine", "later_problems", "only_inside", "would_answer"]
