"""Progress lines on standard error, one for each step of a long measurement."""

import sys
import time

_started_at = time.monotonic()


def print_progress(step: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - _started_at), 60)
    print(f"{minutes:3}:{seconds:02} {step}", file=sys.stderr, flush=True)
