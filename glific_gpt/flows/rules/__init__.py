"""Check an export against the rules of Glific's import and loading, and against what fails while a flow runs."""

from typing import Any

from glific_gpt.flows.rules.export import check_export
from glific_gpt.flows.rules.remarks import list_remarks


def find_violations(export: Any) -> list[str]:
    """Return one sentence for each broken rule, with flow and node; an empty list for a file that Glific accepts.

    The rules also cover failures that Glific only notices while a user waits: exits that lead nowhere, tests
    without arguments, webhooks that Glific cannot call, or would call only once. Accepts any JSON and never
    raises. Names, keywords, groups and message templates that must be free or exist in an organization are not
    checked, because only that organization's Glific knows them.
    """
    return list(check_export(export))


def find_remarks(export: Any) -> list[str]:
    """Return one sentence for each thing that Glific accepts, but that the author should know. As `find_violations`."""
    return list(list_remarks(export))
