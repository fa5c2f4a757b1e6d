#!/bin/sh
# Back the database up into a folder, and delete backups there that are older than some days (14).
set -eu
folder=$1
days=${2:-14}

flask database backup "$folder/glific_gpt-$(date -u +%Y%m%dT%H%M%SZ).backup"
find "$folder" -name 'glific_gpt-*.backup' -mtime "+$days" -delete
