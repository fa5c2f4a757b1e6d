"""Check that later answers can be delivered to the organization's Glific."""

from glific_gpt.database import transaction
from glific_gpt.errors import N_, GlificGptError, GlificUnreachable, NotReady, RateLimited
from glific_gpt.operations.doctor.results import REMEDY_KEYS, CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.organizations.connections import connecting
from glific_gpt.organizations.connections import store as connections
from glific_gpt.organizations.connections.tables import GlificConnection
from glific_gpt.services import services

MSG_NOT_CONNECTED = N_("Not connected to Glific. Only later answers (async, auto) need this.")
MSG_LOGIN_ACCEPTED = N_("Glific accepts the login, so later answers can be delivered.")
MSG_SIGNED_CALL_REACHABLE = N_(
    "A server answers at the address for signed calls. Only a waiting flow can test the rest."
)
REMEDY_RECONNECT = N_("Connect it again. If no flow waits for later answers, disconnect it.")
REMEDY_WAIT = N_(
    "Check again in a minute. If the problem remains, check the address of the Glific API, or contact Glific's support."
)


def check_connection(slug: str) -> CheckResult:
    """Check the connection to Glific, if there is one."""
    with transaction() as session:
        connection = connections.find_or_none(session, store.find(session, slug).id)
    if connection is None:
        return CheckResult("connection", CheckStatus.OK, MSG_NOT_CONNECTED)
    try:
        connecting.recheck_connection(services().vault, services().glific, slug)
    except (GlificUnreachable, NotReady, RateLimited) as error:
        # The login may be correct, so connecting again would not help.
        remedy = REMEDY_KEYS if isinstance(error, NotReady) else REMEDY_WAIT
        return CheckResult(
            "connection", CheckStatus.PROBLEM, str(error), remedy, is_deferred_only=True, error_code=error.code
        )
    except GlificGptError as error:
        return CheckResult(
            "connection",
            CheckStatus.PROBLEM,
            str(error),
            REMEDY_RECONNECT,
            command=_connect_command(slug, connection),
            is_deferred_only=True,
            error_code=error.code,
        )
    message = MSG_LOGIN_ACCEPTED if connection.way == "api" else MSG_SIGNED_CALL_REACHABLE
    return CheckResult("connection", CheckStatus.OK, message)


def _connect_command(slug: str, connection: GlificConnection) -> str:
    options = "--phone PHONE --password-stdin" if connection.way == "api" else "--signed"
    return f"flask glific connect {slug} --api-url {connection.api_url} {options}"
