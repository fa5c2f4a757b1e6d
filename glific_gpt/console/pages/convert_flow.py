"""A flow that an NGO has, turned to this server: what would change, and the converted file to keep."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from glific_gpt import ready_flows
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.files import flow_file
from glific_gpt.console.forms.conversion import FIELD, MOST, TOO_LARGE, ConversionForm
from glific_gpt.console.lock import Lock, needs
from glific_gpt.console.pages.use_in_glific import RULE, page
from glific_gpt.console.problems import reply_to_http_error
from glific_gpt.console.shown.conversion import Changes, changes
from glific_gpt.console.uploads import takes_a_file
from glific_gpt.errors import InvalidValue, NotAFlowExport
from glific_gpt.ready_flows import LetIn, Place


@blueprint.post(f"{RULE}/convert")
@needs(Lock.EDITOR)
@takes_a_file(FIELD, MOST)
def convert_flow(slug: str) -> ResponseReturnValue:
    """The file may hold a token, which is in this answer alone."""
    form = ConversionForm()
    if form.validate_on_submit():
        try:
            return _converted(slug, form)
        except (NotAFlowExport, InvalidValue) as error:
            form.refuse(error, FIELD)
    return page(conversion_form=form), 422


@blueprint.post(f"{RULE}/convert/preview")
@needs(Lock.EDITOR)
@takes_a_file(FIELD, MOST)
def preview_conversion(slug: str) -> ResponseReturnValue:
    """No token is made. A part of the page where scripts run, else the whole page."""
    form = ConversionForm()
    if form.validate_on_submit():
        try:
            return _shown(form, changes(ready_flows.preview(slug, form.read(), Place(form.place.data))))
        except (NotAFlowExport, InvalidValue) as error:
            form.refuse(error, FIELD)
    return _shown(form)


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Of a file it is said at its field; other forms hold nothing large."""
    if request.endpoint not in ("console.convert_flow", "console.preview_conversion"):
        return reply_to_http_error(error)
    form = ConversionForm(formdata=None)
    form.flow.errors = [str(TOO_LARGE)]
    return _shown(form)


def _converted(slug: str, form: ConversionForm) -> ResponseReturnValue:
    """Where nothing changed there is nothing to keep: the page says so."""
    name = (form.flow.data.filename or "").removesuffix(".json")
    made = ready_flows.convert(slug, form.read(), let_in=LetIn(form.let_in.data), place=Place(form.place.data))
    if not made.conversion.changed:
        return page(conversion_form=form, conversion=changes(made.conversion))
    return flow_file(made.text, f"{name[:100] or slug}-converted.json")


def _shown(form: ConversionForm, conversion: Changes | None = None) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        return render_template("console/_conversion.html", conversion_form=form, conversion=conversion)
    return page(conversion_form=form, conversion=conversion), 200 if conversion else 422
