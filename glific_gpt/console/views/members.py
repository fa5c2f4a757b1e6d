"""Members of an organization: invite, change the role, create a one-time link, remove."""

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
from glific_gpt.console.access import AccessLevel, current_organization, requires, signed_in_user
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.one_time_links import IssuedLink, issue_link
from glific_gpt.console.presenters.labels import ROLE_MEANINGS, ROLE_NAMES, translate_error
from glific_gpt.database import transaction
from glific_gpt.errors import AdministratorRequired, Conflict, GlificGptError, InvalidValue

MEMBERS_URL = "/organizations/<slug>/members"
MEMBER_URL = f"{MEMBERS_URL}/<int(max=2147483647):user_id>"
"""The limit is the largest INTEGER of PostgreSQL, which refuses larger ids."""


def _role_choices() -> list[tuple[str, str]]:
    return [(role.value, f"{ROLE_NAMES[role]} · {ROLE_MEANINGS[role]}") for role in Role]


class InvitationForm(Form):
    """E-mail address and role of a new member."""

    email = EmailField(_("E-mail address"), [DataRequired(_("Enter an e-mail address."))])
    role = SelectField(_("Role"), choices=_role_choices, default=Role.EDITOR.value)


@blueprint.get(MEMBERS_URL)
@requires(AccessLevel.VIEWER)
def members(slug: str) -> str:
    return _render(InvitationForm())


@blueprint.post(MEMBERS_URL)
@requires(AccessLevel.OWNER)
def invite_member(slug: str) -> Response | str | tuple[str, int]:
    form = InvitationForm()
    if not form.validate_on_submit():
        return _render(form), 422
    try:
        user, is_new = _invite(form)
    except GlificGptError as error:
        form.add_error(error, "email")
        return _render(form), 422
    return _respond_to_invitation(user, had_account=not is_new)


@blueprint.post(f"{MEMBER_URL}/role")
@requires(AccessLevel.OWNER)
def change_role(slug: str, user_id: int) -> Response:
    role = _requested_role()
    done = gettext("The role is changed.")
    return _change_member(
        user_id, lambda session, user: people.set_role(session, current_organization().id, user, role), done
    )


@blueprint.post(f"{MEMBER_URL}/link")
@requires(AccessLevel.OWNER)
def create_member_link(slug: str, user_id: int) -> str:
    """Create a new one-time link, for example after a lost invitation or a forgotten password.

    Raises Conflict after too many links of the organization within an hour.
    """
    creator, organization_id = signed_in_user(), current_organization().id
    with transaction() as session:
        user = member_permissions.find_member(session, organization_id, user_id)
        member_permissions.require_link_permission(session, creator, user, organization_id)
    link = issue_link(
        user,
        organization_id,
        check=lambda session: member_permissions.limit_links(session, creator, organization_id),
    )
    return _render(InvitationForm(formdata=None), link)


@blueprint.post(f"{MEMBER_URL}/remove")
@requires(AccessLevel.OWNER)
def remove_member(slug: str, user_id: int) -> Response:
    done = gettext("The member is removed.")
    response = _change_member(
        user_id, lambda session, user: people.remove_member(session, current_organization().id, user), done
    )
    has_left = user_id == signed_in_user().id and not signed_in_user().is_administrator
    # After leaving the organization, an owner gets 404 for the page of members.
    return _redirect("console.home") if has_left else response


def _invite(form: InvitationForm) -> tuple[User, bool]:
    """Return the person, and whether the account is new. A refusal that reveals an account is recorded."""
    organization_id = current_organization().id
    with transaction() as session:
        try:
            return member_permissions.invite(
                session, signed_in_user(), organization_id, form.email.data, Role(form.role.data)
            )
        except AdministratorRequired as error:
            member_permissions.record_refused_invitation(session, organization_id, form.email.data)
            refusal = error
    raise refusal


def _render(form: InvitationForm, link: IssuedLink | None = None) -> str:
    with transaction() as session:
        found = people.list_members(session, current_organization().id)
        out_of_reach = member_permissions.members_needing_administrator(session, current_organization().id)
    if not found and not form.is_submitted():
        form.role.data = Role.OWNER.value
    return render_template(
        "console/members.html", form=form, members=found, out_of_reach=out_of_reach, link=link, roles=list(Role)
    )


def _respond_to_invitation(user: User, *, had_account: bool) -> Response | str:
    """Show the one-time link. An administrator keeps the password, so there is no link."""
    if user.password is None:
        return _render(
            InvitationForm(formdata=None), issue_link(user, current_organization().id, had_account=had_account)
        )
    flash(gettext("%(email)s is now a member and signs in as before.", email=user.email), "success")
    return _redirect("console.members", slug=current_organization().slug)


def _change_member(user_id: int, change: Callable[[Session, User], None], done: str) -> Response:
    """Change a member and redirect. Raises NotFound if the user is not a member."""
    try:
        with transaction() as session:
            change(session, member_permissions.find_member(session, current_organization().id, user_id))
    except Conflict as refusal:
        flash(translate_error(refusal), "error")
    else:
        flash(done, "success")
    return _redirect("console.members", slug=current_organization().slug)


def _requested_role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise InvalidValue(gettext("Choose one of the roles.")) from None


def _redirect(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values))  # type: ignore[return-value]
