from __future__ import annotations

from pathlib import Path

import pytest

from edge_client.doctor import disk
from edge_client.doctor.disk import Mount, disks, existing, measure, mount_of, read_mounts, wear
from edge_client.doctor.finding import Verdict
from edge_client.doctor.machine import Machine
from tests.edge_client.doctor.trees import machine

MOUNTS = """\
21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
22 21 0:5 / /dev rw,nosuid shared:2 - devtmpfs udev rw,size=1k
40 21 8:1 / /media/my\\040stick rw,relatime shared:9 - vfat /dev/sda1 rw,fmask=0022
41 21 8:17 / /srv ro,relatime - ext4 /dev/sdb1 ro
42 21 0:40 / /srv rw - tmpfs tmpfs rw
broken line
"""


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    mounts = read_mounts(MOUNTS)
    assert len(mounts) == 5
    assert mounts[2] == Mount(Path("/media/my stick"), "vfat", "/dev/sda1", read_only=False)
    assert mounts[3].read_only


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/home/me", "ext4"), ("/media/my stick/rec", "vfat"), ("/srv/x", "tmpfs"), ("/srvx", "ext4")],
)
def test_the_deepest_and_last_mount_holds_a_folder(folder: str, kind: str) -> None:
    mount = mount_of(read_mounts(MOUNTS), Path(folder))
    assert mount is not None
    assert mount.kind == kind


def at(root: Path, kind: str, options: str = "rw") -> Machine:
    """A machine whose only mount is of that kind."""
    return machine(root, {"/proc/self/mountinfo": f"1 0 8:1 / / {options} - {kind} /dev/sda1 rw\n"})


def examined(root: Path, kind: str, options: str = "rw") -> tuple[Verdict, str, str]:
    (finding,) = disks(at(root / "machine", kind, options), {"reads": root, "video": root / "not" / "yet"})
    assert finding.part == "disk of reads and video"
    return finding.verdict, finding.found, finding.advice


@pytest.mark.parametrize(
    ("kind", "options", "verdict", "told", "advice"),
    [
        ("ext4", "ro", Verdict.WRONG, "read-only", "remount"),
        ("tmpfs", "rw", Verdict.NOTE, "all is lost", "overlay"),
    ],
)
def test_the_file_system_matters(
    tmp_path: Path, kind: str, options: str, verdict: Verdict, told: str, advice: str
) -> None:
    found = examined(tmp_path, kind, options)
    assert found[0] is verdict
    assert told in found[1]
    assert advice in found[2]


def test_speed_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "measure", lambda _folder: disk.Speed(20 * 2**20, 0.03))
    assert examined(tmp_path, "ext4")[0] is Verdict.OK
    assert "a durable write takes 30 ms" in examined(tmp_path, "ext4")[1]
    verdict, _, advice = examined(tmp_path, "vfat")
    assert verdict is Verdict.NOTE
    assert "ext4" in advice
    monkeypatch.setattr(disk, "measure", lambda _folder: disk.Speed(20 * 2**20, 0.9))
    assert examined(tmp_path, "ext4")[1].endswith("slow")

    def fails(_folder: Path) -> disk.Speed:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk, "measure", fails)
    verdict, found, _ = examined(tmp_path, "ext4")
    assert verdict is Verdict.WRONG
    assert "Input/output error" in found


def test_room_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_LOW_SPACE_BYTES", 2**60)
    verdict, _, advice = examined(tmp_path, "ext4")
    assert verdict is Verdict.NOTE
    assert "max_gb" in advice


def test_a_real_disk_is_measured_and_left_clean(tmp_path: Path) -> None:
    speed = measure(tmp_path)
    assert speed.write_bps > 0
    assert speed.sync_s > 0
    assert not list(tmp_path.iterdir())


def test_a_folder_is_looked_for_upwards(tmp_path: Path) -> None:
    assert existing(tmp_path / "a" / "b") == tmp_path


@pytest.mark.parametrize(
    ("files", "verdict", "told"),
    [
        ({"/sys/block/mmcblk0/device/life_time": "0x01 0x03"}, Verdict.OK, "20-30 %"),
        ({"/sys/block/mmcblk0/device/life_time": "0x0a 0x0b"}, Verdict.NOTE, "100-110 %"),
        ({"/sys/block/mmcblk0/device/pre_eol_info": "0x02"}, Verdict.NOTE, "spare blocks"),
        ({"/sys/block/mmcblk0/device/pre_eol_info": "0x03"}, Verdict.WRONG, "spare blocks"),
        ({"/sys/fs/ext4/mmcblk0p2/errors_count": "4"}, Verdict.WRONG, "4 errors on mmcblk0p2"),
    ],
)
def test_an_old_card_tells(tmp_path: Path, files: dict[str, str], verdict: Verdict, told: str) -> None:
    finding = wear(machine(tmp_path, files), "/dev/mmcblk0p2")
    assert finding is not None
    assert finding.verdict is verdict
    assert told in finding.found


@pytest.mark.parametrize("device", ["/dev/mmcblk0p2", "/dev/sda1", "tmpfs", "/dev/nvme0n1p1"])
def test_a_disk_that_tells_nothing_is_no_finding(tmp_path: Path, device: str) -> None:
    assert wear(machine(tmp_path, {"/sys/fs/ext4/sda1/errors_count": "0"}), device) is None
