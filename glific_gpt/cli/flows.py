"""flask flows: create, convert and simulate flows for Glific."""

import json
import sys
from typing import Any

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.conversion_report import edit_to_json, format_edit, format_json_report, format_text_report
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import json_option, remove_control_characters, sanitize, wants_json
from glific_gpt.cli.simulate import simulate
from glific_gpt.flows.building import FlowOptions, Language, Mode
from glific_gpt.operations import ready_flows
from glific_gpt.operations.ready_flows import AuthMethod, ConvertedFlowFile, FlowWarning, Placement

flows = Group(
    "flows",
    short_help="Flows to import into Glific.",
    help="""Create or convert flows to import into Glific, under Flows > Import. The flow is written to standard
    output, warnings to standard error.

    \b
    Example:
      flask flows export seva-trust --mode sync > ask.json
      flask flows convert seva-trust < exported.json > converted.json
      flask flows simulate seva-trust --reply "What is ORS?" < ask.json
    """,
)
flows.command("simulate")(simulate)

token = click.option(
    "--token",
    "let_in",
    flag_value=AuthMethod.TOKEN.value,
    help="Authenticate by a new webhook token, which is in the file.",
)
signature = click.option(
    "--signature", "let_in", flag_value=AuthMethod.SIGNATURE.value, help="Authenticate by Glific's signature."
)


@flows.command("export")
@slug
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    required=True,
    help="When the answer comes: directly, later, or directly if possible.",
)
@click.option("--name", default="", help="The flow's name in Glific.")
@click.option("--keyword", default="", help="The message that starts it.")
@click.option("--model", default="", help="The model that it uses. Default: the organization's.")
@click.option("--prompt", default="", help="Instructions for the model. The default asks for short answers.")
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default=Language.ENGLISH.value,
    help="The language of the messages and notes: English or Hindi.",
)
@click.option("--memory", is_flag=True, help="Continue the conversation with each question.")
@click.option("--documents", is_flag=True, help="Answer from the organization's documents.")
@token
@signature
@json_option
def export(*, slug: str, mode: str, let_in: str | None, name: str, keyword: str, model: str, **options: Any) -> None:
    """Create a flow that asks this server.

    With sync the answer must come within Glific's 5 seconds. With async it always comes later, and the flow waits.
    With auto it comes directly if it is fast enough, otherwise later. async and auto need a Glific connection. The name
    and the keyword must not exist in Glific yet.

    With --memory the model gets the earlier questions and answers with each question. They are stored nowhere: the
    flow keeps them in encrypted form.

    With --documents the flow calls filesearch-gpt, which searches the vector store of the organization.

    \b
    Example:
      flask flows export seva-trust --mode sync --language hi --prompt "You advise mothers of babies." > mothers.json
      flask flows export seva-trust --mode auto --name "Ask about health" --keyword health > health.json
    """
    flow_file = ready_flows.export_flow(
        slug,
        mode=Mode(mode),
        name=name,
        keyword=keyword,
        model=model,
        options=FlowOptions(
            options["prompt"].strip(), Language(options["language"]), options["memory"], options["documents"]
        ),
        auth_method=AuthMethod(let_in) if let_in else None,
    )
    _print_warnings(flow_file.warnings)
    _write_flow(flow_file.text)


@flows.command("convert")
@slug
@click.option(
    "--beside",
    "placement",
    flag_value=Placement.COPY.value,
    default=Placement.COPY.value,
    help="Write a new flow to import beside the old one. This is the default.",
)
@click.option(
    "--in-place",
    "placement",
    flag_value=Placement.IN_PLACE.value,
    help="Write no flow, but what to change by hand in each node of the old one.",
)
@token
@signature
@json_option
def convert(*, slug: str, placement: str, let_in: str | None) -> None:
    """Convert the GPT nodes of an exported flow.

    Reads the export from standard input. Nodes that call Glific's own parse_via_chat_gpt,
    parse_via_gpt_vision or filesearch-gpt become calls of this server.
    Everything else stays unchanged. Standard error lists the changed and unchanged nodes; with --json as one object.

    The converted flow has a new name, keyword and uuid. Import it beside the old flow, try it by sending draft: and its
    keyword, publish it, and then give it the old flow's keyword. Keep the old flow, because its results, logs and
    triggers belong to it. With --in-place you change the old flow yourself: the command writes the values to enter in
    each node, with --json as one object.

    \b
    Example:
      flask flows convert seva-trust < exported.json > converted.json
      flask flows convert seva-trust --in-place < exported.json
    """
    place = Placement(placement)
    flow_file = ready_flows.convert_flow(
        slug,
        # As bytes: the file is UTF-8, whatever the encoding of the terminal is.
        sys.stdin.buffer.read(),
        auth_method=AuthMethod(let_in) if let_in else None,
        placement=place,
    )
    if wants_json():
        click.echo(format_json_report(flow_file), err=True)
    else:
        click.echo(sanitize(format_text_report(flow_file)), err=True)
        _print_warnings(flow_file.warnings)
    if place is Placement.IN_PLACE:
        _write_edits(flow_file)
    else:
        _write_flow(flow_file.text)


def _write_edits(flow_file: ConvertedFlowFile) -> None:
    edits = flow_file.conversion.edits
    if wants_json():
        click.echo(json.dumps({"nodes": [edit_to_json(edit) for edit in edits]}))
    elif edits:
        _write_flow(remove_control_characters("\n\n".join(format_edit(edit) for edit in edits)) + "\n")


def _print_warnings(warnings: tuple[FlowWarning, ...]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def _write_flow(text: str) -> None:
    """Write UTF-8 even if the terminal has another encoding, because the file is for Glific."""
    click.echo(text.encode(), nl=False)
