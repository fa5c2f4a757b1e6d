"""A system of the comparison."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.targets import Target
from tests.support.programs import Program

DIRECT = "upstream, called directly"
SQLITE = "glific_gpt, SQLite"
POSTGRESQL = "glific_gpt, PostgreSQL"
SIGNED = "glific_gpt, SQLite, signed calls"
LITELLM = "LiteLLM"
PORTKEY = "Portkey"

OWN_SYSTEMS = (SQLITE, POSTGRESQL, SIGNED)
PEERS = (LITELLM, PORTKEY)


@dataclass(frozen=True)
class System:
    """A running system and the targets of its calls."""

    name: str
    targets: Sequence[Target]
    program: Program | None = None
    """Its process. None for the upstream itself."""

    def require_alive(self) -> None:
        """Exit if the program has ended, because the measurement is then invalid."""
        if self.program is not None and self.program.process.poll() is not None:
            code = self.program.process.returncode
            errors = self.program.errors[-2000:]
            sys.exit(f"{self.name} ended with the code {code} during the measurement. See its output:\n{errors}")
