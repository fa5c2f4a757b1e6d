"""Insert millions of recorded calls directly into a migrated database."""

import time
from contextlib import suppress
from typing import cast

import sqlalchemy as sa

from benchmarks.progress import print_progress
from glific_gpt.calls.tables import Call

BATCH_SIZE = 500_000

COLUMNS = (
    "call_id, organization_id, function, model_asked, model_used, status, error_code, started_at, give_up_at, "
    "duration_ms, input_tokens, output_tokens, cost_usd, contact_id, flow_id"
)

# Values of call number n: organizations alternate, the oldest call is a year old, every fiftieth call has failed.
COMMON_VALUES = """
    1 + n % :organizations, 'parse_via_chat_gpt', 'gpt-4o-mini', 'gpt-4o-mini',
    CASE WHEN n % 50 = 0 THEN 'error' ELSE 'ok' END, CASE WHEN n % 50 = 0 THEN 'upstream_error' END
"""
METRICS_AND_CONTACT = "800 + n % 2000, 120, 60, 54000, 1 + n % 100003, 1 + n % 10"
AGE = "(:calls - n) * 31536000.0 / :calls"
MILLISECONDS = f":now_milliseconds - ({AGE}) * 1000"

POSTGRESQL = f"""
INSERT INTO calls ({COLUMNS})
SELECT 'call_' || lpad(to_hex(CAST({MILLISECONDS} AS bigint)), 12, '0') || substr(md5(CAST(n AS text)), 1, 12),
    {COMMON_VALUES},
    now() - interval '1 second' * ({AGE}), now() - interval '1 second' * ({AGE} - 10), {METRICS_AND_CONTACT}
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""  # noqa: S608 - it contains only constants

SQLITE = f"""
WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
INSERT INTO calls ({COLUMNS})
SELECT 'call_' || printf('%012x', CAST({MILLISECONDS} AS integer)) || lower(hex(randomblob(6))),
    {COMMON_VALUES},
    strftime('%Y-%m-%d %H:%M:%f000', 'now', (-({AGE})) || ' seconds'),
    strftime('%Y-%m-%d %H:%M:%f000', 'now', (10 - ({AGE})) || ' seconds'), {METRICS_AND_CONTACT}
FROM numbers
"""  # noqa: S608


def seed_calls(database_url: str, organizations: int, calls: int) -> None:
    """Insert calls spread over the organizations with ids from 1 and over the last year, the oldest first."""
    engine = sa.create_engine(database_url)
    now_milliseconds = time.time_ns() // 1_000_000
    indexes = cast("sa.Table", Call.__table__).indexes
    with engine.connect() as connection:
        _disable_durability(connection)
        # Creating an index of all rows at the end is much faster than extending it with each row.
        for index in indexes:
            index.drop(connection)
        for first in range(1, calls + 1, BATCH_SIZE):
            last = min(first + BATCH_SIZE - 1, calls)
            parameters = {
                "organizations": organizations,
                "calls": calls,
                "first": first,
                "last": last,
                "now_milliseconds": now_milliseconds,
            }
            connection.execute(sa.text(SQLITE if engine.dialect.name == "sqlite" else POSTGRESQL), parameters)
            connection.commit()
            print_progress(f"  {last:,} of {calls:,} calls inserted")
        for index in indexes:
            index.create(connection)
        connection.commit()
    run_maintenance(engine)
    engine.dispose()


def _disable_durability(connection: sa.Connection) -> None:
    """Make writes of this connection faster. They would be lost in a power cut, which is no problem here."""
    if connection.dialect.name == "sqlite":
        for pragma in ("synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
    else:
        connection.exec_driver_sql("SET maintenance_work_mem = '1GB'")


def run_maintenance(engine: sa.Engine) -> None:
    """Run the maintenance that the database would otherwise start by itself during a measurement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        connection.exec_driver_sql("VACUUM ANALYZE")
        with suppress(sa.exc.ProgrammingError):  # it needs a privilege
            connection.exec_driver_sql("CHECKPOINT")
