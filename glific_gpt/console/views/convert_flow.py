"""A flow that an NGO has, turned to this server: what would change, and the converted file to keep."""

from collections.abc import Callable
from threading import Lock

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from glific_gpt import ready_flows
from glific_gpt.console.access import Lock as Allowed
from glific_gpt.console.access import needs
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import flow_file, plain
from glific_gpt.console.forms.conversion import BUSY, FIELD, MOST, TOO_LARGE, ConversionForm
from glific_gpt.console.presenters.conversion import Changes, changes
from glific_gpt.console.problems import reply_to_http_error
from glific_gpt.console.uploads import takes_a_file
from glific_gpt.console.views.use_in_glific import RULE, page
from glific_gpt.errors import InvalidValue, NotAFlowExport
from glific_gpt.ready_flows import AuthMethod, Placement

ONE_AT_A_TIME = Lock()
"""Large files take seconds of this process, in which it also answers webhooks."""


@blueprint.post(f"{RULE}/convert")
@needs(Allowed.EDITOR)
@takes_a_file(FIELD, MOST)
def convert_flow(slug: str) -> ResponseReturnValue:
    """The file may hold a token, which is in this answer alone."""
    return _done(slug, _converted)


@blueprint.post(f"{RULE}/convert/preview")
@needs(Allowed.EDITOR)
@takes_a_file(FIELD, MOST)
def preview_conversion(slug: str) -> ResponseReturnValue:
    """No token is made. A part of the page where scripts run, else the whole page."""
    return _done(slug, _previewed)


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Of a file it is said at its field; other forms hold nothing large."""
    if request.endpoint not in ("console.convert_flow", "console.preview_conversion"):
        return reply_to_http_error(error)
    form = ConversionForm(formdata=None)
    form.flow.errors = [str(TOO_LARGE)]
    return _shown(form)


def _done(slug: str, what: Callable[[str, ConversionForm], ResponseReturnValue]) -> ResponseReturnValue:
    form = ConversionForm()
    if not form.validate_on_submit():
        return _shown(form)
    if not ONE_AT_A_TIME.acquire(blocking=False):
        form.flow.errors = [str(BUSY)]
        return _shown(form, status=503)
    try:
        return what(slug, form)
    except (NotAFlowExport, InvalidValue) as error:
        form.refuse(error, FIELD)
        return _shown(form)
    finally:
        ONE_AT_A_TIME.release()


def _converted(slug: str, form: ConversionForm) -> ResponseReturnValue:
    """Where nothing changed there is nothing to keep: the page says so."""
    name = plain(form.flow.data.filename or "").removesuffix(".json")
    made = ready_flows.convert_flow(
        slug, form.read(), let_in=AuthMethod(form.let_in.data), place=Placement(form.place.data)
    )
    if not made.conversion.changed:
        return page(conversion_form=form, conversion=changes(made.conversion))
    return flow_file(made.text, f"{name[:100] or slug}-converted.json")


def _previewed(slug: str, form: ConversionForm) -> ResponseReturnValue:
    seen = ready_flows.preview_conversion(
        slug, form.read(), let_in=AuthMethod(form.let_in.data), place=Placement(form.place.data)
    )
    return _shown(form, changes(seen.conversion, seen.warnings), status=200)


def _shown(form: ConversionForm, conversion: Changes | None = None, *, status: int = 422) -> ResponseReturnValue:
    if "HX-Request" in request.headers:  # which takes no part of a page with another status than 200
        return render_template("console/_conversion.html", conversion_form=form, conversion=conversion)
    return page(conversion_form=form, conversion=conversion), status
