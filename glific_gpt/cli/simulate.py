"""flask flows simulate: a conversation with a flow as Glific runs it, before anybody imports it."""

import sys
from dataclasses import asdict

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.output import Object, emit, json_option, printable
from glific_gpt.errors import InvalidValue
from glific_gpt.flows import files
from glific_gpt.flows.rules import broken
from glific_gpt.flows.simulator import Conversation
from glific_gpt.flows.structure import as_kept
from glific_gpt.ready_flows import result_polling
from glific_gpt.ready_flows.dry_run import rehearsal
from glific_gpt.ready_flows.result_polling import Later

LATER = "The flow waits for a result that does not come from this server: the simulation lets the wait run out instead."
FAILED = "The later answer says that its call failed: 'flask calls list {}' says why."
NONE_CAME = "No answer came while the flow waited for one: the server's log and 'flask calls list {}' say more."
WAITING = "Waiting for the answer that comes later, up to {:.0f} seconds ..."
LONGEST_WAIT_MINUTES = 24 * 60


@slug
@click.option("--keyword", default="", help="What starts the flow; without, the file's first flow starts.")
@click.option(
    "--reply", "replies", multiple=True, metavar="TEXT", help="What the person types next; any number of times."
)
@json_option
def simulate(*, slug: str, keyword: str, replies: tuple[str, ...]) -> None:
    """Hold a conversation with a flow.

    Reads an exported flow on standard input, and runs it as Glific would for a person who does not exist. Its
    webhooks are really called, and cost what they cost: those to this server are signed with the organization's
    phrase, others with the one of a Glific that has none. It ends with 1 where the conversation had trouble,
    or a call failed. What Glific would not import or load, or would trip over, it says first.

    A flow that waits for a later answer (async, auto) goes on with the one that this server has made. The server
    gives it to the connected Glific as well, where nobody waits for it; that does no harm.

    \b
    Example:
      flask flows simulate seva-trust --reply "What is ORS?" --reply END < ask.json
    """
    export = files.read(sys.stdin.buffer.read())
    keyword = _known(keyword, export)
    for rule in broken(export):
        click.echo(f"Mind: {printable(rule)}", err=True)
    result_polling.check(slug, export)
    conversation = rehearsal(slug, export)
    conversation.start(keyword)
    later = _wait(slug, conversation)
    for reply in replies:
        conversation.say(reply)
        later |= _wait(slug, conversation)
    _tell(conversation, lets_run_out=Later.NOT_OURS in later)
    if trouble := _trouble(conversation) or _missed(slug, later):
        raise click.ClickException(trouble)


def _known(keyword: str, export: files.Export) -> str:
    """Raises InvalidValue for a keyword that starts none of these flows."""
    keywords = [str(each) for flow in export["flows"] for each in flow.get("keywords") or []]
    if keyword and as_kept(keyword) not in map(as_kept, keywords):
        raise InvalidValue(
            f"No flow in this file has that keyword; there is {printable(', '.join(keywords)) or 'none'}."
        )
    return keyword


def _wait(slug: str, conversation: Conversation) -> set[Later]:
    """Until the flow waits for the person: what became of each wait for a result."""
    later = set()
    for _ in range(LONGEST_WAIT_MINUTES):
        if conversation.waits_for not in {"result", "time"}:
            break
        if conversation.waits_for == "result":
            came = _later_answer(slug, conversation)
            later.add(came)
            if came in {Later.CAME, Later.FAILED}:
                continue
        # A minute at a time, as guards count how long ago things were.
        conversation.pass_time(60)
    return later


def _later_answer(slug: str, conversation: Conversation) -> Later:
    if result_polling.call_waited_for(conversation):
        click.echo(WAITING.format(conversation.seconds_left or 0), err=True)
    return result_polling.resume(slug, conversation)


def _missed(slug: str, later: set[Later]) -> str:
    if Later.FAILED in later:
        return FAILED.format(slug)
    return NONE_CAME.format(slug) if Later.NEVER_CAME in later else ""


def _tell(conversation: Conversation, *, lets_run_out: bool) -> None:
    text = printable(conversation.transcript())
    emit(_plain(conversation), f"{text}\n\n{LATER}" if lets_run_out else text)


def _plain(conversation: Conversation) -> Object:
    return {
        "lines": [asdict(line) for line in conversation.lines],
        "calls": [asdict(call) for call in conversation.calls],
        "waits_for": conversation.waits_for,
        "ended": conversation.ended,
        "trouble": [asdict(trouble) for trouble in conversation.trouble],
    }


def _trouble(conversation: Conversation) -> str:
    """In one sentence or two; empty when all went well."""
    trouble, failed = conversation.trouble, [call for call in conversation.calls if call.outcome == "Failure"]
    if trouble:
        more = f" There is more: {len(trouble) - 1}." if len(trouble) > 1 else ""
        return f"The conversation had trouble. {printable(trouble[0].says)}{more}"
    return f"Of {len(conversation.calls)} calls {len(failed)} failed: the conversation says why." if failed else ""
