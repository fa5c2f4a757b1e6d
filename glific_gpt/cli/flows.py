"""flask flows: flows to import into Glific, made or converted, and tried out before anybody imports them."""

import sys

import click

from glific_gpt import ready_flows
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.conversion_report import for_people, for_programs
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import json_option, printable, wants_json
from glific_gpt.cli.simulate import simulate
from glific_gpt.flows.building import Mode
from glific_gpt.ready_flows import Caution, LetIn, Place

flows = Group(
    "flows",
    short_help="Flows that are ready to import into Glific.",
    help="""Flows that are ready to import into Glific, under Flows > Import: made new, or converted from an export.
    The file goes to standard output and nothing else does; what there is to mind goes to standard error.

    \b
    Example:
      flask flows export seva-trust --mode sync > ask.json
      flask flows convert seva-trust < exported.json > converted.json
      flask flows simulate seva-trust --reply "What is ORS?" < ask.json
    """,
)
flows.command("simulate")(simulate)

token = click.option(
    "--token", "let_in", flag_value=LetIn.TOKEN.value, help="Let it in by a new webhook token, which the file holds."
)
signature = click.option(
    "--signature", "let_in", flag_value=LetIn.SIGNATURE.value, help="Let it in by Glific's signature alone."
)


@flows.command("export")
@slug
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    required=True,
    help="When the answer comes: at once, later, or whichever is possible.",
)
@click.option("--name", default="", help="The flow's name in Glific.")
@click.option("--keyword", default="", help="What a person sends to start it.")
@click.option("--model", default="", help="The model that it asks; without, the organization's.")
@token
@signature
@json_option
def export(*, slug: str, mode: str, name: str, keyword: str, model: str, let_in: str | None) -> None:
    """Make a flow that asks this server.

    With sync the answer comes within Glific's 5 seconds or not at all; with async always later, and the flow waits;
    with auto at once where it can. The last two need a connection to Glific. Name and keyword must be new there.

    \b
    Example:
      flask flows export seva-trust --mode auto --name "Ask about health" --keyword health > health.json
    """
    made = ready_flows.export(
        slug, mode=Mode(mode), name=name, keyword=keyword, model=model, let_in=LetIn(let_in) if let_in else None
    )
    _mind(made.warnings)
    _write(made.text)


@flows.command("convert")
@slug
@click.option("--beside", is_flag=True, help="Give it a name and keywords of its own, to try it beside the old flow.")
@token
@signature
@json_option
def convert(*, slug: str, beside: bool, let_in: str | None) -> None:
    """Turn the GPT nodes of an exported flow to this server.

    Reads the export on standard input. Nodes that call Glific's own parse_via_chat_gpt become calls of this server;
    everything else stays as it is. Standard error says what was changed and what was left; with --json as one object.

    Glific takes no second flow of the same name, keyword or uuid. So keep the exported file to go back to, delete the
    old flow in Glific, and import the converted one. Or convert with --beside: import that next to the old flow, try
    it by sending draft: and its keyword, publish it, and when you are content give it the old flow's keyword.

    \b
    Example:
      flask flows convert seva-trust < exported.json > converted.json
      flask flows convert seva-trust --beside < exported.json > beside.json
    """
    made = ready_flows.convert(
        slug,
        sys.stdin.buffer.read(),
        let_in=LetIn(let_in) if let_in else None,
        place=Place.BESIDE if beside else Place.INSTEAD,
    )
    if wants_json():
        click.echo(for_programs(made), err=True)
    else:
        click.echo(printable(for_people(made)), err=True)
        _mind(made.warnings)
    _write(made.text)


def _mind(cautions: tuple[Caution, ...]) -> None:
    for caution in cautions:
        click.echo(f"Mind: {caution}", err=True)


def _write(text: str) -> None:
    """In UTF-8, whatever the terminal speaks: the file is for Glific."""
    click.echo(text.encode(), nl=False)
