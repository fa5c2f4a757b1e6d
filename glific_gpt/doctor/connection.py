"""Can later answers find their way into the organization's Glific?"""

from glific_gpt.connections import connecting
from glific_gpt.connections import store as connections
from glific_gpt.connections.tables import GlificConnection
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_, GlificGptError
from glific_gpt.organizations import store
from glific_gpt.services import services

NAME = "connection"

NOT_CONNECTED = N_(
    "Not connected to Glific, which only answers that come later need (async, auto); answers within 5 seconds do not."
)
CONNECT = N_("Connect it again, or disconnect it if no flow waits for later answers.")
LOGGED_IN = N_("Glific accepts the login, so later answers find their way.")
ANSWERS = N_("A server answers where the signed call goes; only a waiting flow can show the rest.")


def look(slug: str) -> Finding:
    row = _connection(slug)
    if row is None:
        return Finding(NAME, Verdict.OK, NOT_CONNECTED)
    try:
        connecting.check(services().vault, services().glific, slug)
    except GlificGptError as error:
        return Finding(
            NAME,
            Verdict.PROBLEM,
            str(error),
            CONNECT,
            command=_connect(slug, row),
            only_later=True,
            error_code=error.code,
        )
    return Finding(NAME, Verdict.OK, LOGGED_IN if row.way == "api" else ANSWERS)


def _connect(slug: str, row: GlificConnection) -> str:
    way = "--phone PHONE --password-stdin" if row.way == "api" else "--signed"
    return f"flask glific connect {slug} --api-url {row.api_url} {way}"


def _connection(slug: str) -> GlificConnection | None:
    with transaction() as session:
        return connections.find_if_any(session, store.find(session, slug).id)
