"""The rules of Glific's import and loading, and some that its flows are better for, checked on a file."""

from typing import Any

from glific_gpt.flows.rules.flow import broken_in_file


def broken(export: Any) -> list[str]:
    """Each broken rule as one sentence that names flow and node; none for a file that Glific imports and loads.

    Besides, they hold what Glific finds out while a person waits: exits that lead nowhere, tests that
    lack arguments, webhooks that Glific cannot call or drops when the flow comes back to them.
    Answers for any JSON, and never raises. Whether names, keywords, groups and templates are free or
    there in an organization, only that organization's Glific knows.
    """
    return list(broken_in_file(export))
