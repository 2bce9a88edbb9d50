"""The prediction APIs on a real cluster: answers, key, overload, updates, and what happens when parts of it die."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import requests

from cloud_apis.contract import parse_yolov3_answer, yolov3_answer
from cloud_apis.model_files import packaged_models
from cloud_apis.settings import load_settings
from cloud_apis.yolov3.detector import load_detector
from deploy.archive.archive import pack
from deploy.archive.contents import collect, package_roots
from deploy.cluster_api.client import ClusterApi
from deploy.cluster_api.state import reason
from deploy.errors import ClusterDeniedError, ClusterRefusedError
from deploy.registry.registry import blob_key
from deploy.serving.description import Description
from edge_client.config import PoolSettings
from edge_client.counters import Counters
from edge_client.errors import ApiOverloadedError, ApiRefusedError, ApiUnreachableError
from edge_client.requests.apis import APIS, PlateApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.transport import Body, Transport
from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.deploy.clusters import Asking
from tools.cluster.local import join, kill
from tools.cluster.trial import HTTP_PORT, KEY, TrialCluster

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray"), pytest.mark.timeout(1200)]

PICTURE = grey_jpeg(scene())
ONE: dict[str, Any] = {"yolov3": {"replicas": {"min": 1, "max": 1}, "queue": 2}}
TWO: dict[str, Any] = {"yolov3": {"replicas": {"min": 2, "max": 2}, "queue": 2}}


@pytest.fixture
def one(cluster: TrialCluster) -> TrialCluster:
    """The cluster with one replica of the detector."""
    if cluster.apis.get("yolov3", {}).get("replicas") != ONE["yolov3"]["replicas"]:
        cluster.apply(ONE)
    return cluster


@pytest.fixture
def two(cluster: TrialCluster) -> TrialCluster:
    """The cluster with two replicas of the detector, at least one of them on the worker."""
    for queue in (2, 3):  # another version starts beside the former one, that is where the former one is not
        cluster.apply({"yolov3": {**TWO["yolov3"], "queue": queue}})
        app = cluster.wait_for("yolov3", lambda app: len(app.running) == 2)
        if any(replica.node_ip == cluster.local.nodes[1].address for replica in app.running):
            return cluster
    raise AssertionError(f"no replica runs on the worker: {app.replicas}")


def transport(key: str | None = KEY) -> Transport:
    return Transport(PoolSettings(read_timeout_s=60), {} if key is None else {"X-API-Key": key})


def ask(cluster: TrialCluster, over: Transport, *, again: bool = True) -> object:
    """One request as the dashcam sends it; it tries a broken connection once more if ``again``."""
    body = Body(data=PICTURE, content_type="image/jpeg")
    return over.ask(f"{cluster.url}/yolov3", body, again=again).answer


def test_the_dashcam_gets_the_boxes_that_the_detector_finds(one: TrialCluster) -> None:
    endpoints = FixedEndpoints(f"{one.url}/yolov3", f"{one.url}/crnn")
    apis = PlateApis(endpoints, transport(), PoolSettings(), Counters(APIS), patient=False)
    (expected,) = load_detector(packaged_models(), load_settings().yolov3).detect([PICTURE])
    assert not isinstance(expected, Exception)
    assert apis.detect(PICTURE) == parse_yolov3_answer(yolov3_answer(expected))


def test_what_stands_below_the_prefix_and_what_wants_the_key(one: TrialCluster) -> None:
    with pytest.raises(ApiRefusedError, match="wants another API key"):
        ask(one, transport(None))
    with pytest.raises(ApiRefusedError, match="wants another API key"):
        ask(one, transport("another-key-that-is-long"))
    with requests.Session() as session:
        assert session.get(f"{one.url}/yolov3/v2/health/ready", timeout=60).json() == {"ready": True}
        assert session.get(f"{one.url}/yolov3/metrics", timeout=60).status_code == 401
        session.headers["X-API-Key"] = KEY
        assert "cloud_apis_requests_total" in session.get(f"{one.url}/yolov3/metrics", timeout=60).text
        assert session.get(f"{one.url}/yolov3/v2/models/yolov3", timeout=60).json()["name"] == "yolov3"


def test_the_key_is_in_nothing_that_the_cluster_keeps(one: TrialCluster) -> None:
    told = requests.get(
        f"{one.local.dashboard}/api/serve/applications/",
        headers={"Authorization": f"Bearer {one.local.token()}"},
        timeout=60,
    ).text
    assert '"key": "sha256:' in told and KEY not in told
    for log in one.local.folder.rglob("*.log"):
        assert KEY.encode() not in log.read_bytes()


def test_the_dashboard_wants_its_token(one: TrialCluster) -> None:
    for token in (None, "0" * 64):
        with pytest.raises(ClusterDeniedError, match="wants another token"):
            ClusterApi(one.local.dashboard, token=token).serving()
    with pytest.raises(ClusterRefusedError, match="refuses the description"):
        one.api.apply({"applications": [{"name": "x"}]})


def test_overload_is_refused_as_the_embedded_server_refuses_it(one: TrialCluster) -> None:
    over = transport()
    with Asking(lambda: ask(one, over), clients=8) as asking:
        asking.wait_for_answers(30)
    refused = [error for _, error in asking.failed]
    assert refused and all(isinstance(error, ApiOverloadedError) for error in refused)
    assert all((error.retry_after_s or 0) >= 1 for error in refused if isinstance(error, ApiOverloadedError))
    statuses = []

    def look() -> None:
        answer = requests.post(
            f"{one.url}/yolov3", PICTURE, headers={"Content-Type": "image/jpeg", "X-API-Key": KEY}, timeout=60
        )
        statuses.append(answer.status_code)
        if answer.status_code == 503:
            assert answer.json()["error"]["code"] == "busy" and int(answer.headers["Retry-After"]) >= 1

    with Asking(look, clients=8) as asking:
        asking.wait_for_answers(30)
    assert not asking.failed and set(statuses) == {200, 503}


def test_an_update_under_load_loses_no_request(one: TrialCluster) -> None:
    over = transport()
    (old,) = one.wait_for("yolov3", lambda app: len(app.running) == 1).running
    with Asking(lambda: ask(one, over, again=False), clients=2) as asking:
        asking.wait_for_answers(5)
        one.apply({"yolov3": {**ONE["yolov3"], "queue": 3}})
        asking.wait_for_answers(10)
    assert not asking.failed and asking.answered > 20
    (new,) = one.wait_for("yolov3", lambda app: len(app.running) == 1).running
    assert new.replica_id != old.replica_id


def test_a_model_with_a_wrong_hash_is_refused_while_the_old_one_serves_on(one: TrialCluster, tmp_path: Path) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(packaged_models() / f"yolov3{suffix}", tmp_path)
    (tmp_path / "yolov3.md").write_text("# Another card\n")
    pushed = one.registry.push(tmp_path, "yolov3", (), lambda _: None)
    card = next(file for file in pushed.descriptor.files if file.name == "yolov3.md")
    one.registry.objects.write(blob_key(card.sha256), b"x" * card.size)
    changed = {"yolov3": {**ONE["yolov3"], "models": {"yolov3": str(pushed.reference)}}}
    failed = fails(one, one.describe(changed))
    assert "yolov3.md" in failed and "is not what its hash sha256:" in failed


def test_code_that_cannot_be_imported_is_refused_while_the_old_one_serves_on(one: TrialCluster) -> None:
    files = {**collect(package_roots()), "deploy/serving/replica.py": b"import nothing_like_this\n"}
    failed = fails(one, one.describe(ONE, pack(files)))
    assert failed == "ModuleNotFoundError: No module named 'nothing_like_this'"


def fails(cluster: TrialCluster, description: Description) -> str:
    """Put a description that cannot come up, look at requests meanwhile, put the former one back; gives the reason."""
    over, former = transport(), cluster.describe(cluster.apis)
    with Asking(lambda: ask(cluster, over, again=False), clients=1) as asking:
        asking.wait_for_answers(3)
        before = cluster.serving().applications["yolov3"].deployed_s
        cluster.api.apply(description)
        failed = cluster.wait_for(
            "yolov3", lambda app: app.deployed_s != before and app.status in ("DEPLOY_FAILED", "RUNNING")
        )
        asking.wait_for_answers(10)
        cluster.api.apply(former)
        cluster.wait_for("yolov3", lambda app: app.status == "RUNNING")
        asking.wait_for_answers(3)
    assert failed.status == "DEPLOY_FAILED"
    assert not asking.failed
    return reason(failed.message)


def test_a_replica_that_is_killed_costs_at_most_one_request_and_the_client_none(two: TrialCluster) -> None:
    bare, patient = transport(), transport()
    victim = two.wait_for("yolov3", lambda app: len(app.running) == 2).running[0]
    bold, asking = Asking(lambda: ask(two, bare, again=False), clients=1), Asking(lambda: ask(two, patient), clients=1)
    with bold, asking:
        asking.wait_for_answers(5)
        two.process_of(victim).kill()
        two.wait_for(
            "yolov3",
            lambda app: len(app.running) == 2 and victim.replica_id not in {r.replica_id for r in app.running},
        )
        asking.wait_for_answers(5)
    assert len(bold.failed) <= 1 and not asking.failed


def test_a_worker_node_that_is_lost_is_made_up_for(two: TrialCluster) -> None:
    over, lost = transport(), two.local.nodes[1]
    with Asking(lambda: ask(two, over), clients=1) as asking:
        asking.wait_for_answers(5)
        kill(two.local, 1)
        app = two.wait_for(
            "yolov3", lambda app: len(app.running) == 2 and all(r.node_ip != lost.address for r in app.running)
        )
        asking.wait_for_answers(5)
        failed = len(asking.failed)
        asking.wait_for_answers(5)
        two.local = join(two.local, 1, nodes=2)
    assert {replica.node_ip for replica in app.running} == {two.local.head}
    assert len(asking.failed) == failed


def test_the_head_may_die_and_come_back(two: TrialCluster) -> None:
    nodes = [node.address for node in two.local.nodes]
    over, body = transport(), Body(data=PICTURE, content_type="image/jpeg")

    def ask_any() -> object:
        """As by a load balancer, which asks a node whose proxy answers."""
        try:
            return over.ask(f"http://{nodes[1]}:{HTTP_PORT}/yolov3", body, again=False)
        except ApiUnreachableError:
            return over.ask(f"http://{nodes[0]}:{HTTP_PORT}/yolov3", body)

    two.wait_for_proxies(2)
    with Asking(ask_any, clients=1) as asking:
        asking.wait_for_answers(5)
        kill(two.local, 0)
        asking.wait_for_answers(5)
        two.local = join(two.local, 0, nodes=2)
        app = two.wait_for("yolov3", lambda app: len(app.running) == 2 and app.status == "RUNNING")
        asking.wait_for_answers(5)
    assert not asking.failed
    assert app.described["args"]["api"] == "yolov3"
    with Asking(lambda: ask(two, over), clients=1) as asking:  # the new head's proxy listens a moment later
        asking.wait_for_answers(1)
