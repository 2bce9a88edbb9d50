#!/usr/bin/env bash
# From road video to annotated stream and stored reads, on this machine.
#
#   tools/demo.sh            renders a drive of 20 s and runs the dashcam on it
#   tools/demo.sh VIDEO      runs it on a video file or a folder of pictures
#
# Installs into .venv, starts the prediction APIs on loopback, runs the dashcam with its web page (and a window
# where there is a screen), and leaves annotated.mp4, reads.db, reads.json and summary.json in demo/. Ends by
# itself; the exit code is 0 only when all went well. Ctrl-C ends it early, in order.
#
#   DEMO_NO_OPEN=1     opens neither window nor browser
#   DEMO_SECONDS=N     length of the rendered drive
#   DEMO_RATE=RATE     realtime (plays like a camera; for the rendered drive) or full (every frame; for a VIDEO)
#   DEMO_DIR=FOLDER    where the results go (demo/)
#   DEMO_PYTHON=FILE   an interpreter that has everything: nothing is installed
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=${DEMO_DIR:-$root/demo}
python=${DEMO_PYTHON:-$root/.venv/bin/python}
seconds=${DEMO_SECONDS:-20}
apis=
opener=

say() { printf '\n== %s\n' "$1"; }

fail() { # fail MESSAGE [EXIT CODE]
    printf 'demo: error: %s\n' "$1" >&2
    exit "${2:-1}"
}

stop_apis() {
    if [[ -n $opener ]]; then kill "$opener" 2>/dev/null || true; fi
    if [[ -n $apis ]]; then
        kill "$apis" 2>/dev/null || true
        wait "$apis" 2>/dev/null || true
        apis=
        rm -f "$demo/.apis.port"
    fi
}
trap stop_apis EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

video=
if [[ $# -gt 1 || ${1:-} == -* ]]; then
    fail "usage: tools/demo.sh [VIDEO]" 2
elif [[ $# -eq 1 ]]; then
    case $1 in
    *://* | /*) video=$1 ;;
    *) video=$PWD/$1 ;;
    esac
    [[ $video == *://* || -e $video ]] || fail "there is no file or folder $1" 2
fi
[[ $seconds =~ ^[0-9]+([.][0-9]+)?$ ]] || fail "DEMO_SECONDS=$seconds is not a number" 2
[[ ${DEMO_RATE:-full} =~ ^(full|realtime)$ ]] || fail "DEMO_RATE=$DEMO_RATE is neither full nor realtime" 2
mkdir -p "$demo" || fail "cannot make the folder $demo"
demo=$(cd "$demo" && pwd)
cd "$root"

if [[ -z ${DEMO_PYTHON:-} ]]; then
    tools/install.sh edge,cloud,tools
fi

# The drive, unless one was named.

arguments=()
truth=
if [[ -z $video ]]; then
    truth=$demo/drive/truth.json
    made_by="$seconds $(cat tools/demo/*.py | cksum)"
    if [[ -f $truth && $(cat "$demo/drive/made_by" 2>/dev/null) == "$made_by" ]]; then
        say "the drive is there from the last time: $demo/drive"
    else
        say "rendering a drive of $seconds s, once"
        "$python" -m tools.demo render --out "$demo/drive" --seconds "$seconds"
        printf '%s' "$made_by" >"$demo/drive/made_by"
    fi
    video=$demo/drive/drive.mp4
    arguments+=(--rate "${DEMO_RATE:-realtime}" --positions "$demo/drive/route.nmea")
else
    arguments+=(--rate "${DEMO_RATE:-full}") # a recording can wait: every frame is looked at
    if [[ -f ${video%.*}.nmea ]]; then arguments+=(--positions "${video%.*}.nmea"); fi
fi

# The results of the last run go.

old=()
for name in annotated.mp4 reads.db reads.json summary.json; do
    if [[ -e $demo/$name ]]; then old+=("$name"); fi
done
if [[ ${#old[@]} -gt 0 ]]; then
    echo "overwriting in $demo: ${old[*]}"
    rm -f "$demo"/annotated.mp4 "$demo"/reads.db{,-wal,-shm} "$demo"/reads.json "$demo"/summary.json
fi

# The prediction APIs, on a free port of the loopback, in a process group of their own: Ctrl-C is for the
# dashcam, which still needs their answers.

say "starting the prediction APIs"
unset CLOUD_APIS_KEY DASHCAM_API_KEY DASHCAM_WEB_KEY
port_file=$demo/.apis.port
rm -f "$port_file"
set -m
"$python" -m cloud_apis serve --host 127.0.0.1 --port 0 --port-file "$port_file" --exit-with-parent $$ \
    </dev/null >"$demo/apis.log" 2>&1 &
apis=$!
set +m
for _ in {1..600}; do
    if [[ -s $port_file ]]; then break; fi
    if ! kill -0 "$apis" 2>/dev/null; then
        tail -n 3 "$demo/apis.log" >&2
        fail "the prediction APIs did not start (the log is $demo/apis.log)"
    fi
    sleep 0.1
done
[[ -s $port_file ]] || fail "the prediction APIs were not ready within a minute (the log is $demo/apis.log)"
port=$(<"$port_file")
echo "YOLOv3 and CRAFT/CRNN at http://127.0.0.1:$port (docs: http://127.0.0.1:$port/docs)"

# The dashcam, with its page on the usual port where that is free.

page=$("$python" - <<'PYTHON'
import socket

for port in (8081, 0):
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            continue
        print("127.0.0.1:%d" % listener.getsockname()[1])
        break
PYTHON
)

open_page() { # once it answers
    local command
    for command in xdg-open open; do
        if command -v "$command" >/dev/null; then break; fi
    done
    for _ in {1..150}; do
        if (exec 3<>"/dev/tcp/${page%:*}/${page#*:}") 2>/dev/null; then
            "$command" "http://$page" >/dev/null 2>&1 || true
            return
        fi
        sleep 0.2
    done
}

say "running the dashcam; its page is http://$page"
screen=${DISPLAY:-}${WAYLAND_DISPLAY:-}
if [[ $(uname) == Darwin ]]; then screen=yes; fi
if [[ -n ${DEMO_NO_OPEN:-} || -z $screen ]]; then
    arguments+=(--no-window)
else
    open_page &
    opener=$!
fi
code=0
"$python" -m edge_client run "$video" "${arguments[@]}" \
    --yolov3-endpoint "http://127.0.0.1:$port/yolov3" --crnn-endpoint "http://127.0.0.1:$port/crnn" \
    --web "$page" --record "$demo/annotated.mp4" --reads "$demo/reads.db" --summary-json "$demo/summary.json" \
    </dev/null || code=$?
if [[ $code -ne 0 ]]; then
    fail "the dashcam ended with exit code $code" "$code"
fi
"$python" -m edge_client reads export --reads "$demo/reads.db" --format json --output "$demo/reads.json" 2>/dev/null ||
    fail "the reads cannot be exported from $demo/reads.db"

# What came of it.

if [[ -n $truth ]]; then
    say "what was read, beside the truth"
    "$python" -m tools.demo score --truth "$truth" --reads "$demo/reads.json"
fi
say "results"
printf '%s\n' "$demo/annotated.mp4   the drive with boxes and reads" \
    "$demo/reads.db        the reads (dashcam reads list --reads $demo/reads.db)" \
    "$demo/reads.json      the same as JSON" \
    "$demo/summary.json    the counters"
