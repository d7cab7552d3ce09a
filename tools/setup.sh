#!/bin/sh
# Makes .venv with what running (run) or developing (dev) needs. Only python3 has to be there.
set -eu
what=$1
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "kajitori needs Python 3.11 or newer; $python is $("$python" -V 2>&1 || echo missing)." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python$version-venv ..."
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "python$version-venv" >/dev/null
    else
        echo "Python's venv module is missing. Install it first: apt-get install python$version-venv" >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || { echo "Creating .venv ..."; "$python" -m venv .venv; }
lock=requirements.lock
[ "$what" = run ] || lock=requirements-dev.lock
echo "Installing what kajitori needs ($lock) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
.venv/bin/python -m compileall -q src # so that the first start is as fast as the second, wherever Python may not write
touch ".venv/$what.stamp"
[ "$what" = run ] || touch .venv/run.stamp
