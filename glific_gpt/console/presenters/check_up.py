"""What the doctor found, in the language of the page: each finding with its mark and the page on which it is mended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.console.presenters import advice
from glific_gpt.console.presenters.labels import translate
from glific_gpt.doctor import TITLES, CheckResult, CheckStatus, is_private_only, would_answer
from glific_gpt.flows.simulator import TranscriptLine as Said

STATUS_MARKS = {
    CheckStatus.OK: ("circle-check", "good", _("OK")),
    CheckStatus.WARNING: ("alert-triangle", "mind", _("Warning")),
    CheckStatus.PROBLEM: ("circle-x", "bad", _("Problem")),
    CheckStatus.SKIPPED: ("circle-dashed", "none", _("Left out")),
}
"""The icon, the colour and the word of each."""

CHECK_FIX_PAGES = {
    "key": "console.openai",
    "models": "console.models",
    "budget": "console.organization_settings",
    "signature": "console.organization_settings",
    "connection": "console.glific",
}
"""The page on which it can be mended, where there is one: the rest is for the server's administrators."""


@dataclass(frozen=True)
class CheckUpLine:
    """One finding."""

    title: str
    verdict: CheckStatus
    says: str
    remedy: str
    mended_at: str | None
    only_inside: bool
    only_later: bool

    @property
    def is_problem(self) -> bool:
        return self.verdict is CheckStatus.PROBLEM

    @property
    def mark(self) -> tuple[str, str, LazyString]:
        return STATUS_MARKS[self.verdict]


@dataclass(frozen=True)
class CheckUp:
    """A whole examination."""

    lines: list[CheckUpLine]
    conversation: list[Said]
    """What the person writes and reads; empty where no question was asked."""
    would_answer: bool
    only_inside: bool
    """Glific gets no answer, unless it runs in the server's own network."""
    dry_run: bool

    @property
    def problem(self) -> str:
        """What keeps answers away, first of all."""
        return next((line.says for line in self.lines if line.is_problem and not line.only_later), "")

    @property
    def later_problem(self) -> str:
        """What keeps away only the answers that a flow waits for, first of all."""
        return next((line.says for line in self.lines if line.is_problem and line.only_later), "")

    @property
    def warnings(self) -> str:
        """What each warning is about, without the one that the headline tells."""
        minded = [line for line in self.lines if line.verdict is CheckStatus.WARNING and not line.only_inside]
        return ", ".join(line.title for line in minded)

    @property
    def colour(self) -> str:
        if not self.would_answer:
            return "danger"
        return "warning" if self.warnings or self.only_inside or self.later_problem else "success"


def present_check_up(findings: Sequence[CheckResult], *, dry_run: bool) -> CheckUp:
    said = [line for finding in findings for line in finding.lines if line.who != "note"]
    lines = [_line(finding) for finding in findings]
    return CheckUp(lines, said, would_answer(findings), is_private_only(findings), dry_run)


def _line(finding: CheckResult) -> CheckUpLine:
    return CheckUpLine(
        title=translate(TITLES[finding.check]),
        verdict=finding.status,
        says=_filled_in(finding.message, finding.values),
        remedy=_filled_in(finding.remedy, finding.values),
        mended_at=_page(finding),
        only_inside=finding.is_private_only,
        only_later=finding.is_deferred_only,
    )


def _page(finding: CheckResult) -> str | None:
    if finding.status in (CheckStatus.OK, CheckStatus.SKIPPED):
        return None
    return CHECK_FIX_PAGES.get(finding.check) or advice.FIX_PAGES.get(finding.error_code)


def _filled_in(template: str, values: Mapping[str, object]) -> str:
    """What is filled in may be a sentence too."""
    known = {name: translate(value) if isinstance(value, str) else value for name, value in values.items()}
    return translate(template) % known if known else translate(template)
