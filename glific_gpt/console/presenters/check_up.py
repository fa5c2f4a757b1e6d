"""Check results in the language of the page, each with an icon and the page on which the problem can be fixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.console.presenters import advice
from glific_gpt.console.presenters.labels import translate
from glific_gpt.flows.simulator import TranscriptLine
from glific_gpt.operations.doctor import TITLES, CheckResult, CheckStatus, is_private_only, would_answer

STATUS_MARKS = {
    CheckStatus.OK: ("circle-check", "good", _("OK")),
    CheckStatus.WARNING: ("alert-triangle", "mind", _("Warning")),
    CheckStatus.PROBLEM: ("circle-x", "bad", _("Problem")),
    CheckStatus.SKIPPED: ("circle-dashed", "none", _("Skipped")),
}
"""Icon, colour and label of each status."""

CHECK_FIX_PAGES = {
    "key": "console.openai",
    "models": "console.models",
    "documents": "console.documents",
    "budget": "console.organization_settings",
    "signature": "console.organization_settings",
    "connection": "console.glific",
}
"""Endpoint of the page that fixes a check's problem. The server's administrators fix the others."""


@dataclass(frozen=True)
class CheckUpLine:
    """One check result."""

    title: str
    status: CheckStatus
    message: str
    detail: str
    remedy: str
    fix_page: str | None
    is_private_only: bool
    """The check only works inside the server's own network."""
    is_deferred_only: bool
    """The problem affects later answers only."""

    @property
    def is_problem(self) -> bool:
        return self.status is CheckStatus.PROBLEM

    @property
    def mark(self) -> tuple[str, str, LazyString]:
        return STATUS_MARKS[self.status]


@dataclass(frozen=True)
class CheckUp:
    """All check results, with a summary."""

    lines: list[CheckUpLine]
    conversation: list[TranscriptLine]
    """Messages of the test conversation; empty if no question was asked."""
    would_answer: bool
    is_private_only: bool
    """Glific gets answers only if it runs in the server's own network."""
    dry_run: bool

    @property
    def problem(self) -> str:
        """Return the first problem that prevents answers."""
        return next((line.message for line in self.lines if line.is_problem and not line.is_deferred_only), "")

    @property
    def deferred_problem(self) -> str:
        """Return the first problem that prevents only later answers."""
        return next((line.message for line in self.lines if line.is_problem and line.is_deferred_only), "")

    @property
    def warnings(self) -> str:
        """Return the titles of the warnings, without the one that the headline already states."""
        lines = [line for line in self.lines if line.status is CheckStatus.WARNING and not line.is_private_only]
        return ", ".join(line.title for line in lines)

    @property
    def colour(self) -> str:
        if not self.would_answer:
            return "danger"
        return "warning" if self.warnings or self.is_private_only or self.deferred_problem else "success"


def present_check_up(results: Sequence[CheckResult], *, dry_run: bool) -> CheckUp:
    conversation = [line for result in results for line in result.lines if line.who != "note"]
    lines = [_line(result) for result in results]
    return CheckUp(lines, conversation, would_answer(results), is_private_only(results), dry_run)


def _line(result: CheckResult) -> CheckUpLine:
    return CheckUpLine(
        title=translate(TITLES[result.check]),
        status=result.status,
        message=_fill_in(result.message, result.values),
        # The address of a proxy is for administrators, who use `flask doctor`.
        detail="" if result.status is CheckStatus.OK else result.detail,
        remedy=_fill_in(result.remedy, result.values),
        fix_page=_fix_page(result),
        is_private_only=result.is_private_only,
        is_deferred_only=result.is_deferred_only,
    )


def _fix_page(result: CheckResult) -> str | None:
    if result.status in (CheckStatus.OK, CheckStatus.SKIPPED):
        return None
    return CHECK_FIX_PAGES.get(result.check) or advice.FIX_PAGES.get(result.error_code)


def _fill_in(template: str, values: Mapping[str, object]) -> str:
    """Translate the template and its values, since a value may be a sentence of its own."""
    translated = {name: translate(value) if isinstance(value, str) else value for name, value in values.items()}
    # Without values the template is a finished text, which may contain a percent sign.
    return translate(template) % translated if translated else translate(template)
