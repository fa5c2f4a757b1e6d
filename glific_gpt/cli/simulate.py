"""flask flows simulate: run a conversation with a flow as Glific would, before it is imported."""

import sys
from dataclasses import asdict

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.output import JsonObject, json_option, print_result, quantity, sanitize
from glific_gpt.errors import InvalidValue
from glific_gpt.flows import files
from glific_gpt.flows.rules import find_remarks, find_violations
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.operations.ready_flows import result_polling
from glific_gpt.operations.ready_flows.result_polling import ResultStatus
from glific_gpt.operations.ready_flows.simulation import create_simulation

UNRELATED_WAIT = "The flow waits for a result that does not come from this server. The simulation let the wait expire."
DEFERRED_CALL_FAILED = "The deferred call failed. See the reason: flask calls list {}"
NO_DEFERRED_ANSWER = "No answer came while the flow waited. Check the server's log and: flask calls list {}"
WAITING = "Waiting for the deferred answer, up to {:.0f} seconds ..."
MAX_WAIT_MINUTES = 24 * 60


@slug
@click.option("--keyword", default="", help="The keyword that starts the flow. Default: the first flow starts.")
@click.option(
    "--reply", "replies", multiple=True, metavar="TEXT", help="The next message of the contact. Can be repeated."
)
@json_option
def simulate(*, slug: str, keyword: str, replies: tuple[str, ...]) -> None:
    """Run a conversation with a flow.

    Reads an exported flow from standard input and runs it as Glific would, with an invented contact. Webhooks are
    really called and cost as much as usual. Calls to this server are signed with the organization's phrase, other calls
    with Glific's default phrase. Problems that Glific would have with the file are printed first. The exit code is 1 if
    the conversation had a problem or a call failed.

    A flow that waits for a deferred answer (async, auto) continues with the answer of this server. The server also
    sends the answer to the connected Glific, which ignores it because no flow is waiting there.

    \b
    Example:
      flask flows simulate seva-trust --reply "What is ORS?" --reply END < ask.json
    """
    # As bytes: the file is UTF-8, whatever the encoding of the terminal is.
    export = files.parse_export(sys.stdin.buffer.read())
    _check_keyword(keyword, export)
    for sentence in (*find_violations(export), *find_remarks(export)):
        click.echo(f"Warning: {sanitize(sentence)}", err=True)
    result_polling.check_can_simulate(slug, export)
    conversation = create_simulation(slug, export)
    conversation.start(keyword)
    results = _wait_for_results(slug, conversation)
    for reply in replies:
        conversation.send_text(reply)
        results |= _wait_for_results(slug, conversation)
    _print_conversation(conversation, has_unrelated_wait=ResultStatus.UNRELATED in results)
    if problem := _describe_problems(conversation) or _describe_missing_results(slug, results):
        raise click.ClickException(problem)


def _check_keyword(keyword: str, export: files.Export) -> None:
    """Raise InvalidValue if the keyword starts none of these flows."""
    keywords = [str(word) for flow in export["flows"] for word in flow.get("keywords") or []]
    if keyword and normalize_keyword(keyword) not in map(normalize_keyword, keywords):
        raise InvalidValue(
            f"No flow in this file has this keyword. Its keywords are: {sanitize(', '.join(keywords)) or 'none'}."
        )


def _wait_for_results(slug: str, conversation: Conversation) -> set[ResultStatus]:
    """Continue until the flow waits for the contact. Returns the outcomes of the waits for results."""
    results = set()
    for _ in range(MAX_WAIT_MINUTES):
        if conversation.waits_for not in {"result", "time"}:
            break
        if conversation.waits_for == "result":
            result = _resume(slug, conversation)
            results.add(result)
            if result in {ResultStatus.RECEIVED, ResultStatus.FAILED}:
                continue
        # In steps of a minute, because Glific's guards compare the times of events.
        conversation.advance_clock(60)
    return results


def _resume(slug: str, conversation: Conversation) -> ResultStatus:
    if result_polling.find_pending_call_id(conversation):
        click.echo(WAITING.format(conversation.seconds_left or 0), err=True)
    return result_polling.resume_when_answered(slug, conversation)


def _describe_missing_results(slug: str, results: set[ResultStatus]) -> str:
    if ResultStatus.FAILED in results:
        return DEFERRED_CALL_FAILED.format(slug)
    return NO_DEFERRED_ANSWER.format(slug) if ResultStatus.NOT_RECEIVED in results else ""


def _print_conversation(conversation: Conversation, *, has_unrelated_wait: bool) -> None:
    text = sanitize(conversation.transcript())
    print_result(_to_json(conversation), f"{text}\n\n{UNRELATED_WAIT}" if has_unrelated_wait else text)


def _to_json(conversation: Conversation) -> JsonObject:
    return {
        "lines": [asdict(line) for line in conversation.lines],
        "calls": [asdict(call) for call in conversation.calls],
        "waits_for": conversation.waits_for,
        "ended": conversation.ended,
        "trouble": [asdict(problem) for problem in conversation.problems],
    }


def _describe_problems(conversation: Conversation) -> str:
    """Return one or two sentences, or an empty string if there was no problem."""
    problems, failed = conversation.problems, [call for call in conversation.calls if call.outcome == "Failure"]
    if problems:
        more = f" Further problems: {len(problems) - 1}." if len(problems) > 1 else ""
        return f"The conversation had a problem. {sanitize(problems[0].says)}{more}"
    calls = quantity(len(conversation.calls), "call")
    return f"{len(failed)} of {calls} failed. The conversation shows the reason." if failed else ""
