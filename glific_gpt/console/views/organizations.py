"""Organizations of the server, for administrators: list, create, switch on and off."""

from dataclasses import dataclass, field

from flask import Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from glific_gpt.accounts import member_permissions
from glific_gpt.accounts.tables import Role, User
from glific_gpt.calls.deferred.backlog import find_backlog
from glific_gpt.console.access import AccessLevel, current_organization, requires, signed_in_user, update_organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.new_organization import NewOrganizationForm
from glific_gpt.console.one_time_links import IssuedLink, issue_link
from glific_gpt.console.presenters.organization_badges import badge_of
from glific_gpt.database import reading, transaction
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import validate_changes
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services
from glific_gpt.usage.organization_status import list_organization_statuses

LAST_CREATED = "created_organization"
"""Key of the session: the slug of the organization that the person created last."""


@dataclass(frozen=True)
class CreatedOrganization:
    """A new organization, with the secrets that are shown once."""

    organization: Organization
    token: str = field(repr=False)
    """Empty if it was shown before."""
    owner: User | None
    link: IssuedLink | None
    """None if no owner was invited, or if the owner is an administrator and keeps the password."""


@blueprint.get("/organizations")
@requires(AccessLevel.ADMINISTRATOR)
def list_organizations() -> str:
    with reading() as database:
        rows = list_organization_statuses(database, services().model_provider.name)
        backlog = find_backlog(database)
    return render_template("console/organizations.html", rows=rows, badge_of=badge_of, backlog=backlog)


# Not below /organizations/, because `new` would be the slug of an organization there.
@blueprint.get("/server/organizations/new")
@requires(AccessLevel.ADMINISTRATOR)
def new_organization() -> str:
    return _render_form(NewOrganizationForm())


@blueprint.post("/server/organizations/new")
@requires(AccessLevel.ADMINISTRATOR)
def create_organization() -> tuple[str, int]:
    form = NewOrganizationForm()
    form.set_choices()
    if form.validate_on_submit():
        try:
            created = _create(form)
        except Conflict as taken:
            if session.get(LAST_CREATED) == form.slug.data:
                # The person loads the page with the new organization again, which sends the form again.
                return _render_created(_find_created(form.slug.data)), 200
            form.add_error(taken, "slug")
        except InvalidValue as wrong:
            form.add_error(wrong, "email")
        else:
            session[LAST_CREATED] = created.organization.slug
            if created.organization.monthly_budget_usd == 0:
                flash(gettext("The budget is 0, so every call is refused. Change it under Settings."), "warning")
            return _render_created(created), 201
    return _render_form(form), 422


@blueprint.post("/organizations/<slug>/switch")
@requires(AccessLevel.ADMINISTRATOR)
def switch_organization(slug: str) -> Response:
    """Switch the organization on or off. Raises InvalidValue if the form has no valid choice."""
    is_active = {"on": True, "off": False}.get(request.form.get("switch", ""))
    if is_active is None:
        raise InvalidValue(gettext("Choose whether to switch it on or off."))
    update_organization(validate_changes(is_active=is_active))
    name = current_organization().name
    done = gettext("%(name)s is switched on. Its calls are answered.", name=name)
    flash(done if is_active else gettext("%(name)s is switched off. Its calls are refused.", name=name), "success")
    return redirect(url_for("console.list_organizations"))  # type: ignore[return-value]


def _render_form(form: NewOrganizationForm) -> str:
    form.set_choices()
    # A server without a time zone of its own leaves the choice to the browser.
    suggests_zone = services().settings.chosen_time_zone is None
    return render_template("console/new_organization.html", form=form, suggests_zone=suggests_zone)


def _render_created(created: CreatedOrganization) -> str:
    slug = created.organization.slug
    return render_template(
        "console/created_organization.html",
        created=created,
        address=webhook_url(services().settings.public_url, slug),
        first_label=tokens.FIRST_LABEL,
    )


def _find_created(slug: str) -> CreatedOrganization:
    with reading() as database:
        return CreatedOrganization(store.find(database, slug), token="", owner=None, link=None)


def _create(form: NewOrganizationForm) -> CreatedOrganization:
    """Create the organization with its budget, its first token and its owner in one transaction.

    Raises Conflict if the slug is taken, InvalidValue if the person cannot be its owner.
    """
    owner, is_new = None, True
    with transaction() as database:
        organization = store.create(database, form.slug.data, form.name.data, form.time_zone.data or None)
        store.update(database, organization, form.settings())
        _row, token = tokens.create_webhook_token(database, organization, tokens.FIRST_LABEL)
        if form.email.data:
            owner, is_new = _invite_owner(database, organization, form.email.data)
    link = None
    if owner is not None and owner.password is None:
        # Outside the transaction, because the link is also sent by e-mail.
        link = issue_link(owner, organization.id, had_account=not is_new)
    return CreatedOrganization(organization, token, owner, link)


def _invite_owner(session: Session, organization: Organization, email: str) -> tuple[User, bool]:
    """Return the first owner and whether the account is new. Raises InvalidValue."""
    try:
        return member_permissions.invite(session, signed_in_user(), organization.id, email, Role.OWNER)
    except Conflict as refusal:
        # The caller shows a Conflict beside the slug. This error belongs beside the e-mail address.
        raise InvalidValue(str(refusal)) from None
