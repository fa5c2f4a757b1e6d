"""The audit trail in plain words: a sentence for each action, and how what it was done to is said in it."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from glific_gpt.accounts.tables import Role
from glific_gpt.audit.actions import Action
from glific_gpt.audit.trail import SERVER_ACTOR, EntryView
from glific_gpt.console.presenters.labels import ROLE_NAMES

MISSING_VALUE = "?"

ACTION_TEXTS = {
    Action.ORGANIZATION_CREATED: _("Made the organization %(slug)s"),
    Action.ORGANIZATION_CHANGED: _("Changed settings: %(changed)s"),
    Action.ORGANIZATION_ACTIVATED: _("Switched the organization on"),
    Action.ORGANIZATION_DEACTIVATED: _("Switched the organization off"),
    Action.CREDENTIAL_SAVED: _("Saved a key for %(provider)s that ends in %(last4)s"),
    Action.CREDENTIAL_ACTIVATED: _("Switched the key for %(provider)s on (it ends in %(last4)s)"),
    Action.CREDENTIAL_DEACTIVATED: _("Switched the key for %(provider)s off (it ends in %(last4)s)"),
    Action.CREDENTIAL_DELETED: _("Deleted the key for %(provider)s that ended in %(last4)s"),
    Action.TOKEN_CREATED: _("Made the webhook token “%(label)s”"),
    Action.TOKEN_REVOKED: _("Took back the webhook token “%(label)s”"),
    Action.API_TOKEN_CREATED: _("Made the API token “%(label)s”"),
    Action.API_TOKEN_REVOKED: _("Took back the API token “%(label)s”"),
    Action.SIGNATURE_PHRASE_SET: _("Set a new signature phrase"),
    Action.SIGNATURE_PHRASE_CLEARED: _("Cleared the signature phrase"),
    Action.MODELS_ALLOWED: _("Allowed these models: %(patterns)s"),
    Action.SERVER_MODELS_ALLOWED: _("Allowed these models for every organization: %(patterns)s"),
    Action.GLIFIC_CONNECTED: _("Connected the organization to Glific at %(host)s, %(way)s"),
    Action.GLIFIC_DISCONNECTED: _("Disconnected the organization from Glific at %(host)s"),
    Action.CALL_RETRIED: _("Had the answer of call %(call)s sent to Glific again"),
    Action.MEMBER_ADDED: _("Added %(email)s as a member: %(role)s"),
    Action.MEMBER_ROLE_CHANGED: _("Changed the role of %(email)s: %(role)s"),
    Action.MEMBER_REMOVED: _("Removed the member %(email)s"),
    Action.INVITATION_REFUSED: _("Tried to invite %(email)s, who has an account on this server already"),
    Action.ADMINISTRATOR_ADDED: _("Made %(email)s an administrator"),
    Action.ADMINISTRATOR_REMOVED: _("Took the rights of an administrator from %(email)s"),
    Action.PERSON_ACTIVATED: _("Switched the account of %(email)s on"),
    Action.PERSON_DEACTIVATED: _("Switched the account of %(email)s off"),
    Action.PASSWORD_CHANGED: _("Chose a new password for %(email)s"),
    Action.TWO_FACTOR_ENABLED: _("Switched two-factor sign-in on for %(email)s"),
    Action.TWO_FACTOR_DISABLED: _("Switched two-factor sign-in off for %(email)s"),
    Action.SIGN_IN_LINK_MADE: _("Made a one-time link for %(email)s"),
    Action.KEYS_ROTATED: _("Encrypted all secrets anew: %(reencrypted)s done, %(unreadable)s could not be read"),
}
SETTING_NAMES = {
    "name": _("name"),
    "default_model": _("default model"),
    "fallback_message": _("text for failures"),
    "glific_organization_id": _("Glific organization id"),
    "require_signature": _("signature required"),
    "contact_daily_limit": _("answers for one contact in a day"),
    "monthly_budget_usd": _("monthly budget in US dollars"),
}
PROVIDER_NAMES = {"open_ai": "OpenAI"}
CONNECTION_METHODS = {"api": _("with a login"), "signed": _("with signed calls")}
ACTOR_NAMES = {SERVER_ACTOR: _("The server"), "command line": _("Command line"), "nobody": _("Somebody who was not signed in")}


class _Words(dict[str, str]):
    """Rows outlive the code that wrote them: what a sentence misses is no reason to show nothing."""

    def __missing__(self, _key: str) -> str:
        return MISSING_VALUE


def describe_action(entry: EntryView) -> str:
    """What was done, as one sentence."""
    if entry.action not in ACTION_TEXTS:
        return entry.action
    return str(ACTION_TEXTS[Action(entry.action)]) % _words(entry.detail)


def describe_actor(entry: EntryView) -> str:
    return str(ACTOR_NAMES.get(entry.actor, entry.actor))


def _words(detail: dict[str, Any]) -> _Words:
    words = _Words({name: str(value) for name, value in detail.items()})
    if (role := detail.get("role")) in set(Role):
        words["role"] = str(ROLE_NAMES[Role(role)])
    if "patterns" in detail:
        words["patterns"] = _models(detail["patterns"])
    if "changed" in detail:
        words["changed"] = ", ".join(_setting(name, detail) for name in detail["changed"])
    words["provider"] = PROVIDER_NAMES.get(words["provider"], words["provider"])
    words["way"] = str(CONNECTION_METHODS.get(words["way"], words["way"]))
    return words


def _models(patterns: list[str] | None) -> str:
    if patterns is None:
        return str(gettext("all that the server allows"))
    return ", ".join(patterns) or str(gettext("none"))


def _setting(name: str, detail: dict[str, Any]) -> str:
    """With its new value, where the trail keeps that."""
    title = str(SETTING_NAMES.get(name, name))
    return f"{title} ({_value(detail[name])})" if name in detail else title


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    return str(gettext("not set") if value is None else value)
