"""flask doctor: an organization looked at from end to end, and what to do about what is wrong."""

from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import orderly_end, plain_failures, when_ready
from glific_gpt.cli.output import Object, can_show, emit, json_option, printable, wants_json
from glific_gpt.doctor import TITLES, Finding, Verdict, examine, later_problems, only_inside, would_answer

MARKS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.PROBLEM: "✗", Verdict.SKIPPED: "–"}
PLAIN_MARKS = {Verdict.OK: "+", Verdict.WARNING: "!", Verdict.PROBLEM: "x", Verdict.SKIPPED: "-"}
INDENT = "    "
NOT_OUTSIDE = "Glific cannot get there until the server has a public address"


@click.command("doctor", short_help="Would an organization get an answer?")
@slug
@click.option("--dry-run", is_flag=True, help="Leave out the real call, which costs what a question costs.")
@json_option
@with_appcontext
def doctor(*, slug: str, dry_run: bool) -> None:
    """Check an organization from end to end, as Glific would call it.

    Looks at its switch, its key, its models, its budget, the server's address and clock, who is let in, and the
    connection to Glific; then makes one real call with the flow that 'flask flows export' makes, and shows the
    conversation. Each line says what is wrong and what to do. It ends with 0 only when a flow would get an answer,
    be it inside the server's own network alone, and a connection to Glific works where there is one.

    \b
    Example:
      flask doctor seva-trust
      flask doctor seva-trust --dry-run --json
    """
    with plain_failures(), orderly_end():
        _examine(slug=slug, dry_run=dry_run)


@when_ready
def _examine(*, slug: str, dry_run: bool) -> None:
    findings = list(_told(examine(slug, dry_run=dry_run)))
    answers = would_answer(findings)
    is_well = answers and not later_problems(findings)
    verdict = _verdict(slug, findings, dry_run=dry_run)
    if wants_json() or is_well:
        data = {
            "slug": slug,
            "would_answer": answers,
            "keeps_later_answers_away": [each.check for each in later_problems(findings)],
            "only_inside": only_inside(findings),
            "findings": [_plain(each) for each in findings],
        }
        emit(data, f"\n{verdict}")
    if not is_well:
        raise click.ClickException(verdict)


def _told(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Prints each as it comes."""
    for finding in findings:
        if not wants_json():
            click.echo(printable(_lines(finding)))
        yield finding


def _lines(finding: Finding) -> str:
    marks = MARKS if can_show("".join(MARKS.values())) else PLAIN_MARKS
    lines = [f"{marks[finding.verdict]} {TITLES[finding.check]}: {finding.sentence}"]
    lines += [INDENT + line for line in (finding.advice, finding.command) if line]
    if finding.conversation:
        lines += ["", *(INDENT + line for line in finding.conversation.splitlines())]
    return "\n".join(lines)


def _verdict(slug: str, findings: list[Finding], *, dry_run: bool) -> str:
    if not would_answer(findings):
        problems = [TITLES[each.check] for each in findings if each.verdict is Verdict.PROBLEM]
        return f"{slug} would get no answer until this is mended: {', '.join(problems)}."
    inside = only_inside(findings)
    later, beside = _later(findings), _beside(findings)
    if dry_run:
        place = f" inside this network, but {NOT_OUTSIDE}" if inside else ""
        return f"Nothing that was looked at keeps {slug} from its answers{place}; no call was made{later}.{beside}"
    place = f" inside this network alone: {NOT_OUTSIDE}" if inside else ""
    quick = " within 5 seconds" if later_problems(findings) else ""
    return f"{slug} gets answers{quick}{place}{later}.{beside}"


def _later(findings: list[Finding]) -> str:
    problems = ", ".join(TITLES[each.check] for each in later_problems(findings))
    return f"; later ones (async, auto) do not arrive until this is mended: {problems}" if problems else ""


def _beside(findings: list[Finding]) -> str:
    """The warnings, without the one that the verdict tells itself."""
    warnings = [TITLES[each.check] for each in findings if each.verdict is Verdict.WARNING and not each.only_inside]
    return f" Look at this, though: {', '.join(warnings)}." if warnings else ""


def _plain(finding: Finding) -> Object:
    return {
        "check": finding.check,
        "verdict": str(finding.verdict),
        "says": finding.sentence,
        "remedy": finding.advice,
        "command": finding.command,
        "error_code": finding.error_code or None,
        "conversation": finding.conversation,
    }
