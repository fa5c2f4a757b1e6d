"""People on this server, for administrators: who they are, where they belong, and what opens their accounts."""

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import EmailField
from wtforms.validators import DataRequired

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.tables import User
from glific_gpt.console.access import Lock, needs, person
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.one_time_links import HandedOver, hand_over
from glific_gpt.console.presenters.labels import sentence
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue

PEOPLE = "/server/people"
PERSON = f"{PEOPLE}/<int(max=2147483647):user_id>"


class NewAdministrator(Form):
    """Who is to be one."""

    email = EmailField(_("E-mail address"), [DataRequired(_("Enter an e-mail address."))])


@blueprint.get(PEOPLE)
@needs(Lock.ADMINISTRATOR)
def server_people() -> str:
    return _list(NewAdministrator())


@blueprint.post(PEOPLE)
@needs(Lock.ADMINISTRATOR)
def make_administrator() -> str | tuple[str, int]:
    form = NewAdministrator()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                user = administration.appoint(session, form.email.data)
        except (Conflict, InvalidValue) as error:
            form.refuse(error, "email")
        else:
            return _list(NewAdministrator(formdata=None), hand_over(user))
    return _list(form), 422


@blueprint.get(PERSON)
@needs(Lock.ADMINISTRATOR)
def server_person(user_id: int) -> str:
    return _one(user_id)


@blueprint.post(f"{PERSON}/link")
@needs(Lock.ADMINISTRATOR)
def make_person_link(user_id: int) -> str:
    """Raises Conflict for an account that is switched off."""
    with transaction() as session:
        user = administration.find(session, user_id)
    if not user.active:
        raise Conflict(people.SWITCHED_OFF)
    return _one(user_id, hand_over(user))


@blueprint.post(f"{PERSON}/deactivate")
@needs(Lock.ADMINISTRATOR)
def deactivate_person(user_id: int) -> Response:
    done = gettext("The account is switched off and signed out.")
    return _change(user_id, lambda session, user: administration.switch(session, user, person(), is_active=False), done)


@blueprint.post(f"{PERSON}/activate")
@needs(Lock.ADMINISTRATOR)
def activate_person(user_id: int) -> Response:
    done = gettext("The account is switched on.")
    return _change(user_id, lambda session, user: administration.switch(session, user, person(), is_active=True), done)


@blueprint.post(f"{PERSON}/dismiss")
@needs(Lock.ADMINISTRATOR)
def dismiss_administrator(user_id: int) -> Response:
    done = gettext("This person is no longer an administrator.")
    return _change(user_id, lambda session, user: administration.dismiss(session, user, person()), done)


@blueprint.post(f"{PERSON}/two-factor")
@needs(Lock.ADMINISTRATOR)
def forget_second_factor(user_id: int) -> Response:
    return _change(user_id, administration.forget_second_factor, gettext("Two-step sign-in is switched off."))


def _list(form: NewAdministrator, link: HandedOver | None = None) -> str:
    with transaction() as session:
        found = administration.everybody(session)
    return render_template("console/server_people.html", found=found, form=form, link=link)


def _one(user_id: int, link: HandedOver | None = None) -> str:
    """Raises NotFound."""
    with transaction() as session:
        found = administration.somebody(session, user_id)
    return render_template("console/server_person.html", found=found, link=link)


def _change(user_id: int, work: Callable[[Session, User], None], done: str) -> Response:
    """Raises NotFound."""
    try:
        with transaction() as session:
            work(session, administration.find(session, user_id))
    except Conflict as refusal:
        flash(sentence(refusal), "error")
    else:
        flash(done, "success")
    return redirect(url_for("console.server_person", user_id=user_id))  # type: ignore[return-value]
