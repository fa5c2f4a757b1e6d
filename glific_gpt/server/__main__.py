"""`python -m glific_gpt.server`, which `make serve` runs."""

from glific_gpt.server.supervisor import main

main()
