"""Members of an organization: invite, change a role, a new one-time link, remove."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import EmailField, SelectField
from wtforms.validators import DataRequired

from glific_gpt.accounts import member_permissions, people
from glific_gpt.accounts.tables import Role, User
from glific_gpt.console.access import Lock, needs, organization, person
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.one_time_links import HandedOver, hand_over
from glific_gpt.console.presenters.labels import ROLE_MEANINGS, ROLE_NAMES, sentence
from glific_gpt.database import transaction
from glific_gpt.errors import AdministratorsOnly, Conflict, GlificGptError, InvalidValue

MEMBERS = "/organizations/<slug>/members"
MEMBER = f"{MEMBERS}/<int(max=2147483647):user_id>"
"""As far as ids go on every database."""


def _choices() -> list[tuple[str, str]]:
    return [(role.value, f"{ROLE_NAMES[role]} · {ROLE_MEANINGS[role]}") for role in Role]


class Invitation(Form):
    """Whom to let in, and as what."""

    email = EmailField(_("E-mail address"), [DataRequired(_("Enter an e-mail address."))])
    role = SelectField(_("Role"), choices=_choices, default=Role.EDITOR.value)


@blueprint.get(MEMBERS)
@needs(Lock.VIEWER)
def members(slug: str) -> str:
    return _page(Invitation())


@blueprint.post(MEMBERS)
@needs(Lock.OWNER)
def invite_member(slug: str) -> Response | str | tuple[str, int]:
    form = Invitation()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        with transaction() as session:
            user, new = member_permissions.invite(
                session, person(), organization().id, form.email.data, Role(form.role.data)
            )
    except GlificGptError as error:
        if isinstance(error, AdministratorsOnly):
            with transaction() as session:
                member_permissions.record_refused(session, organization().id, form.email.data)
        form.refuse(error, "email")
        return _page(form), 422
    return _invited(user, is_known=not new)


@blueprint.post(f"{MEMBER}/role")
@needs(Lock.OWNER)
def change_role(slug: str, user_id: int) -> Response:
    role = _role()
    done = gettext("The role is changed.")
    return _change(user_id, lambda session, user: people.set_role(session, organization().id, user, role), done)


@blueprint.post(f"{MEMBER}/link")
@needs(Lock.OWNER)
def make_member_link(slug: str, user_id: int) -> str:
    """For an invitation that was lost, or a password that was forgotten."""
    with transaction() as session:
        user = member_permissions.member(session, organization().id, user_id)
        member_permissions.require_link(session, person(), user, organization().id)
    return _page(Invitation(formdata=None), hand_over(user, organization().id))


@blueprint.post(f"{MEMBER}/remove")
@needs(Lock.OWNER)
def remove_member(slug: str, user_id: int) -> Response:
    done = gettext("The member is removed.")
    back = _change(user_id, lambda session, user: people.remove(session, organization().id, user), done)
    left = user_id == person().id and not person().is_administrator
    return _to("console.home") if left else back


def _page(form: Invitation, link: HandedOver | None = None) -> str:
    with transaction() as session:
        found = people.members(session, organization().id)
        beyond = member_permissions.out_of_reach(session, organization().id)
    return render_template("console/members.html", form=form, members=found, beyond=beyond, link=link, roles=list(Role))


def _invited(user: User, *, is_known: bool) -> Response | str:
    """An administrator who has a password keeps it, and needs no link."""
    if user.password is None:
        return _page(Invitation(formdata=None), hand_over(user, organization().id, is_known=is_known))
    flash(gettext("%(email)s is now a member and signs in as before.", email=user.email), "success")
    return _to("console.members", slug=organization().slug)


def _change(user_id: int, work: Callable[[Session, User], None], done: str) -> Response:
    """Raises NotFound for who is no member."""
    try:
        with transaction() as session:
            work(session, member_permissions.member(session, organization().id, user_id))
    except Conflict as refusal:
        flash(sentence(refusal), "error")
    else:
        flash(done, "success")
    return _to("console.members", slug=organization().slug)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise InvalidValue(gettext("Choose one of the roles.")) from None


def _to(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values))  # type: ignore[return-value]
