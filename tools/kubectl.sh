#!/bin/sh
# Finds kubectl 1.32 or newer, or extracts one from Debian's kubernetes-client into .cache/tools, the system untouched.
# Prints nothing when there is nothing to do; tests/support finds it by the same rule.
set -eu
here=.cache/tools
minor() { "$1" version --client 2>/dev/null | sed -n 's/^Client Version: v1\.\([0-9]*\).*/\1/p'; }
new_enough() { [ -x "$1" ] && found=$(minor "$1") && [ -n "$found" ] && [ "$found" -ge 32 ]; }

[ -n "${KAJITORI_KUBECTL:-}" ] && new_enough "$KAJITORI_KUBECTL" && exit 0
new_enough "$here/kubectl" && exit 0
path=$(command -v kubectl || true)
[ -n "$path" ] && new_enough "$path" && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests drive the real kubectl, 1.32 or newer. Install it, or name it in KAJITORI_KUBECTL." >&2
    exit 1
fi
echo "Fetching kubectl from Debian's kubernetes-client ..."
if ! command -v mmdebstrap >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/*$')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=extract --mode=root --skip=check/qemu \
    --aptopt='Acquire::Check-Valid-Until "false"' --include=kubernetes-client \
    sid "$root/root" "deb [trusted=yes] $mirror sid main" 2>"$root/log" || { cat "$root/log" >&2; exit 1; }
mkdir -p "$here"
install -m 0755 "$root/root/usr/bin/kubectl" "$here/kubectl"
