"""Use it in Glific, new flow: download a flow that is ready to import."""

from flask import Response
from flask.typing import ResponseReturnValue

from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import flow_download
from glific_gpt.console.forms.ready_flow import ReadyFlowForm
from glific_gpt.console.views.use_in_glific import USE_IN_GLIFIC_URL, is_connected, render_tab, setup_cautions
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.flows.building import FlowOptions, Language, Mode
from glific_gpt.operations import ready_flows
from glific_gpt.operations.ready_flows import AuthMethod


@blueprint.get(USE_IN_GLIFIC_URL)
@requires(AccessLevel.VIEWER)
def use_in_glific(slug: str) -> str:
    return _render(ReadyFlowForm.with_choices(use_defaults=True))


@blueprint.post(f"{USE_IN_GLIFIC_URL}/flow")
@requires(AccessLevel.EDITOR)
def download_flow(slug: str) -> ResponseReturnValue:
    """Download the flow. The file can contain a new token, which is not shown again."""
    form = ReadyFlowForm.with_choices()
    if not form.validate_on_submit():
        return _render(form), 422
    try:
        return _build_download(slug, form)
    except (Conflict, InvalidValue) as error:
        form.add_error(error)
        return _render(form), error.status


@blueprint.post(f"{USE_IN_GLIFIC_URL}/flow/form")
@requires(AccessLevel.EDITOR)
def prepare_flow(slug: str) -> str:
    """Show the form with the values of a test question. It is a POST request, because prompts do not fit into URLs."""
    return _render(ReadyFlowForm.prefilled(), is_prefilled=True)


def _build_download(slug: str, form: ReadyFlowForm) -> Response:
    ready = ready_flows.export_flow(
        slug,
        mode=Mode(form.mode.data),
        name=form.name.data,
        keyword=form.keyword.data,
        model=form.model.data,
        options=FlowOptions(
            form.prompt.data or "", Language(form.language.data), form.memory.data, form.documents.data
        ),
        auth_method=AuthMethod(form.auth_method.data),
    )
    return flow_download(ready.text, f"{form.keyword.data}.json")


def _render(form: ReadyFlowForm, *, is_prefilled: bool = False) -> str:
    return render_tab(
        "ready_flow",
        flow_form=form,
        is_prefilled=is_prefilled,
        cautions=setup_cautions(),
        connected=is_connected(),
    )
