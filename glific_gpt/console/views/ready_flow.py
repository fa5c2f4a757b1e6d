"""A flow that is ready to import into Glific, as a file to keep."""

from flask import Response
from flask.typing import ResponseReturnValue

from glific_gpt import ready_flows
from glific_gpt.console.access import Lock, needs
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import flow_file
from glific_gpt.console.forms.ready_flow import ReadyFlowForm
from glific_gpt.console.views.use_in_glific import RULE, page
from glific_gpt.errors import InvalidValue
from glific_gpt.flows.building import Mode
from glific_gpt.ready_flows import AuthMethod


@blueprint.post(f"{RULE}/flow")
@needs(Lock.EDITOR)
def download_flow(slug: str) -> ResponseReturnValue:
    """The file may hold a token, which is in this answer alone."""
    form = ReadyFlowForm.offering()
    if not form.validate_on_submit():
        return page(flow_form=form), 422
    try:
        return _made(slug, form)
    except InvalidValue as error:
        form.refuse(error)
        return page(flow_form=form), 422


def _made(slug: str, form: ReadyFlowForm) -> Response:
    ready = ready_flows.export_flow(
        slug,
        mode=Mode(form.mode.data),
        name=form.name.data,
        keyword=form.keyword.data,
        model=form.model.data,
        let_in=AuthMethod(form.let_in.data),
    )
    return flow_file(ready.text, f"{form.keyword.data}.json")
