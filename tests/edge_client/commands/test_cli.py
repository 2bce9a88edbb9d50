"""The command `dashcam` as a process: exit codes, one-line errors, drives, signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import pytest
import requests

from edge_client.cli import main
from edge_client.errors import SourceError
from edge_client.store.library import ReadFilter, ReadLibrary
from tests.edge_client.fake_apis import FakeApis, fake_apis
from tests.edge_client.samples import BOX, picture, with_strokes

ROOT = Path(__file__).resolve().parents[3]
FRAMES = 20
LONG = "x" * 300


@pytest.fixture(scope="module")
def apis() -> Iterator[FakeApis]:
    with fake_apis() as behaviour:
        yield behaviour


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drive") / "drive.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (416, 234))
    for n in range(FRAMES):
        writer.write(with_strokes(picture(416, 234, value=5 * n), BOX))
    writer.release()
    return path


def environment(home: Path, **variables: str) -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("DASHCAM_") and k not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    return kept | {"XDG_DATA_HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "150"} | variables


def dashcam(folder: Path, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_client", *map(str, arguments)],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def endpoints(apis: FakeApis) -> tuple[str, ...]:
    return ("--yolov3-endpoint", apis.url, "--crnn-endpoint", apis.url)


def test_a_whole_drive(tmp_path: Path, video: Path, apis: FakeApis) -> None:
    done = dashcam(
        tmp_path, "run", video, "--rate", "full", "--no-window", "--web", "off", "--record", "out.mp4",
        "--reads", "reads.db", "--summary-json", "summary.json", *endpoints(apis),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["captured"] == sum(summary["shown"].values()) == FRAMES
    assert (summary["in_flight"], summary["out_of_order"], summary["reads"]) == (0, 0, 1)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
    exported = dashcam(tmp_path, "reads", "export", "--reads", "reads.db", "--format", "json")
    (found,) = json.loads(exported.stdout)
    assert (found["text"], found["latitude"]) == ("AB12CDE", None)
    assert "AB12CDE" in done.stdout
    assert "captured" in done.stdout
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_the_default_reads_file_is_shared_by_run_and_reads(tmp_path: Path, video: Path, apis: FakeApis) -> None:
    assert "no reads file" in dashcam(tmp_path, "reads", "list").stderr
    done = dashcam(tmp_path, "run", video, "--rate", "full", "--web", "off", *endpoints(apis))
    assert done.returncode == 0, done.stderr
    assert "no screen" in done.stderr  # a note, as no window was asked for
    assert (tmp_path / "dashcam" / "reads.db").is_file()
    listed = dashcam(tmp_path, "reads", "list", "--text", "ab*")
    assert "AB12CDE" in listed.stdout
    assert "no reads fit" in dashcam(tmp_path, "reads", "list", "--text", "zz*").stdout
    shown = dashcam(tmp_path, "reads", "show", "1", "--crop", "crop.jpg")
    assert "AB12CDE" in shown.stdout
    assert cv2.imread(str(tmp_path / "crop.jpg")) is not None
    exported = dashcam(tmp_path, "reads", "export", "-o", "reads.csv")
    assert exported.returncode == 0
    assert (tmp_path / "reads.csv").read_text(encoding="utf-8").startswith("Date,License Plate,Coordinates,")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "required: COMMAND"),
        (["run"], 2, "required: SOURCE"),
        (["run", "none.avi", "--rate", "fast"], 2, "invalid choice"),
        (["run", "none.avi", "--scale", "-1"], 2, "source.scale_video"),
        (["run", "none.avi", "--config", "none.yaml"], 2, "none.yaml"),
        (["run", "none.avi", "--config", "typo.yaml"], 2, "did you mean rate"),
        (["run", "none.avi", "--yolov3-endpoint", "http://x"], 2, "crnn_endpoint"),
        (["run", "none.avi", "--summary-json", "none/s.json"], 2, "does not exist"),
        (["run", "none.avi"], 1, "none.avi"),
        (["run", "VIDEO", "--record", "none/out.mp4"], 2, "does not exist"),
        (["run", "VIDEO", "--record", "VIDEO"], 2, "overwrite its own source"),
        (["run", "VIDEO", "--reads", "none/reads.db"], 1, "create it first"),
        (["run", "VIDEO", "--reads", "typo.yaml"], 1, "not a database"),
        (["run", "VIDEO", "--web", "8081"], 2, "HOST:PORT"),
        (["run", "VIDEO", "--web", "0.0.0.0:0"], 2, "DASHCAM_WEB_KEY"),
        (["run", "VIDEO", "--window"], 1, "--no-window"),
        (["run", "VIDEO", "--positions", "typo.yaml", "--web", "off", "--no-window"], 1, "no valid fix"),
        (["run", LONG], 1, "cannot open"),
        (["run", f"{LONG}/drive.mp4"], 1, "cannot open"),
        (["run", "VIDEO", "--reads", f"{LONG}/reads.db"], 1, "cannot open the reads file"),
        (["run", "VIDEO", "--record", f"{LONG}/out.mp4"], 2, "cannot record to"),
        (["run", "VIDEO", "--summary-json", f"{LONG}/s.json"], 2, "cannot write"),
        (["reads", "list"], 1, "no reads file"),
        (["reads", "list", "--reads", LONG], 1, "cannot open the reads file"),
        (["reads", "list", "--limit", "9" * 20], 2, "too large"),
        (["reads", "list", "--limit", str(2**63)], 2, "too large"),
        (["reads", "list", "--limit", "9" * 5000], 2, "too large"),
        (["reads", "list", "--limit", str(2**63 - 1)], 1, "no reads file"),
        (["reads", "show", "9" * 20], 2, "no read 999"),
        (["reads", "show", "9" * 5000], 2, "invalid int"),
        (["reads", "show", str(2**63 - 1)], 1, "no reads file"),
        (["reads", "note", str(-(2**63)), "words"], 2, "no read -922"),
        (["reads", "list", "--since", "some day"], 2, "is no time"),
        (["reads", "search", "--near", "45.7,21.2"], 2, "is no place"),
        (["reads", "search", "--plate", "--"], 2, "expected one argument"),
        (["reads", "list", "--min-confidence", "80"], 2, "no confidence"),
        (["reads", "list", "--limit", "-3"], 2, "no number"),
        (["reads", "show", "x"], 2, "invalid int"),
        (["reads", "export", "--format", "xml"], 2, "invalid choice"),
        (["doctor", "--config", "none.yaml", "--nonsense"], 2, "unrecognized"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path,
    video: Path,
    apis: FakeApis,
    arguments: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "DASHCAM_WEB_KEY", "DASHCAM_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm")  # as without a display server
    monkeypatch.chdir(tmp_path)
    Path("typo.yaml").write_text("source:\n  rat: full\n", encoding="utf-8")
    words = [str(video) if word == "VIDEO" else word for word in arguments]
    more = endpoints(apis) if words[:1] == ["run"] and "--yolov3-endpoint" not in words else ()
    try:
        ended = main([*words, *more])
    except SystemExit as e:
        assert isinstance(e.code, int)
        ended = e.code
    told = capsys.readouterr().err
    assert ended == code, told
    errors = [line for line in told.splitlines() if line.startswith("dashcam: error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert [line for line in told.splitlines() if not line.startswith("dashcam: ")] == []
    assert video.stat().st_size > 1000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_drive_in_order(tmp_path: Path, apis: FakeApis, number: signal.Signals) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for n in range(400):
        cv2.imwrite(str(pictures / f"{n:04}.jpg"), with_strokes(picture(416, 234, value=n % 250), BOX))
    with subprocess.Popen(
        [
            sys.executable, "-m", "edge_client", "run", str(pictures), "--no-window", "--web", "127.0.0.1:0",
            "--record", "out.mp4", "--reads", "reads.db", "--summary-json", "summary.json", *endpoints(apis),
        ],
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as drive:  # fmt: skip
        assert drive.stderr is not None
        url = drive.stderr.readline().split()[-1]
        end_s = time.monotonic() + 60
        while requests.get(f"{url}api/live", timeout=30).json()["reads"] == []:
            assert time.monotonic() < end_s
            time.sleep(0.1)
        asked_s = time.monotonic()
        drive.send_signal(number)
        _, errors = drive.communicate(timeout=60)
        took_s = time.monotonic() - asked_s
    assert drive.returncode == 0, errors
    assert took_s < 20  # far beyond what it may take, for machines that are busy
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    shown = sum(summary["shown"].values())
    assert 0 < summary["captured"] < 400
    assert summary["captured"] == shown + sum(summary["dropped"].values())
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == shown
    with ReadLibrary(tmp_path / "reads.db") as library:
        assert [r.text for r in library.find(ReadFilter())] == ["AB12CDE"]
    assert sqlite3.connect(tmp_path / "reads.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_default_port_is_exchanged_when_taken_and_a_named_one_is_not(
    tmp_path: Path, video: Path, apis: FakeApis
) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", 8081))
        except OSError:
            pass  # somebody else holds it, which is as good
        else:
            holder.listen()
        done = dashcam(tmp_path, "run", video, "--no-window", "--rate", "full", "--reads", "r.db", *endpoints(apis))
        assert done.returncode == 0, done.stderr
        assert "8081 is taken" in done.stderr
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        done = dashcam(tmp_path, "run", video, "--no-window", "--web", address, "--reads", "r.db", *endpoints(apis))
        assert done.returncode == 2
        assert "the port is taken" in done.stderr


def test_a_closed_pipe_is_no_error(tmp_path: Path, video: Path, apis: FakeApis) -> None:
    dashcam(
        tmp_path, "run", video, "--rate", "full", "--web", "off", "--no-window", "--reads", "r.db", *endpoints(apis)
    )
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "edge_client", "reads", "export", "--reads", "r.db"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_doctor(tmp_path: Path, apis: FakeApis) -> None:
    well = dashcam(tmp_path, "doctor")
    assert well.returncode == 0, well.stdout
    assert "as shipped" in well.stdout
    (tmp_path / "reads.db").write_text("no database " * 100, encoding="utf-8")
    ill = dashcam(
        tmp_path, "doctor", "--json", "--reads", "reads.db", "--positions", "none.nmea",
        "--yolov3-endpoint", "http://127.0.0.1:9", "--crnn-endpoint", "http://127.0.0.1:9",
    )  # fmt: skip
    assert ill.returncode == 1
    for part in ("not a database", "none.nmea", "does not answer"):
        assert part in ill.stdout
    spoilt = dashcam(tmp_path, "doctor", "--config", "none.yaml")
    assert spoilt.returncode == 1
    assert "none.yaml" in spoilt.stdout
    assert "Traceback" not in ill.stderr + spoilt.stderr


def test_the_lock_signal_does_no_harm_while_a_drive_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strays: list[int] = []
    started: list[str] = []

    def press(name: str, _settings: object) -> None:
        started.append(name)
        os.kill(os.getpid(), signal.SIGUSR1)
        raise SourceError("the camera is gone")

    monkeypatch.setattr("edge_client.commands.run.open_source", press)
    monkeypatch.setattr("edge_client.commands.run.limit_arenas", lambda: os.kill(os.getpid(), signal.SIGUSR1))
    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: strays.append(number))
    try:
        assert main(["run", "/dev/video0", "--web", "off", "--no-window"]) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (started, strays) == (["/dev/video0"], [])
    assert "the camera is gone" in capsys.readouterr().err
