"""flask flows simulate: a conversation with a flow as Glific runs it, before anybody imports it."""

import sys
from dataclasses import asdict

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.output import Object, emit, json_option
from glific_gpt.cli.terminal import printable
from glific_gpt.errors import InvalidValue
from glific_gpt.flows import files
from glific_gpt.flows.keywords import as_kept
from glific_gpt.ready_flows.rehearsing import rehearsal
from glific_gpt.simulator import Conversation

LATER = (
    "A later answer goes to the Glific that the organization is connected to, and not here: the simulation lets the "
    "flow's wait run out instead."
)
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
    webhooks are really called, and cost what they cost. It ends with 1 where the conversation had trouble,
    or a call failed.

    \b
    Example:
      flask flows simulate seva-trust --reply "What is ORS?" --reply END < ask.json
    """
    export = files.read(sys.stdin.buffer.read())
    conversation = rehearsal(slug, export)
    conversation.start(_known(keyword, export))
    waited = _let_waits_run_out(conversation)
    for reply in replies:
        conversation.say(reply)
        waited |= _let_waits_run_out(conversation)
    _tell(conversation, waited=waited)
    if trouble := _trouble(conversation):
        raise click.ClickException(trouble)


def _known(keyword: str, export: files.Export) -> str:
    """Raises InvalidValue for a keyword that starts none of these flows."""
    keywords = [str(each) for flow in export["flows"] for each in flow.get("keywords") or []]
    if keyword and as_kept(keyword) not in map(as_kept, keywords):
        raise InvalidValue(
            f"No flow in this file has that keyword; there is {printable(', '.join(keywords)) or 'none'}."
        )
    return keyword


def _let_waits_run_out(conversation: Conversation) -> bool:
    """Whether it waited for a later answer. A minute at a time, as guards count how long ago things were."""
    later = False
    for _ in range(LONGEST_WAIT_MINUTES):
        if conversation.waits_for not in {"result", "time"}:
            break
        later |= conversation.waits_for == "result"
        conversation.pass_time(60)
    return later


def _tell(conversation: Conversation, *, waited: bool) -> None:
    text = printable(conversation.transcript())
    emit(_plain(conversation), f"{text}\n\n{LATER}" if waited else text)


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
