"""`python -m glific_gpt.server`, which `make serve` runs."""

import os
import signal

# Installed before the slow imports, during which Ctrl-C would otherwise print a traceback.
signal.signal(signal.SIGINT, lambda *_: os._exit(0))

from glific_gpt.runtime import garbage_collector  # noqa: E402

with garbage_collector.paused_for_start():
    from glific_gpt.server.supervisor import main

main()
