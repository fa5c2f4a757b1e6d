"""People of this server, for administrators: accounts, memberships and sign-in."""

from collections.abc import Callable

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import EmailField
from wtforms.validators import DataRequired

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.sign_in import two_factor_requirement
from glific_gpt.accounts.tables import User
from glific_gpt.console.access import AccessLevel, requires, signed_in_user
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.one_time_links import IssuedLink, issue_link
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue

PEOPLE_URL = "/server/people"
PERSON_URL = f"{PEOPLE_URL}/<int(max=2147483647):user_id>"


class NewAdministratorForm(Form):
    """E-mail address of a new administrator."""

    email = EmailField(_("E-mail address"), [DataRequired(_("Enter an e-mail address."))])


@blueprint.get(PEOPLE_URL)
@requires(AccessLevel.ADMINISTRATOR)
def server_people() -> str:
    return _render_list(NewAdministratorForm())


@blueprint.post(PEOPLE_URL)
@requires(AccessLevel.ADMINISTRATOR)
def add_administrator() -> str | tuple[str, int]:
    form = NewAdministratorForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                user = administration.grant_admin(session, form.email.data)
        except (Conflict, InvalidValue) as error:
            form.add_error(error, "email")
        else:
            return _render_list(NewAdministratorForm(formdata=None), issue_link(user))
    return _render_list(form), 422


@blueprint.post(f"{PEOPLE_URL}/two-factor")
@requires(AccessLevel.ADMINISTRATOR)
def require_two_factor() -> Response:
    """Require two-step sign-in of everyone, or make it optional."""
    required = request.form.get("required") == "yes"
    with transaction() as session:
        two_factor_requirement.set_required(session, required=required)
    flash(
        gettext("Two-step sign-in is now required of everyone.")
        if required
        else gettext("Two-step sign-in is now optional."),
        "success",
    )
    return redirect(url_for("console.server_people"))  # type: ignore[return-value]


@blueprint.get(PERSON_URL)
@requires(AccessLevel.ADMINISTRATOR)
def server_person(user_id: int) -> str:
    return _render_person(user_id)


@blueprint.post(f"{PERSON_URL}/link")
@requires(AccessLevel.ADMINISTRATOR)
def create_person_link(user_id: int) -> str:
    """Create a one-time link. Raises Conflict if the account is switched off."""
    with transaction() as session:
        user = administration.find_user(session, user_id)
    if not user.active:
        raise Conflict(people.MSG_ACCOUNT_INACTIVE)
    return _render_person(user_id, issue_link(user))


@blueprint.post(f"{PERSON_URL}/activate", defaults={"is_active": True})
@blueprint.post(f"{PERSON_URL}/deactivate", defaults={"is_active": False})
@requires(AccessLevel.ADMINISTRATOR)
def switch_person(user_id: int, *, is_active: bool) -> Response:
    on, off = gettext("The account is switched on."), gettext("The account is switched off and signed out.")
    return _change_person(
        user_id,
        lambda session, user: administration.set_active(session, user, signed_in_user(), is_active=is_active),
        on if is_active else off,
    )


@blueprint.post(f"{PERSON_URL}/dismiss")
@requires(AccessLevel.ADMINISTRATOR)
def remove_administrator(user_id: int) -> Response:
    done = gettext("This person is no longer an administrator.")
    return _change_person(
        user_id, lambda session, user: administration.revoke_admin(session, user, signed_in_user()), done
    )


@blueprint.post(f"{PERSON_URL}/two-factor")
@requires(AccessLevel.ADMINISTRATOR)
def reset_two_factor(user_id: int) -> Response:
    return _change_person(user_id, administration.reset_two_factor, gettext("Two-step sign-in is switched off."))


def _render_list(form: NewAdministratorForm, link: IssuedLink | None = None) -> str:
    with transaction() as session:
        people_rows = administration.list_people(session)
        required = two_factor_requirement.find_required(session)
    return render_template(
        "console/server_people.html",
        people=people_rows,
        form=form,
        link=link,
        two_factor_required=required,
        without_two_factor=sum(_needs_password_only(row.user) for row in people_rows),
    )


def _needs_password_only(user: User) -> bool:
    return user.active and user.password is not None and not user.has_two_factor


def _render_person(user_id: int, link: IssuedLink | None = None) -> str:
    """Render the page of one person. Raises NotFound."""
    with transaction() as session:
        person = administration.get_person(session, user_id)
    return render_template("console/server_person.html", person=person, link=link)


def _change_person(user_id: int, change: Callable[[Session, User], None], done: str) -> Response:
    """Change an account and redirect. Raises NotFound."""
    try:
        with transaction() as session:
            change(session, administration.find_user(session, user_id))
    except Conflict as refusal:
        flash(translate_error(refusal), "error")
    else:
        flash(done, "success")
    return redirect(url_for("console.server_person", user_id=user_id))  # type: ignore[return-value]
