"""The Glific client: verify connections and resume waiting flows."""

from collections.abc import Sequence
from dataclasses import replace

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified, GlificUnreachable, InvalidValue
from glific_gpt.glific import api, signed_call
from glific_gpt.glific.hosts import HostAllowlist
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.login_tests import LoginTests
from glific_gpt.glific.resumption import (
    Access,
    ApiAccess,
    DeliveryError,
    DeliveryResult,
    DeliveryStatus,
    Resumption,
    SignedAccess,
    refusal,
)
from glific_gpt.glific.sessions import LoginSessions
from glific_gpt.network.http_client import Resolver, resolve_addresses, tls_context


class GlificClient:
    """Client for the Glific of all organizations, shared by all threads. Login tokens are kept only in memory."""

    def __init__(self, hosts: Sequence[str], resolve: Resolver = resolve_addresses) -> None:
        """`hosts` are the operator's host patterns. Raises SettingsError for an invalid pattern."""
        self._hosts = HostAllowlist(hosts)
        self._http = HttpClients(tls_context(), self._hosts.may_connect, resolve)
        self._sessions = LoginSessions(self._http)
        self._tests = LoginTests()

    def validate_url(self, url: str) -> str:
        """Return the normalized URL of an API. Raises InvalidValue, also HostNotAllowed."""
        return self._hosts.validate_url(url)

    def count_test(self, organization_id: int) -> None:
        """Count a verification of an organization. Raises RateLimited if it has had too many within a minute."""
        self._tests.count(organization_id)

    def verify(self, access: Access, deadline: Deadline) -> None:
        """Verify a connection before it is saved.

        Raises GlificNotVerified if Glific refuses it, GlificUnreachable if another attempt may succeed, and RateLimited
        shortly after a refused login with the same phone number.

        A login is tried. A signed call can only be checked by resuming a flow, so only a response from its address
        is required.
        """
        try:
            access = self._with_allowed_url(access)
            if isinstance(access, SignedAccess):
                self._http.get(f"{access.api_url}/", deadline)
            else:
                self._tests.check_pause(access)
                self._sessions.verify(access, deadline)
        except DeliveryError as error:
            is_refused = error.result.status is DeliveryStatus.REFUSED
            if is_refused and isinstance(access, ApiAccess):
                self._tests.pause(access)
            error_type = GlificNotVerified if is_refused else GlificUnreachable
            raise error_type(error.result.message) from None

    def resume(self, access: Access, resumption: Resumption, deadline: Deadline) -> DeliveryResult:
        """Send a result to a waiting flow, once. Failures of Glific or the network are returned, not raised."""
        try:
            access = self._with_allowed_url(access)
            if isinstance(access, SignedAccess):
                return signed_call.resume(self._http, access, resumption, deadline)
            return api.resume(self._http, self._sessions, access, resumption, deadline)
        except DeliveryError as error:
            return error.result

    def close(self) -> None:
        """Close the connections of this thread. Other threads close theirs when they end."""
        self._http.client.close()

    def _with_allowed_url(self, access: Access) -> Access:
        """Check the saved URL again, because the operator's patterns may have changed. Raises DeliveryError."""
        try:
            return replace(access, api_url=self._hosts.validate_url(access.api_url))
        except InvalidValue as error:
            raise DeliveryError(refusal(str(error))) from None
