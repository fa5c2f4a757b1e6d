"""Administrators' list of organizations: their state, a new one, the switch."""

from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import EmailField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from glific_gpt.accounts import member_permissions, people
from glific_gpt.accounts.tables import Role, User
from glific_gpt.console.access import Lock, change, needs, organization, person
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.one_time_links import HandedOver, hand_over
from glific_gpt.database import reading, transaction
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.changes import checked
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services
from glific_gpt.usage.key_status import KeyState
from glific_gpt.usage.organization_status import states

STATES = {
    KeyState.MISSING: (_("Key missing"), "yellow"),
    KeyState.INACTIVE: (_("Key switched off"), "secondary"),
    KeyState.REFUSED: (_("Key refused by OpenAI"), "red"),
    KeyState.OUT_OF_CREDIT: (_("Out of credit"), "red"),
    KeyState.OK: (_("OK"), "green"),
    KeyState.UNVERIFIED: (_("Key not tested yet"), "blue"),
}


class NewOrganization(Form):
    """What an organization begins with."""

    name = StringField(
        _("Name"), [DataRequired(_("Enter a name.")), Length(max=200, message=_("Write at most 200 characters."))]
    )
    slug = StringField(
        _("Short name"),
        [DataRequired(_("Enter a short name."))],
        render_kw={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    email = EmailField(_("E-mail address of the first owner"))

    def validate_name(self, name: StringField) -> None:
        _as_error(
            lambda: checked(name=name.data),
            gettext("This name contains characters that cannot be stored. Remove them."),
        )

    def validate_slug(self, slug: StringField) -> None:
        if not store.is_slug(slug.data or ""):
            raise ValidationError(
                gettext("Use small letters, digits and hyphens, at most 63 characters, such as seva-trust.")
            )

    def validate_email(self, email: EmailField) -> None:
        if email.data:
            _as_error(lambda: people.checked_email(email.data), gettext("This is not an e-mail address."))


@dataclass(frozen=True)
class Made:
    """A new organization, with what is shown once."""

    organization: Organization
    token: str = field(repr=False)
    owner: User | None
    link: HandedOver | None
    """None where nobody was invited, and for an administrator, who signs in as before."""


@blueprint.get("/organizations")
@needs(Lock.ADMINISTRATOR)
def list_organizations() -> str:
    with reading() as session:
        found = states(session, services().language_models.name)
    return render_template("console/organizations.html", found=found, words=STATES)


@blueprint.get("/server/organizations/new")
@needs(Lock.ADMINISTRATOR)
def new_organization() -> str:
    return render_template("console/new_organization.html", form=NewOrganization())


@blueprint.post("/server/organizations/new")
@needs(Lock.ADMINISTRATOR)
def create_organization() -> tuple[str, int]:
    form = NewOrganization()
    if form.validate_on_submit():
        try:
            made = _make(form)
        except Conflict as taken:
            form.refuse(taken, "slug")
        except InvalidValue as wrong:
            form.refuse(wrong, "email")
        else:
            address = webhook_url(services().settings.public_url, made.organization.slug)
            return render_template("console/made_organization.html", made=made, address=address), 201
    return render_template("console/new_organization.html", form=form), 422


@blueprint.post("/organizations/<slug>/switch")
@needs(Lock.ADMINISTRATOR)
def switch_organization(slug: str) -> Response:
    """Raises InvalidValue for a form that does not say which way."""
    wanted = {"on": True, "off": False}.get(request.form.get("switch", ""))
    if wanted is None:
        raise InvalidValue(gettext("Choose whether to switch it on or off."))
    change(checked(is_active=wanted))
    name = organization().name
    done = gettext("%(name)s is switched on. Its calls are answered.", name=name)
    flash(done if wanted else gettext("%(name)s is switched off. Its calls are refused.", name=name), "success")
    return redirect(url_for("console.list_organizations"))  # type: ignore[return-value]


def _make(form: NewOrganization) -> Made:
    """Everything or nothing. Raises Conflict for a slug that is taken, InvalidValue for a person who cannot own it."""
    owner, new = None, True
    with transaction() as session:
        made = store.create(session, form.slug.data, form.name.data)
        _row, token = tokens.create_webhook_token(session, made, tokens.FIRST_LABEL)
        if form.email.data:
            owner, new = _invite(session, made, form.email.data)
    needs_link = owner is not None and owner.password is None
    return Made(made, token, owner, hand_over(owner, made.id, is_known=not new) if owner and needs_link else None)


def _invite(session: Session, made: Organization, email: str) -> tuple[User, bool]:
    """Its first owner, and whether the server had not known them. Raises InvalidValue."""
    try:
        return member_permissions.invite(session, person(), made.id, email, Role.OWNER)
    except Conflict as refusal:
        raise InvalidValue(str(refusal)) from None


def _as_error(check: Any, sentence: str) -> None:
    try:
        check()
    except InvalidValue:
        raise ValidationError(sentence) from None
