#!/bin/sh
# Makes .venv as requirements.lock says, with uv, which is brought into .cache where it is missing; then fetches Kafka.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# A Python that can make a virtual environment; run from / so that a version manager does not insist on ours.
any_python() {
    for name in python3 python3.13 python3.12 /usr/bin/python3 python; do
        (cd / && "$name" -c 'import ensurepip, sys, venv; assert sys.version_info >= (3, 8); print(sys.executable)' 2>/dev/null) && return
    done
    return 1
}

bring_uv() {
    python=$(any_python) || fail "A Python with its venv module is needed to begin with.
Install one (on Debian or Ubuntu: apt install python3-venv) and run this again."
    echo "Bringing uv …"
    "$python" -m venv --clear .cache/uv
    .cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv ||
        fail "uv could not be fetched. Is the network up, and has the disk room? Then run this again."
}

uv=uv
if ! uv --version >/dev/null 2>&1; then
    uv=$PWD/.cache/uv/bin/uv
    "$uv" --version >/dev/null 2>&1 || bring_uv
fi

wanted=$(cat .python-version)
if ! .venv/bin/python -c 'import sys; assert sys.version_info >= (3, 12)' 2>/dev/null; then
    "$uv" venv --quiet --clear --no-python-downloads --python "$wanted" .venv 2>/dev/null ||
        "$uv" venv --quiet --clear --no-python-downloads --python '>=3.12' .venv 2>/dev/null ||
        "$uv" venv --clear --python "$wanted" .venv ||
        fail "Forecourt needs Python 3.12 or newer ($wanted is best). None was found here and $wanted could not be fetched.
Install it and run this again."
fi

echo "Installing what requirements.lock names …"
"$uv" pip sync --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock ||
    fail "Not everything could be installed. Is the network up, and has the disk room? Then run this again; what was fetched is kept."
.venv/bin/python -m compileall -q shared services deploy
.venv/bin/python -m deploy.local fetch
