"""Help: the handbook of the console, in the language of the page."""

from flask import render_template

from glific_gpt.console.access import AccessLevel, load_last_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.context import page_language
from glific_gpt.console.handbook import load_handbook


@blueprint.get("/help")
@requires(AccessLevel.SIGNED_IN)
def help_page() -> str:
    load_last_organization()
    return render_template("console/help.html", handbook=load_handbook(page_language()))
