"""Use it in Glific, convert: preview and download an exported flow that is changed to call this server."""

from collections.abc import Callable

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import flow_download, sanitize_file_name
from glific_gpt.console.error_pages import render_http_error
from glific_gpt.console.forms.conversion import BUSY, FILE_FIELD, TOO_LARGE, ConversionForm
from glific_gpt.console.presenters.conversion import ConversionSummary, present_conversion
from glific_gpt.console.uploads import accepts_file
from glific_gpt.console.views.documents import reject_large_document
from glific_gpt.console.views.use_in_glific import USE_IN_GLIFIC_URL, render_tab, setup_cautions
from glific_gpt.errors import Conflict, InvalidFlowExport, InvalidValue
from glific_gpt.operations import ready_flows
from glific_gpt.operations.ready_flows import AuthMethod, ConversionPreview, ConvertedFlowFile, Placement
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.settings import MAX_FILE_BYTES

conversion_slot = FairSemaphore(1, max_waiting=8, max_waiting_of_group=1)
"""One conversion at a time: a large file takes seconds of CPU time, and webhooks must go on being answered."""
CONVERSION_TIMEOUT_SECONDS = 10.0
"""How long a conversion waits for those of other organizations."""


@blueprint.get(f"{USE_IN_GLIFIC_URL}/convert")
@requires(AccessLevel.VIEWER)
def show_conversion(slug: str) -> str:
    return _render_tab(ConversionForm(formdata=None), None)


@blueprint.post(f"{USE_IN_GLIFIC_URL}/convert")
@requires(AccessLevel.EDITOR)
@accepts_file(FILE_FIELD, MAX_FILE_BYTES)
def convert_flow(slug: str) -> ResponseReturnValue:
    """Download the converted flow. The file can contain a new token, which is not shown again."""
    return _handle_form(slug, _convert)


@blueprint.post(f"{USE_IN_GLIFIC_URL}/convert/preview")
@requires(AccessLevel.EDITOR)
@accepts_file(FILE_FIELD, MAX_FILE_BYTES)
def preview_conversion(slug: str) -> ResponseReturnValue:
    """Show the changes. No token is created.

    An htmx request gets only a part of the page, a browser without scripts the whole page.
    """
    return _handle_form(slug, _preview)


@blueprint.errorhandler(RequestEntityTooLarge)
def _handle_too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Show the error beside the file field. Other forms have no large fields."""
    if request.endpoint == "console.upload_document":
        return reject_large_document(str((request.view_args or {})["slug"]))
    if request.endpoint not in ("console.convert_flow", "console.preview_conversion"):
        return render_http_error(error)
    form = ConversionForm(formdata=None)
    form.flow.errors = [str(TOO_LARGE)]
    return _render(form)


@blocking
def _handle_form(slug: str, handle: Callable[[str, ConversionForm], ResponseReturnValue]) -> ResponseReturnValue:
    form = ConversionForm()
    if not form.validate_on_submit():
        return _render(form)
    if not conversion_slot.acquire(slug, CONVERSION_TIMEOUT_SECONDS):
        form.flow.errors = [str(BUSY)]
        return _render(form, status=503)
    try:
        return handle(slug, form)
    except (Conflict, InvalidFlowExport, InvalidValue) as error:
        form.add_error(error, FILE_FIELD)
        return _render(form, status=error.status)
    finally:
        conversion_slot.release()


def _convert(slug: str, form: ConversionForm) -> ResponseReturnValue:
    """Convert the file. If nothing changes, or the flow is changed by hand, there is a page and no download."""
    name = sanitize_file_name(form.flow.data.filename or "").removesuffix(".json")
    result = ready_flows.convert_flow(
        slug, form.read(), auth_method=AuthMethod(form.auth_method.data), placement=Placement(form.place.data)
    )
    if not result.conversion.renamed:
        # There is nothing to convert, or the values to enter by hand, with a new token that is not shown again.
        return _render_tab(form, _summarize(slug, result, has_instructions=True))
    return flow_download(result.text, f"{name[:100] or slug}-converted.json")


def _preview(slug: str, form: ConversionForm) -> ResponseReturnValue:
    result = ready_flows.preview_conversion(
        slug, form.read(), auth_method=AuthMethod(form.auth_method.data), placement=Placement(form.place.data)
    )
    return _render(form, _summarize(slug, result), status=200)


def _summarize(
    slug: str, result: ConvertedFlowFile | ConversionPreview, *, has_instructions: bool = False
) -> ConversionSummary:
    """Return the summary without the warnings about the set-up, which the form shows already."""
    shown = ready_flows.list_setup_warnings(slug)
    own = [warning for warning in result.warnings if warning not in shown]
    return present_conversion(result.conversion, own, has_instructions=has_instructions)


def _render(
    form: ConversionForm, conversion: ConversionSummary | None = None, *, status: int = 422
) -> ResponseReturnValue:
    # htmx discards responses with an error status.
    if "HX-Request" in request.headers:
        return render_template("console/_conversion.html", conversion_form=form, conversion=conversion)
    return _render_tab(form, conversion), status


def _render_tab(form: ConversionForm, conversion: ConversionSummary | None) -> str:
    limits = {"max_file_bytes": MAX_FILE_BYTES, "too_large": TOO_LARGE}
    return render_tab("convert_flow", conversion_form=form, conversion=conversion, cautions=setup_cautions(), **limits)
