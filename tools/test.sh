#!/usr/bin/env bash
# Installs everything into .venv and runs all checks: ruff, mypy, shellcheck, pytest.
#
#   tools/test.sh [PYTEST OPTIONS…]        for example: tools/test.sh tests/edge_client -k order
#
# Exits with 1 when a check fails. Tests that need what is missing here (a browser, a screen, the data
# folder) are skipped, and the closing lines say why.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
python=.venv/bin/python
failed=()

check() { # check NAME COMMAND…
    local name=$1
    shift
    printf -- '-- %s\n' "$name"
    "$@" || failed+=("$name")
}

# What the browser, window and script tests need from the system: command and Debian package.
system_packages() {
    local missing=() pair
    for pair in chromium:chromium Xvfb:xvfb shellcheck:shellcheck; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    [[ ${#missing[@]} -eq 0 ]] && return
    if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
        printf -- '-- system packages: %s\n' "${missing[*]}"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            "${missing[@]}"; } </dev/null >/dev/null 2>&1 && return
    fi
    printf -- '-- without %s some tests are skipped: apt-get install %s\n' "${missing[*]}" "${missing[*]}"
}

tools/install.sh edge,cloud,ray,tools,train,dataset,dev </dev/null || exit 1
system_packages

check ruff "$python" -m ruff check --quiet --config config/ruff.toml .
check mypy "$python" -m mypy --strict --no-error-summary
if command -v shellcheck >/dev/null; then
    mapfile -t scripts < <(git ls-files '*.sh' .ci/run 2>/dev/null || ls tools/*.sh .ci/run)
    check shellcheck shellcheck "${scripts[@]}"
fi
# Tests on a Ray cluster spend most of their time waiting, and those of the training use nothing but the processor:
# without options they run beside the others.
if [[ $# -eq 0 ]]; then
    beside=(tests/tools/training)
    beside_log=$(mktemp)
    {
        printf -- '-- pytest on a Ray cluster\n'
        "$python" -m pytest -q -m ray && on_ray=0 || on_ray=1
        printf -- '-- pytest of the training\n'
        "$python" -m pytest -q -m 'not ray' "${beside[@]}" && exit "$on_ray"
    } </dev/null >"$beside_log" 2>&1 &
    job=$!
    check pytest "$python" -m pytest -q -m 'not ray' "${beside[@]/#/--ignore=}" </dev/null
    wait "$job" || failed+=('pytest on a Ray cluster or of the training')
    cat "$beside_log"
    rm -f "$beside_log"
else
    check pytest "$python" -m pytest -q "$@" </dev/null
fi

if [[ ${#failed[@]} -gt 0 ]]; then
    printf 'failed: %s\n' "${failed[*]}" >&2
    exit 1
fi
