"""flask doctor: test the whole set-up of an organization."""

from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.group import exit_cleanly, report_errors, require_migrations
from glific_gpt.cli.output import JsonObject, can_encode, json_option, print_result, sanitize, wants_json
from glific_gpt.operations.doctor import (
    TITLES,
    CheckResult,
    CheckStatus,
    find_deferred_problems,
    is_private_only,
    run_checks,
    would_answer,
)

MARKS = {CheckStatus.OK: "✓", CheckStatus.WARNING: "!", CheckStatus.PROBLEM: "✗", CheckStatus.SKIPPED: "–"}
PLAIN_MARKS = {CheckStatus.OK: "+", CheckStatus.WARNING: "!", CheckStatus.PROBLEM: "x", CheckStatus.SKIPPED: "-"}
INDENT = "    "
NOT_PUBLIC = "Glific cannot reach this server until it has a public address"


@click.command("doctor", short_help="Test the whole set-up of an organization.")
@slug
@click.option("--dry-run", is_flag=True, help="Skip the real calls, which cost as much as three short questions.")
@json_option
@with_appcontext
def doctor(*, slug: str, dry_run: bool) -> None:
    """Test the whole set-up of an organization, as Glific would call it.

    Checks the organization's status, key, models, budget, authentication and Glific connection, and the server's
    address and clock. Then it makes one real call with the flow of 'flask flows export', asks two questions to see if
    the second answer knows the first one (memory), and shows both conversations. Each line says what is wrong and what
    to do. The exit code is 0 only if a flow would get an answer, at least inside the server's own network, and the
    Glific connection works if there is one.

    \b
    Example:
      flask doctor seva-trust
      flask doctor seva-trust --dry-run --json
    """
    # `_run` is a function of its own, because its check of the migrations needs the same error messages. SIGTERM must
    # run `finally` blocks, because one of them revokes the token of the test call.
    with report_errors(), exit_cleanly():
        _run(slug=slug, dry_run=dry_run)


@require_migrations
def _run(*, slug: str, dry_run: bool) -> None:
    findings = list(_print_each(run_checks(slug, dry_run=dry_run)))
    answers = would_answer(findings)
    is_healthy = answers and not find_deferred_problems(findings)
    summary = _summarize(slug, findings, dry_run=dry_run)
    # Without --json, the exception below prints the summary. With --json, scripts get the findings even if the exit
    # code is 1.
    if wants_json() or is_healthy:
        data = {
            "slug": slug,
            "would_answer": answers,
            "keeps_later_answers_away": [each.check for each in find_deferred_problems(findings)],
            "only_inside": is_private_only(findings),
            "findings": [_to_json(each) for each in findings],
        }
        print_result(data, f"\n{summary}")
    if not is_healthy:
        raise click.ClickException(summary)


def _print_each(findings: Iterator[CheckResult]) -> Iterator[CheckResult]:
    """Print each result as soon as it is known."""
    for finding in findings:
        if not wants_json():
            click.echo(sanitize(_lines(finding)))
        yield finding


def _lines(finding: CheckResult) -> str:
    marks = MARKS if can_encode("".join(MARKS.values())) else PLAIN_MARKS
    lines = [f"{marks[finding.status]} {TITLES[finding.check]}: {finding.message_text}"]
    lines += [INDENT + line for line in (finding.detail, finding.remedy_text, finding.command) if line]
    if finding.transcript:
        lines += ["", *(INDENT + line for line in finding.transcript.splitlines())]
    return "\n".join(lines)


def _summarize(slug: str, findings: list[CheckResult], *, dry_run: bool) -> str:
    if not would_answer(findings):
        problems = [TITLES[each.check] for each in findings if each.status is CheckStatus.PROBLEM]
        return f"{slug} would get no answer. Fix this first: {', '.join(problems)}."
    is_private = is_private_only(findings)
    deferred, warnings = _describe_deferred_problems(findings), _describe_warnings(findings)
    if dry_run:
        scope = f" inside this network, but {NOT_PUBLIC}" if is_private else ""
        return f"No problem was found for {slug}{scope}. No call was made{deferred}.{warnings}"
    scope = f" only inside this network: {NOT_PUBLIC}" if is_private else ""
    limit = " within 5 seconds" if find_deferred_problems(findings) else ""
    return f"{slug} gets answers{limit}{scope}{deferred}.{warnings}"


def _describe_deferred_problems(findings: list[CheckResult]) -> str:
    problems = ", ".join(TITLES[each.check] for each in find_deferred_problems(findings))
    return f". Deferred answers (async, auto) are not delivered. Fix this first: {problems}" if problems else ""


def _describe_warnings(findings: list[CheckResult]) -> str:
    """Return the warnings, except the one about the address, which the summary contains already."""
    warnings = [
        TITLES[each.check] for each in findings if each.status is CheckStatus.WARNING and not each.is_private_only
    ]
    return f" Check these warnings: {', '.join(warnings)}." if warnings else ""


def _to_json(finding: CheckResult) -> JsonObject:
    return {
        "check": finding.check,
        "verdict": str(finding.status),
        "says": finding.message_text,
        "detail": finding.detail,
        "remedy": finding.remedy_text,
        "command": finding.command,
        "error_code": finding.error_code or None,
        "conversation": finding.transcript,
    }
