"""One revision of the project with a database and organizations, and the measurement of one attack on it."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from benchmarks import databases, server
from benchmarks.abuse.observation import Observation, observing
from benchmarks.commands import run_commands
from benchmarks.memory import read_peak_resident_mb
from benchmarks.webhook_calls import Caller, Reply
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.programs import Program

OTHER = "other"
SPENDER = "spender"
ATTACKERS = ("slow-1", "slow-2", "slow-3", "slow-4")
BUDGET_USD = Decimal("0.02")


@dataclass
class Measured:
    """The figures of one attack."""

    observation: Observation
    replies: Counter[str] = field(default_factory=Counter)
    """Replies to the attack, by outcome."""
    memory_mb: float = 0.0
    """Peak of the resident memory."""
    watchdog_reports: int = 0
    has_ended: bool = False
    """True if the server has ended by itself."""
    spent_usd: Decimal | None = None

    def add(self, replies: Sequence[Reply]) -> None:
        self.replies.update(reply.outcome for reply in replies)


@dataclass
class Setting:
    """A migrated database with organizations, and the code in `folder`."""

    folder: Path
    url: str
    environ: dict[str, str]
    glific: GlificStandIn
    callers: dict[str, Caller]

    @property
    def attacker(self) -> Caller:
        return self.callers[ATTACKERS[0]]

    @property
    def other(self) -> Caller:
        return self.callers[OTHER]

    @contextmanager
    def observed(self, openai_base_url: str) -> Iterator[Measured]:
        """Start the server, and observe it and the calls of the other organization while the block runs."""
        environ = self.environ | {"GLIFIC_GPT_OPENAI_BASE_URL": openai_base_url}
        with server.run_server(environ, self.folder) as program:
            with observing(self.other) as observation:
                measured = Measured(observation)
                yield measured
            _read_figures(measured, program)


def _read_figures(measured: Measured, program: Program) -> None:
    measured.memory_mb = read_peak_resident_mb(program.process.pid)
    measured.watchdog_reports = program.errors.count("event_loop_blocked")
    measured.has_ended = program.process.poll() is not None


def key_of(slug: str) -> str:
    return f"sk-proj-benchmark-{slug}"


@contextmanager
def create_setting(folder: Path, database: str) -> Iterator[Setting]:
    """Yield a setting. Everything of it is removed afterwards."""
    with ExitStack() as stack:
        url = stack.enter_context(databases.list_databases()[database]())
        glific = stack.enter_context(GlificStandIn())
        environ = server.build_environment(url, "http://127.0.0.1:9/v1", glific_hosts="127.0.0.1")
        # Files that killed servers leave behind.
        environ["TMPDIR"] = stack.enter_context(tempfile.TemporaryDirectory())
        server.migrate(environ, folder)
        yield Setting(folder, url, environ, glific, _create_organizations(environ, folder, glific))


def _create_organizations(environ: dict[str, str], folder: Path, glific: GlificStandIn) -> dict[str, Caller]:
    slugs = (*ATTACKERS, OTHER, SPENDER)
    created = run_commands(
        environ, [(("organizations", "create", slug, "--name", slug, "--json"), "") for slug in slugs], folder
    )
    connect = ("--api-url", glific.url, "--phone", PHONE, "--password-stdin", "--no-verify")
    commands: list[tuple[tuple[str, ...], str]] = [
        (("organizations", "set", SPENDER, "--monthly-budget-usd", str(BUDGET_USD)), "")
    ]
    for slug in slugs:
        commands.append((("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify"), key_of(slug)))
        commands.append((("glific", "connect", slug, *connect), PASSWORD))
    run_commands(environ, commands, folder)
    return {
        slug: Caller(server.webhook_url(environ, slug), json.loads(output)["webhook_token"])
        for slug, output in zip(slugs, created, strict=True)
    }
