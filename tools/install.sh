#!/usr/bin/env bash
# Prepares .venv with the named extras, at the versions pinned in constraints.txt.
#
#   tools/install.sh EXTRAS        for example: tools/install.sh edge,cloud,tools
#
# Does nothing when .venv already holds them. PYTHON names the interpreter to use; without it the first of
# python3.13, python3.12, python3.11 and python3 that is new enough is taken. With REQUIRE_HASHES=1 nothing is installed
# whose file is not one of those in hashes.txt (which are of the platforms where somebody noted them).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
stamp=$venv/.installed
log=$venv/install.log

fail() {
    printf 'install: error: %s\n' "$1" >&2
    exit 1
}

[[ $# -eq 1 && $1 =~ ^[a-z]+(,[a-z]+)*$ ]] || fail "usage: tools/install.sh EXTRA[,EXTRA…], for example edge,cloud,tools"
wanted=$1

new_enough() { # new_enough COMMAND
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

how_to_install() { # how_to_install DEBIAN_PACKAGES
    if command -v apt-get >/dev/null; then
        echo "apt-get install $1"
    elif command -v dnf >/dev/null; then
        echo "dnf install python3"
    elif command -v pacman >/dev/null; then
        echo "pacman -S python"
    elif command -v brew >/dev/null; then
        echo "brew install python@3.12"
    else
        echo "install it with your system's package manager"
    fi
}

find_python() {
    if [[ -n ${PYTHON:-} ]]; then
        new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer that runs"
        echo "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer found: $(how_to_install 'python3 python3-venv'), or set PYTHON to one"
}

fingerprint() {
    cat "$root/setup.cfg" "$root/pyproject.toml" "$root/constraints.txt" | cksum
}

installed_extras() { # what the stamp says, if it is of the present pins
    [[ -f $stamp ]] && [[ $(head -n 1 "$stamp") == "$(fingerprint)" ]] && tail -n 1 "$stamp"
}

all_there() {
    local there extra
    there=",$(installed_extras || true),"
    for extra in ${wanted//,/ }; do
        [[ $there == *",$extra,"* ]] || return 1
    done
}

show_progress() { # pip's lines in, one moving line on a terminal out, a few plain lines elsewhere
    local line name count=0
    while IFS= read -r line; do
        case $line in
        Collecting\ *)
            count=$((count + 1))
            name=${line#Collecting }
            [[ -t 1 ]] && printf '\r\033[Kinstall: fetching %d: %s' "$count" "${name%%[ (<>=!~;]*}"
            ;;
        Installing\ collected\ packages:*)
            [[ -t 1 ]] && printf '\r\033[K'
            printf 'install: unpacking %d packages\n' "$(tr -cd ',' <<<"$line" | wc -c | awk '{print $1 + 1}')"
            ;;
        esac
    done
}

# Python 3.11 or newer in a .venv that still runs (it breaks when the folder was moved or Python was removed).
if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$python cannot make virtual environments: $(how_to_install "python$version-venv") (or python3-venv)"
    fi
    echo "install: making .venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || fail "cannot make $venv (see above)"
fi

# One installation at a time: two that write into one .venv spoil it.
if command -v flock >/dev/null; then
    exec 9>"$venv/.lock"
    flock 9
fi

all_there && exit 0

# Extras that are there stay, so that demo and tests do not undo each other.
extras=$wanted
if [[ -f $stamp ]]; then
    extras=$(printf '%s,%s' "$(tail -n 1 "$stamp")" "$wanted" | tr ',' '\n' | sort -u | paste -sd, -)
fi
rm -f "$stamp"
echo "install: the packages of [$extras] go into .venv (some minutes the first time; log: .venv/install.log)"
install_hashed() { # looks up first what is needed, then takes only files that are known
    local pip=("$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off --no-deps)
    (cd "$root" && "$venv/bin/python" -m tools.faults.supply requirements "$extras" >"$venv/hashed.txt") &&
        "${pip[@]}" --require-hashes -r "$venv/hashed.txt" && (cd "$root" && "${pip[@]}" --no-build-isolation -e .)
}

if [[ ${REQUIRE_HASHES:-0} == 1 ]]; then
    if ! install_hashed 2>&1 | tee "$log" | show_progress; then
        grep -E '^(ERROR|supply: error)' "$log" | head -n 5 >&2 || tail -n 5 "$log" >&2
        fail "the installation with hashes failed. The whole log is in .venv/install.log"
    fi
elif ! (cd "$root" && "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
    --progress-bar off -c constraints.txt -e ".[$extras]") 2>&1 | tee "$log" | show_progress; then
    [[ -t 1 ]] && printf '\r\033[K'
    grep -E '^(ERROR|error)' "$log" | head -n 5 >&2 || tail -n 5 "$log" >&2
    fail "pip failed: is the network there? The whole log is in .venv/install.log"
fi
# The benchmark's PP-OCRv4 wants opencv-python, which would lie over opencv-python-headless, and says that it does
# not know the newest Pythons: what it needs is there, so that it comes alone.
if [[ ,$extras, == *,bench,* ]] && ! (cd "$root" && "$venv/bin/python" -m pip install --disable-pip-version-check \
    --no-input --progress-bar off --no-deps --ignore-requires-python -c constraints.txt rapidocr-onnxruntime) \
    >>"$log" 2>&1; then
    fail "pip failed for rapidocr-onnxruntime. The whole log is in .venv/install.log"
fi
printf '%s\n%s\n' "$(fingerprint)" "$extras" >"$stamp"
echo "install: done"
