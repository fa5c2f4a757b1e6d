"""The list of checks, and the evaluation of their results."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glific_gpt.database import transaction
from glific_gpt.errors import N_
from glific_gpt.operations.doctor.authentication import check_authentication
from glific_gpt.operations.doctor.connection import check_connection
from glific_gpt.operations.doctor.documents import check_documents
from glific_gpt.operations.doctor.key import check_key
from glific_gpt.operations.doctor.memory import check_memory
from glific_gpt.operations.doctor.models import check_models
from glific_gpt.operations.doctor.organization import check_budget, check_organization
from glific_gpt.operations.doctor.pictures import check_pictures
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.operations.doctor.server import check_address, check_clock
from glific_gpt.operations.doctor.test_call import check_call
from glific_gpt.organizations import store

MSG_DEPENDENCY_FAILED = N_('Not checked. Fix "%(first)s" first.')
MSG_DRY_RUN = N_("Not checked: no question is sent in this check.")


@dataclass(frozen=True)
class Check:
    """One check, which is one line of the report."""

    name: str
    title: str
    run: Callable[[str], CheckResult]
    """Takes the slug of the organization. It may wait for other servers."""
    needs: tuple[str, ...] = ()
    """The check is skipped if one of these has a problem."""
    has_cost: bool = False
    """True if it sends a question to OpenAI; a dry run skips it."""


CALL_NEEDS = ("organization", "key", "models", "budget", "address", "clock", "signature")
"""Checks whose problems make each call fail."""

CHECKS = (
    Check("organization", N_("Organization"), check_organization),
    Check("key", N_("OpenAI key"), check_key),
    Check("models", N_("Models"), check_models),
    Check("documents", N_("Documents"), check_documents, needs=("key",)),
    Check("pictures", N_("Pictures"), check_pictures),
    Check("budget", N_("Budget"), check_budget),
    Check("address", N_("Address"), check_address),
    Check("clock", N_("Clock"), check_clock),
    Check("signature", N_("Authentication"), check_authentication),
    Check("connection", N_("Glific connection"), check_connection),
    Check(
        "call",
        N_("Test call"),
        check_call,
        needs=CALL_NEEDS,
        has_cost=True,
    ),
    Check("memory", N_("Memory"), check_memory, needs=(*CALL_NEEDS, "call"), has_cost=True),
)

TITLES = {check.name: check.title for check in CHECKS}
"""Translatable titles of the checks, in their order."""


def run_checks(slug: str, *, dry_run: bool = False) -> Iterator[CheckResult]:
    """Yield the result of each check as soon as the check has ended. All checks together may take half a minute.

    The last two checks send three real questions to OpenAI; a dry run skips them. Raises NotFound before the first
    check.
    """
    with transaction() as session:
        store.find(session, slug)
    failed: set[str] = set()
    for check in CHECKS:
        result = _skip(check, failed, dry_run=dry_run) or check.run(slug)
        if _prevents_all_answers(result):
            failed.add(check.name)
        yield result


def would_answer(results: Iterable[CheckResult]) -> bool:
    """Return whether flows get answers within Glific's 5 seconds, according to the results."""
    return not any(_prevents_all_answers(result) for result in results)


def find_deferred_problems(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the problems that only prevent later answers (async, auto)."""
    return [result for result in results if result.status is CheckStatus.PROBLEM and result.is_deferred_only]


def is_private_only(results: Iterable[CheckResult]) -> bool:
    """Return whether only a Glific in the server's own network can reach it."""
    return any(result.is_private_only for result in results)


def _prevents_all_answers(result: CheckResult) -> bool:
    return result.status is CheckStatus.PROBLEM and not result.is_deferred_only


def _skip(check: Check, failed: set[str], *, dry_run: bool) -> CheckResult | None:
    """Return the result of a check that does not run; None if it runs."""
    if check.has_cost and dry_run:
        return CheckResult(check.name, CheckStatus.SKIPPED, MSG_DRY_RUN)
    first = next((name for name in check.needs if name in failed), None)
    if first is None:
        return None
    return CheckResult(check.name, CheckStatus.SKIPPED, MSG_DEPENDENCY_FAILED, values={"first": TITLES[first]})
