"""flask flows: create, convert and simulate flows for Glific."""

import sys

import click

from glific_gpt import ready_flows
from glific_gpt.cli.arguments import slug
from glific_gpt.cli.conversion_report import format_json_report, format_text_report
from glific_gpt.cli.group import Group
from glific_gpt.cli.output import json_option, sanitize, wants_json
from glific_gpt.cli.simulate import simulate
from glific_gpt.flows.building import Mode
from glific_gpt.ready_flows import AuthMethod, FlowWarning, Placement

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
@token
@signature
@json_option
def export(*, slug: str, mode: str, name: str, keyword: str, model: str, let_in: str | None) -> None:
    """Create a flow that asks this server.

    With sync the answer must come within Glific's 5 seconds. With async it always comes later, and the flow waits.
    With auto it comes directly if it is fast enough, otherwise later. async and auto need a Glific connection. The name
    and the keyword must not exist in Glific yet.

    \b
    Example:
      flask flows export seva-trust --mode auto --name "Ask about health" --keyword health > health.json
    """
    flow_file = ready_flows.export_flow(
        slug,
        mode=Mode(mode),
        name=name,
        keyword=keyword,
        model=model,
        auth_method=AuthMethod(let_in) if let_in else None,
    )
    _print_warnings(flow_file.warnings)
    _write_flow(flow_file.text)


@flows.command("convert")
@slug
@click.option(
    "--beside", is_flag=True, help="Give it a new name and keyword, so that you can try it beside the old flow."
)
@token
@signature
@json_option
def convert(*, slug: str, beside: bool, let_in: str | None) -> None:
    """Convert the GPT nodes of an exported flow.

    Reads the export from standard input. Nodes that call Glific's own parse_via_chat_gpt become calls of this server.
    Everything else stays unchanged. Standard error lists the changed and unchanged nodes; with --json as one object.

    Glific does not import a second flow with the same name, keyword or uuid. Keep the exported file as a backup, delete
    the old flow in Glific, and import the converted one. Or convert with --beside: import the flow beside the old one,
    try it by sending draft: and its keyword, publish it, and then give it the old flow's keyword.

    \b
    Example:
      flask flows convert seva-trust < exported.json > converted.json
      flask flows convert seva-trust --beside < exported.json > beside.json
    """
    flow_file = ready_flows.convert_flow(
        slug,
        # As bytes: the file is UTF-8, whatever the encoding of the terminal is.
        sys.stdin.buffer.read(),
        auth_method=AuthMethod(let_in) if let_in else None,
        placement=Placement.COPY if beside else Placement.REPLACE,
    )
    if wants_json():
        click.echo(format_json_report(flow_file), err=True)
    else:
        click.echo(sanitize(format_text_report(flow_file)), err=True)
        _print_warnings(flow_file.warnings)
    _write_flow(flow_file.text)


def _print_warnings(warnings: tuple[FlowWarning, ...]) -> None:
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def _write_flow(text: str) -> None:
    """Write UTF-8 even if the terminal has another encoding, because the file is for Glific."""
    click.echo(text.encode(), nl=False)
