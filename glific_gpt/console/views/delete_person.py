"""Deletion of a person, for administrators."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.accounts import administration, removal
from glific_gpt.console.access import AccessLevel, require_fresh_sign_in, requires, signed_in_user
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.deletion import DeletionForm
from glific_gpt.console.views.server_people import PERSON_URL
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict

DELETION_TIMEOUT_SECONDS = 10.0
"""Time-out of the statements, which read all audit entries."""


@blueprint.get(f"{PERSON_URL}/delete")
@requires(AccessLevel.ADMINISTRATOR)
def confirm_person_deletion(user_id: int) -> str:
    return _render(user_id, DeletionForm(formdata=None))


@blueprint.post(f"{PERSON_URL}/delete")
@requires(AccessLevel.ADMINISTRATOR)
def delete_person(user_id: int) -> ResponseReturnValue:
    """Delete the person. Raises NotFound."""
    if confirmation := require_fresh_sign_in(url_for("console.confirm_person_deletion", user_id=user_id)):
        return confirmation
    with transaction() as session:
        email = administration.find_user(session, user_id).email
    form = DeletionForm()
    if not form.confirms(email):
        return _render(user_id, form), 422
    try:
        with transaction(DELETION_TIMEOUT_SECONDS) as session:
            removal.delete_person(session, administration.find_user(session, user_id), signed_in_user())
    except Conflict as refusal:
        form.add_error(refusal)
        return _render(user_id, form), 422
    flash(_("The account is deleted."), "success")
    return redirect(url_for("console.server_people"))


def _render(user_id: int, form: DeletionForm) -> str:
    """Render the page. Raises NotFound."""
    with transaction() as session:
        person = administration.get_person(session, user_id)
    return render_template("console/delete_person.html", person=person, form=form)
