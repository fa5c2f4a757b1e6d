"""Words that several pages use for the same thing."""

from flask_babel import lazy_gettext as _

from glific_gpt.accounts.roles import Role

ROLE_NAMES = {Role.OWNER: _("Owner"), Role.EDITOR: _("Editor"), Role.VIEWER: _("Viewer")}
ROLE_MEANINGS = {
    Role.OWNER: _("everything, members too"),
    Role.EDITOR: _("everything but members and deleting"),
    Role.VIEWER: _("reads"),
}
