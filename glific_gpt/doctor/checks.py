"""The examination: every check in its order, as a table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glific_gpt.database import transaction
from glific_gpt.doctor import address, budget, clock, connection, key, models, organization, signature, test_call
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store

NEEDS = N_('Not looked at: "%(first)s" must be mended first.')
DRY_RUN = N_("Not made: this was a dry run.")


@dataclass(frozen=True)
class Check:
    """One line of the examination."""

    name: str
    title: str
    look: Callable[[str], Finding]
    """Takes the slug; asks whom it must, in its own time."""
    needs: tuple[str, ...] = ()
    """Where one of these is a problem, there is nothing to look at."""
    costs: bool = False
    """Whether it costs what a question costs; a dry run leaves it out."""


CHECKS = (
    Check("organization", N_("Organization"), organization.look),
    Check("key", N_("OpenAI key"), key.look),
    Check("models", N_("Models"), models.look),
    Check("budget", N_("Budget"), budget.look),
    Check("address", N_("Address"), address.look),
    Check("clock", N_("Clock"), clock.look),
    Check("signature", N_("Who is let in"), signature.look),
    Check("connection", N_("Glific connection"), connection.look),
    Check(
        "call",
        N_("A call, as Glific makes it"),
        test_call.look,
        needs=("organization", "key", "models", "budget", "address", "clock", "signature"),
        costs=True,
    ),
)

TITLES = {check.name: check.title for check in CHECKS}
"""What each check is called for people, in their order; translators know these."""


def examine(slug: str, *, dry_run: bool = False) -> Iterator[Finding]:
    """One finding for each check, in their order, as they come: all may take half a minute together.

    The last check is one real question to OpenAI, which a dry run leaves out. Raises NotFound before the first.
    """
    with transaction() as session:
        store.find(session, slug)
    broken: set[str] = set()
    for check in CHECKS:
        finding = _left_out(check, broken, dry_run=dry_run) or check.look(slug)
        if _keeps_all_away(finding):
            broken.add(check.name)
        yield finding


def would_answer(findings: Iterable[Finding]) -> bool:
    """Whether an NGO would get an answer within Glific's 5 seconds, as far as these tell."""
    return not any(_keeps_all_away(finding) for finding in findings)


def later_problems(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep answers away only where a flow waits for them (async, auto)."""
    return [each for each in findings if each.verdict is Verdict.PROBLEM and each.only_later]


def only_inside(findings: Iterable[Finding]) -> bool:
    """Whether an answer goes no farther than the server's own network: enough for a Glific that runs there too."""
    return any(finding.only_inside for finding in findings)


def _keeps_all_away(finding: Finding) -> bool:
    return finding.verdict is Verdict.PROBLEM and not finding.only_later


def _left_out(check: Check, broken: set[str], *, dry_run: bool) -> Finding | None:
    if check.costs and dry_run:
        return Finding(check.name, Verdict.SKIPPED, DRY_RUN)
    first = next((name for name in check.needs if name in broken), None)
    if first is None:
        return None
    return Finding(check.name, Verdict.SKIPPED, NEEDS, values={"first": TITLES[first]})
