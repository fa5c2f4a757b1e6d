#!/bin/sh
# `make install` and the Dockerfile put this in place of Flask's own program, whose --version is Flask's.
exec "${0%/*}/python" -m glific_gpt "$@"
