"""The client of Glific: checks connections and resumes waiting flows, for all organizations of a process."""

import ssl
from collections.abc import Sequence
from dataclasses import replace

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified, InvalidValue
from glific_gpt.glific import api, signed_call
from glific_gpt.glific.hosts import Hosts
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.resume import Access, Resumption, SignedAccess, Undelivered, Verdict, refused
from glific_gpt.glific.sessions import Sessions
from glific_gpt.http_client import Resolver, addresses


class Glific:
    """Shared by all threads; it holds the tokens of logins in memory only."""

    def __init__(self, hosts: Sequence[str], resolve: Resolver = addresses) -> None:
        """`hosts`: the operator's patterns. Raises SettingsError for one that cannot be read."""
        self._hosts = Hosts(hosts)
        self._http = HttpClients(ssl.create_default_context(), self._hosts.may_connect, resolve)
        self._sessions = Sessions(self._http)

    def checked_url(self, url: str) -> str:
        """The address of an API in its normal form. Raises InvalidValue, which says what is allowed."""
        return self._hosts.checked_url(url)

    def verify(self, access: Access, deadline: Deadline) -> None:
        """Logs in; of the signed call, which nothing but a resumption can check, only whether anybody answers there.

        Raises GlificNotVerified.
        """
        try:
            access = self._checked(access)
            if isinstance(access, SignedAccess):
                self._http.get(f"{access.api_url}/", deadline)
            else:
                self._sessions.verify(access, deadline)
        except Undelivered as failed:
            raise GlificNotVerified(failed.verdict.said) from None

    def resume(self, access: Access, resumption: Resumption, deadline: Deadline) -> Verdict:
        """Gives a waiting flow its result, once. Never raises for what Glific or the network do."""
        try:
            access = self._checked(access)
            if isinstance(access, SignedAccess):
                return signed_call.resume(self._http, access, resumption, deadline)
            return api.resume(self._http, self._sessions, access, resumption, deadline)
        except Undelivered as failed:
            return failed.verdict

    def close(self) -> None:
        """Closes this thread's connections; those of other threads close when their thread ends."""
        self._http.client.close()

    def _checked(self, access: Access) -> Access:
        """Once more at each use: the operator's patterns may have changed. Raises Undelivered."""
        try:
            return replace(access, api_url=self._hosts.checked_url(access.api_url))
        except InvalidValue as error:
            raise Undelivered(refused(str(error))) from None
