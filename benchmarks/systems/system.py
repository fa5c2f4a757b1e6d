"""A system of the comparison."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.memory import read_cpu_seconds
from benchmarks.targets import Target
from tests.support.programs import Program

DIRECT = "upstream, called directly"
SQLITE = "glific_gpt, SQLite"
POSTGRESQL = "glific_gpt, PostgreSQL"
SIGNED = "glific_gpt, SQLite, signed calls"
SIGNED_ON_POSTGRESQL = "glific_gpt, PostgreSQL, signed calls"
AUTO = "glific_gpt, SQLite, mode=auto"
AUTO_ON_POSTGRESQL = "glific_gpt, PostgreSQL, mode=auto"
ASYNC = "glific_gpt, SQLite, mode=async"
ASYNC_ON_POSTGRESQL = "glific_gpt, PostgreSQL, mode=async"
WITH_MEMORY = "glific_gpt, SQLite, memory"
LITELLM = "LiteLLM"
PORTKEY = "Portkey"
FERRO = "Ferro"
FERRO_WITH_LOG = "Ferro, SQLite log"

OWN_SYSTEMS = (
    SQLITE,
    POSTGRESQL,
    SIGNED,
    SIGNED_ON_POSTGRESQL,
    AUTO,
    AUTO_ON_POSTGRESQL,
    ASYNC,
    ASYNC_ON_POSTGRESQL,
    WITH_MEMORY,
)
PEERS = (LITELLM, PORTKEY, FERRO, FERRO_WITH_LOG)


@dataclass(frozen=True)
class System:
    """A running system and the targets of its calls."""

    name: str
    targets: Sequence[Target]
    program: Program | None = None
    """Its process. None for the upstream itself."""

    def read_cpu_seconds(self) -> float:
        """Return the CPU time of its processes so far, or 0 for the upstream itself."""
        return read_cpu_seconds(self.program.process.pid) if self.program else 0.0

    def require_alive(self) -> None:
        """Exit if the program has ended, because the measurement is then invalid."""
        if self.program is not None and self.program.process.poll() is not None:
            code = self.program.process.returncode
            errors = self.program.errors[-2000:]
            sys.exit(f"{self.name} ended with the code {code} during the measurement. See its output:\n{errors}")
