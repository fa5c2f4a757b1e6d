"""Audit entries as sentences: one template for each action, filled with the entry's detail."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from glific_gpt.accounts.sign_in.set_up import ACTOR as SET_UP_ACTOR
from glific_gpt.accounts.tables import Role
from glific_gpt.audit.actions import Action
from glific_gpt.audit.trail import SERVER_ACTOR, EntryView
from glific_gpt.console.presenters.labels import ROLE_NAMES

MISSING_VALUE = "?"

ACTION_TEXTS = {
    Action.ORGANIZATION_CREATED: _("Created the organization %(slug)s"),
    Action.ORGANIZATION_CHANGED: _("Changed settings: %(changed)s"),
    Action.ORGANIZATION_ACTIVATED: _("Switched the organization on"),
    Action.ORGANIZATION_DEACTIVATED: _("Switched the organization off"),
    Action.ORGANIZATION_EXPORTED: _("Exported all data of the organization"),
    Action.ORGANIZATION_DELETED: _("Deleted the organization %(slug)s"),
    Action.CREDENTIAL_SAVED: _("Saved a key for %(provider)s that ends in %(last4)s"),
    Action.CREDENTIAL_ACTIVATED: _("Switched the key for %(provider)s on (it ends in %(last4)s)"),
    Action.CREDENTIAL_DEACTIVATED: _("Switched the key for %(provider)s off (it ends in %(last4)s)"),
    Action.CREDENTIAL_DELETED: _("Deleted the key for %(provider)s that ended in %(last4)s"),
    Action.TOKEN_CREATED: _("Created the webhook token “%(label)s”"),
    Action.TOKEN_REVOKED: _("Revoked the webhook token “%(label)s”"),
    Action.API_TOKEN_CREATED: _("Created the API token “%(label)s”"),
    Action.API_TOKEN_REVOKED: _("Revoked the API token “%(label)s”"),
    Action.SIGNATURE_PHRASE_SET: _("Set a new webhook signature"),
    Action.SIGNATURE_PHRASE_CLEARED: _("Deleted the webhook signature"),
    Action.MODELS_ALLOWED: _("Allowed these models: %(patterns)s"),
    Action.SERVER_MODELS_ALLOWED: _("Allowed these models for every organization: %(patterns)s"),
    Action.VECTOR_STORE_CREATED: _("Created the vector store %(store)s at OpenAI"),
    Action.DOCUMENT_UPLOADED: _("Uploaded the document %(file)s to the vector store %(store)s at OpenAI"),
    Action.DOCUMENT_REMOVED: _("Deleted the document %(file)s of the vector store %(store)s at OpenAI"),
    Action.GLIFIC_CONNECTED: _("Connected the organization to Glific at %(host)s, %(way)s"),
    Action.GLIFIC_DISCONNECTED: _("Disconnected the organization from Glific at %(host)s"),
    Action.CALL_RETRIED: _("Sent the answer of call %(call)s to Glific again"),
    Action.CONTACT_FORGOTTEN: _("Forgot a contact, who had %(calls)s calls"),
    Action.MEMBER_ADDED: _("Added %(email)s as a member: %(role)s"),
    Action.MEMBER_ROLE_CHANGED: _("Changed the role of %(email)s: %(role)s"),
    Action.MEMBER_REMOVED: _("Removed the member %(email)s"),
    Action.INVITATION_REFUSED: _("Tried to invite %(email)s, but the account already exists on this server"),
    Action.ADMINISTRATOR_ADDED: _("Made %(email)s an administrator"),
    Action.ADMINISTRATOR_REMOVED: _("Removed the administrator rights of %(email)s"),
    Action.PERSON_ACTIVATED: _("Switched the account of %(email)s on"),
    Action.PERSON_DEACTIVATED: _("Switched the account of %(email)s off"),
    Action.PERSON_DELETED: _("Deleted the account of a person: %(email)s"),
    Action.SIGNED_IN: _("Signed in as %(email)s from %(address)s"),
    Action.SIGN_IN_FAILED: _("Failed to sign in as %(email)s from %(address)s"),
    Action.UNKNOWN_SIGN_IN_FAILED: _("Failed to sign in with an e-mail address that has no account, from %(address)s"),
    Action.PASSWORD_CHECK_FAILED: _("Entered a wrong password for %(email)s, signed in from %(address)s"),
    Action.CODE_CHECK_FAILED: _("Entered the right password, but a wrong code for %(email)s from %(address)s"),
    Action.SET_UP_FAILED: _("Entered a wrong set-up token, from %(address)s"),
    Action.SIGNED_OUT_HERE: _("Signed %(email)s out in one browser, from %(address)s"),
    Action.SIGNED_OUT: _("Signed %(email)s out on all devices, from %(address)s"),
    Action.PASSWORD_CHANGED: _("Changed the password of %(email)s"),
    Action.PASSWORD_RESET: _("Chose a new password for %(email)s with a one-time link, from %(address)s"),
    Action.PASSWORD_LINK_REQUESTED: _("Asked for a link for %(email)s by e-mail, from %(address)s"),
    Action.TWO_FACTOR_ENABLED: _("Switched on two-step sign-in for %(email)s"),
    Action.TWO_FACTOR_DISABLED: _("Switched off two-step sign-in for %(email)s"),
    Action.TWO_FACTOR_REQUIRED: _("Required two-step sign-in of everyone on this server"),
    Action.TWO_FACTOR_OPTIONAL: _("Made two-step sign-in optional on this server"),
    Action.RECOVERY_CODES_CREATED: _("Created recovery codes for %(email)s"),
    Action.RECOVERY_CODE_USED: _("Used a recovery code of %(email)s, from %(address)s"),
    Action.SIGN_IN_LINK_MADE: _("Created a one-time link for %(email)s"),
    Action.RUPEE_RATE_SET: _("Set the rate of reports: %(rupees)s rupees for one US dollar, of %(day)s"),
    Action.RUPEE_RATE_REMOVED: _("Removed the rate of the rupee from reports"),
    Action.KEYS_ROTATED: _("Re-encrypted all secrets: %(reencrypted)s done, %(unreadable)s could not be read"),
    Action.KEYS_ACCEPTED: _("Accepted new encryption keys, because those before were lost"),
    Action.CALLS_PRUNED: _("Deleted calls older than %(days)s days: %(deleted)s calls"),
}
SETTING_NAMES = {
    "name": _("name"),
    "default_model": _("default model"),
    "fallback_model": _("fallback model"),
    "alert_email": _("e-mail address for alerts"),
    "fallback_message": _("message when there is no answer"),
    "glific_organization_id": _("Glific organization id"),
    "require_signature": _("signature required"),
    "contact_daily_limit": _("daily limit of answers for one contact"),
    "calls_per_minute": _("limit of calls per minute"),
    "contact_calls_per_minute": _("limit of calls per minute for one contact"),
    "monthly_budget_usd": _("monthly budget in US dollars"),
    "vector_store_id": _("vector store with the documents"),
    "memory_hours": _("hours in which a conversation can be continued"),
    "time_zone": _("time zone"),
    "fetch_images": _("download of pictures by this server"),
}
PROVIDER_NAMES = {"open_ai": "OpenAI"}
CONNECTION_METHODS = {"api": _("with phone number and password"), "signed": _("with the webhook signature")}
ACTOR_NAMES = {
    SERVER_ACTOR: _("The server"),
    "command line": _("Command line"),
    SET_UP_ACTOR: _("A visitor with the set-up token"),
    "nobody": _("A visitor who was not signed in"),
}


class _TemplateValues(dict[str, str]):
    """Values of a template. A missing one becomes a question mark: entries outlive the code that wrote them."""

    def __missing__(self, _key: str) -> str:
        return MISSING_VALUE


KEY_SAVED_AT = _("Saved a key for %(provider)s that ends in %(last4)s and is sent to %(host)s")


def describe_action(entry: EntryView) -> str:
    """Return the action as a sentence."""
    # Entries are kept for 400 days, so a version of the server with other actions may have written this one.
    if entry.action not in ACTION_TEXTS:
        return entry.action
    text = KEY_SAVED_AT if entry.action == Action.CREDENTIAL_SAVED and "host" in entry.detail else None
    return str(text or ACTION_TEXTS[Action(entry.action)]) % _template_values(entry.detail)


def describe_actor(entry: EntryView) -> str:
    """Return the actor: a translated name of a program, or the e-mail address or token label as stored."""
    return str(ACTOR_NAMES.get(entry.actor, entry.actor))


def _template_values(detail: dict[str, Any]) -> _TemplateValues:
    values = _TemplateValues({name: str(value) for name, value in detail.items()})
    if (role := detail.get("role")) in set(Role):
        values["role"] = str(ROLE_NAMES[Role(role)])
    if "patterns" in detail:
        values["patterns"] = _format_patterns(detail["patterns"])
    if "changed" in detail:
        values["changed"] = ", ".join(_format_setting(name, detail) for name in detail["changed"])
    values["provider"] = PROVIDER_NAMES.get(values["provider"], values["provider"])
    values["way"] = str(CONNECTION_METHODS.get(values["way"], values["way"]))
    return values


def _format_patterns(patterns: list[str] | None) -> str:
    if patterns is None:
        return str(gettext("all models that the server allows"))
    return ", ".join(patterns) or str(gettext("none"))


def _format_setting(name: str, detail: dict[str, Any]) -> str:
    """Return the setting's name, with its new value if the entry holds it."""
    title = str(SETTING_NAMES.get(name, name))
    return f"{title} ({_format_value(detail[name])})" if name in detail else title


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    return str(gettext("not set") if value is None else value)
