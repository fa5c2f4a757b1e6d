"""The last use of tokens: remembered in the process, and written once a day for each token."""

from datetime import date
from operator import itemgetter
from typing import NamedTuple, cast

from sqlalchemy import Table, Update, bindparam, or_, update

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations.tables import ApiToken, WebhookToken


def _record_use(table: Table) -> Update:
    """Set the last use of a token, unless another process has recorded a later one."""
    is_newer = or_(table.c.last_used_on.is_(None), table.c.last_used_on < bindparam("day"))
    return update(table).where(table.c.id == bindparam("token_id"), is_newer).values(last_used_on=bindparam("day"))


RECORD_USE = {each: _record_use(cast("Table", each.__table__)) for each in (WebhookToken, ApiToken)}


class UsedToken(NamedTuple):
    """A token, by its table and its id."""

    table: type[WebhookToken] | type[ApiToken]
    id: int


class TokenUses:
    """The days on which this process has seen valid tokens. A killed process loses what it has not written yet."""

    def __init__(self) -> None:
        self._unwritten: dict[UsedToken, date] = {}
        self._written: dict[UsedToken, date] = {}

    def note(self, token: UsedToken) -> None:
        """Remember that a request was authenticated with the token. It takes a microsecond, and cannot fail."""
        today = now().date()
        if self._written.get(token) != today:
            self._unwritten[token] = today

    def write(self) -> None:
        """Write the uses that are not written yet, in one transaction. After a failure, the next one writes them."""
        noted = self._unwritten.copy()
        if not noted:
            return
        with transaction() as session:
            for table, record_use in RECORD_USE.items():
                rows = [{"token_id": token.id, "day": day} for token, day in noted.items() if token.table is table]
                if rows:
                    # In one order, so that two processes cannot wait for each other.
                    session.execute(record_use, sorted(rows, key=itemgetter("token_id")))
        self._written = noted | {token: day for token, day in self._written.items() if day == now().date()}
        for token, day in noted.items():
            if self._unwritten.get(token) == day:
                del self._unwritten[token]
