#!/bin/sh
# Asks the real docker compose, built from its Go module, whether docker-compose.yml is right. No Docker engine is needed.
set -eu
cd "$(dirname "$0")/../.."
version=v2.40.3
compose=.cache/docker-compose-$version
if [ ! -x "$compose" ]; then
    command -v go >/dev/null || {
        echo "make check-compose builds docker compose with Go, which is not installed here." >&2
        exit 1
    }
    echo "Building docker compose $version …"
    rm -rf .cache/compose
    mkdir -p .cache/compose
    (cd .cache/compose && go mod init check && go get "github.com/docker/compose/v2/cmd@$version" &&
        go build -trimpath -o ../compose.part github.com/docker/compose/v2/cmd) >.cache/compose/log 2>&1 || {
        tail -n 5 .cache/compose/log >&2
        echo "docker compose could not be built: is the network up, and is Go new enough?" >&2
        exit 1
    }
    mv .cache/compose.part "$compose"
fi
env=.cache/compose.env
.venv/bin/python -m deploy.docker > "$env"
FORECOURT_ENV=$env "$compose" --env-file "$env" --file docker-compose.yml config --quiet
echo "docker-compose.yml is right: $(FORECOURT_ENV=$env "$compose" --env-file "$env" config --services | wc -l) services."
