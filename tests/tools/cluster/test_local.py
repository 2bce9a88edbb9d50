"""What of the local cluster can be told without starting one; tests/deploy/test_cluster.py starts one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.serving.environment import NODE_ENVIRONMENT
from tools.cluster.cli import main
from tools.cluster.errors import LocalClusterError
from tools.cluster.local import LocalCluster, LocalNode, down, load
from tools.cluster.network import Network, entered, is_possible, new_network
from tools.cluster.nodes import NodePlan, node_environment, ray_command


def plan(number: int, folder: Path) -> NodePlan:
    return NodePlan(number=number, address=f"10.213.9.{number + 2}", head="10.213.9.2", folder=folder, cpus=3)


def test_workers_join_the_head(tmp_path: Path) -> None:
    head, worker = (ray_command(plan(number, tmp_path)) for number in (0, 1))
    assert "--head" in head and "--dashboard-host=10.213.9.2" in head and f"--temp-dir={tmp_path}" in head
    assert "--address=10.213.9.2:6379" in worker and "--head" not in worker
    assert "--num-cpus=3" in head and "--num-cpus=3" in worker
    assert entered("plates9-1", worker)[:4] == ["ip", "netns", "exec", "plates9-1"]


def test_nodes_have_what_serve_needs_and_nothing_of_this_machine(tmp_path: Path) -> None:
    given = {"PATH": "/bin", "PYTHONPATH": "/here", "RAY_ADDRESS": "elsewhere", "HTTPS_PROXY": "http://proxy"}
    token = tmp_path / "token"
    head, worker = (node_environment(plan(number, tmp_path), given, token, "10.213.9.1:7000") for number in (0, 1))
    for environment in (head, worker):
        assert NODE_ENVIRONMENT.items() <= environment.items()
        assert not {"PYTHONPATH", "RAY_ADDRESS", "HTTPS_PROXY"} & environment.keys()
        assert (environment["RAY_AUTH_MODE"], environment["RAY_AUTH_TOKEN_PATH"]) == ("token", str(token))
    assert head["RAY_REDIS_ADDRESS"] == "10.213.9.1:7000" and "RAY_REDIS_ADDRESS" not in worker
    assert node_environment(plan(0, tmp_path), given, None, None)["RAY_AUTH_MODE"] == "disabled"


def test_names_fit_linux() -> None:
    widest = Network(249)
    assert all(len(name) <= 15 for name in (widest.bridge, f"{widest.bridge}-9", widest.namespace(9)))
    assert widest.host == "10.213.249.1" and widest.address(1) == "10.213.249.3"


@pytest.mark.skipif(not is_possible(), reason="network namespaces need root, ip and unshare")
def test_networks_are_apart_and_leave_nothing_behind() -> None:
    one, other = new_network(), new_network()
    try:
        assert one.slot != other.slot
        one.add_node(0)
        assert Path("/run/netns", one.namespace(0)).exists()
    finally:
        one.remove_node(0)
        one.remove()
        other.remove()
    assert not Path("/run/netns", one.namespace(0)).exists()
    assert not Path("/sys/class/net", one.bridge).exists() and not Path("/sys/class/net", other.bridge).exists()


def test_without_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(tmp_path) is None
    assert main(["--folder", str(tmp_path), "status"]) == 1
    assert "there is no cluster in" in capsys.readouterr().err
    assert main(["--folder", str(tmp_path), "down"]) == 0


def test_a_cluster_that_is_there_already_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cluster.json").write_text("{}")
    assert main(["--folder", str(tmp_path), "up"]) == 1
    assert "there is a cluster in" in capsys.readouterr().err


def _refuse(*_: object) -> int:
    raise LocalClusterError("no node starts")


def test_a_folder_with_something_else_in_it_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work" / "n0").mkdir(parents=True)
    (tmp_path / "work" / "n0" / "thesis").write_text("years")
    monkeypatch.setattr("tools.cluster.local._LONGEST_FOLDER", 999)
    monkeypatch.setattr("tools.cluster.local.is_possible", lambda: False)
    monkeypatch.setattr("tools.cluster.local.start_node", _refuse)  # nothing starts, should it come to that
    assert main(["--folder", "work", "up"]) == 1
    assert "is there and no cluster's" in capsys.readouterr().err
    (tmp_path / "work" / "cluster.json").write_text("{}")
    assert main(["--folder", "work", "down"]) == 1
    assert "describes no cluster" in capsys.readouterr().err
    assert (tmp_path / "work" / "n0" / "thesis").read_text() == "years"


@pytest.mark.parametrize("foreign", [True, False])
def test_down_removes_what_the_cluster_wrote_and_nothing_else(tmp_path: Path, foreign: bool) -> None:
    folder = tmp_path / "c"
    for own in ("n0", "n1", "redis"):
        (folder / own).mkdir(parents=True)
        (folder / own / "log").touch()
    for name in ("token", "aws-config", "cluster.json"):
        (folder / name).touch()
    if foreign:
        (folder / "notes").mkdir()
        (folder / "notes" / "thesis").write_text("years")
    down(LocalCluster(folder, None, "127.0.0.1", "http://127.0.0.1:8265", 6379, 2, ()))
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["c", "notes", "thesis"] if foreign else [])


def test_the_head_is_the_first_node(tmp_path: Path) -> None:
    nodes = (LocalNode(0, "10.213.9.2", 1), LocalNode(1, "10.213.9.3", 2))
    cluster = LocalCluster(tmp_path, 9, "10.213.9.1", "http://10.213.9.2:8265", 6379, 2, nodes)
    assert cluster.head == "10.213.9.2" and cluster.token() is None
