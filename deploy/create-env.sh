#!/bin/sh
# Create the settings of compose.yaml, with new secrets: deploy/create-env.sh [HOST [FILE]]
set -eu
host=${1:-localhost}
file=${2:-$(dirname "$0")/.env}

if [ -e "$file" ]; then
    echo "Error: $file exists. It holds the only copy of the encryption key, so it is not replaced." >&2
    exit 1
fi

random() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_'
}

password=$(random | tr -d '=')
umask 077
cat > "$file.part" <<SETTINGS
# Settings of deploy/compose.yaml. README.md lists more of them.
# Keep a copy in a safe place: without the encryption keys, every saved OpenAI key is lost.
SITE_ADDRESS=$host
GLIFIC_GPT_PUBLIC_URL=https://$host
GLIFIC_GPT_SECRET_KEY=$(random | tr -d '=')
GLIFIC_GPT_ENCRYPTION_KEYS=$(random)
GLIFIC_GPT_DATABASE_URL=postgresql+psycopg://glific_gpt:$password@db/glific_gpt
GLIFIC_GPT_TRUSTED_PROXY_COUNT=1
GLIFIC_GPT_PROCESSES=2
GLIFIC_GPT_WORKER=separate
GLIFIC_GPT_METRICS_TOKEN=$(random | tr -d '=')
POSTGRES_PASSWORD=$password
SETTINGS
mv "$file.part" "$file"
echo "$file is ready. Start the server with: docker compose --file $(dirname "$0")/compose.yaml up --detach"
