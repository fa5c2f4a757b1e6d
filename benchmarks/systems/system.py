"""A side of the comparison."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.targets import Target
from tests.support.programs import Program

DIRECT = "upstream, asked directly"
SQLITE = "glific_gpt, SQLite"
POSTGRESQL = "glific_gpt, PostgreSQL"
SIGNED = "glific_gpt, SQLite, signed calls"
LITELLM = "LiteLLM"
PORTKEY = "Portkey"

OWN_SYSTEMS = (SQLITE, POSTGRESQL, SIGNED)
PEERS = (LITELLM, PORTKEY)


@dataclass(frozen=True)
class System:
    """Something that runs and can be asked."""

    name: str
    targets: Sequence[Target]
    program: Program | None = None
    """Its process; None for the upstream itself."""

    def require_alive(self) -> None:
        """Ends everything when the program has ended: what its absence answers is no figure."""
        if self.program is not None and self.program.process.poll() is not None:
            code = self.program.process.returncode
            sys.exit(f"{self.name} has ended with {code} while it was measured.\n{self.program.errors[-2000:]}")
