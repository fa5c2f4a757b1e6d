"""Is the organization switched on?"""

from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_
from glific_gpt.organizations import store

NAME = "organization"

ON = N_("%(name)s is switched on.")
OFF = N_("%(name)s is switched off: none of its calls is answered.")
SWITCH_ON = N_("Ask an administrator of this server to switch it on.")


def look(slug: str) -> Finding:
    with transaction() as session:
        row = store.find(session, slug)
    values = {"name": row.name}
    if row.is_active:
        return Finding(NAME, Verdict.OK, ON, values=values)
    return Finding(NAME, Verdict.PROBLEM, OFF, SWITCH_ON, values, command=f"flask organizations activate {slug}")
