"""`cloud-deploy deploy`, `rollback` and `delete` against a real S3 server and a dashboard on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.archive.archive import code_archive
from deploy.archive.store import code_key
from deploy.cli import main
from deploy.registry.registry import Registry
from deploy.revisions.lock import Lock
from deploy.revisions.store import Revisions
from deploy.rollout.ownership import owner
from tests.deploy.rollout.conftest import Run
from tests.deploy.rollout.dashboard import Dashboard

pytest.importorskip("ray", reason="the ray extra is not installed")
Capture = pytest.CaptureFixture[str]


def test_first_deploy_then_nothing_to_do(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    assert run("deploy", "--yes") == 0
    told = capsys.readouterr()
    assert "revision 1 runs" in told.out
    assert f"  yolov3_endpoint: http://127.0.0.1:{dashboard.port}/yolov3\n" in told.out
    assert "yolov3: RUNNING, 1 of 1 replicas" in told.err
    described = dashboard.described("yolov3")
    assert described["runtime_env"]["working_dir"].endswith(code_key(code_archive().sha256))
    assert registry.objects.size(code_key(code_archive().sha256)) == len(code_archive().data)
    assert described["args"]["models"][0].startswith("yolov3@sha256:")
    assert run("deploy") == 0  # nobody has to be asked
    assert "nothing to do" in capsys.readouterr().out
    assert len(dashboard.put) == 1
    assert Revisions(registry.objects, "plates").numbers() == [1]


def test_code_that_was_cut_is_sent_again(run: Run, registry: Registry) -> None:
    code = code_archive()
    registry.objects.write(code_key(code.sha256), code.data[:100])
    assert run("deploy", "--yes") == 0
    assert registry.objects.size(code_key(code.sha256)) == len(code.data)


def test_a_plan_changes_nothing(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    assert run("deploy", "--plan") == 0
    told = capsys.readouterr().out
    assert "1 added" in told and "upload: model yolov3:latest" in told
    assert run("deploy", "--plan", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["same"] is False and answer["revision"] is None
    assert answer["applications"][0]["becomes"] == "added"
    assert dashboard.put == [] and list(registry.objects.keys("")) == []


def test_nobody_to_ask_means_nothing_is_done(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    assert run("deploy") == 2
    assert "--yes" in capsys.readouterr().err
    assert run("deploy", "--json") == 2
    assert dashboard.put == []


def test_update_rollback_and_their_revisions(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture
) -> None:
    assert run("deploy", "--yes") == 0
    first = dashboard.described("yolov3")
    assert run("deploy", "--yes", yolov3={"threads": 2, "replicas": {"min": 2, "max": 2}}) == 0
    told = capsys.readouterr().out
    assert "threads" in told and "new replicas start beside the old ones" in told
    assert run("rollback", "--yes") == 0
    assert dashboard.described("yolov3") == first
    assert run("rollback", "2", "--yes") == 0
    assert dashboard.described("yolov3")["args"]["threads"] == 2
    reasons = [revision.reason for revision in Revisions(registry.objects, "plates").newest_first()]
    assert reasons == ["rollback to 2", "rollback to 1", "deploy", "deploy"]
    capsys.readouterr()
    assert run("rollback", "--list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["number"] for each in listed] == [1, 2, 3, 4]
    assert "a-secret-of-nobody" not in json.dumps(listed)
    assert run("rollback", "9", "--yes") == 1
    assert "there is no revision 9; there are 1 to 4" in capsys.readouterr().err


def test_a_tag_that_moves_is_a_change_and_a_rollback_keeps_the_digest(
    run: Run, dashboard: Dashboard, registry: Registry, models: Any
) -> None:
    assert run("deploy", "--yes") == 0
    old = dashboard.described("yolov3")["args"]["models"]
    (models / "yolov3.md").write_text("# another card\n")
    registry.push(models, "yolov3", ("latest",), lambda _: None)
    assert run("deploy", "--yes") == 0
    assert dashboard.described("yolov3")["args"]["models"] != old
    assert run("rollback", "--yes") == 0
    assert dashboard.described("yolov3")["args"]["models"] == old


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("Traceback\n  File x\nModuleNotFoundError: No module named 'cv3'", "ModuleNotFoundError: No module named"),
        ("deploy.errors.CorruptError: yolov3.onnx is not what its hash says", "yolov3.onnx is not what its hash says"),
    ],
)
def test_a_version_that_does_not_start_is_put_back(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture, why: str, words: str
) -> None:
    assert run("deploy", "--yes", yolov3={}, crnn={}) == 0
    before = [dashboard.described(name) for name in ("crnn", "yolov3")]
    dashboard.judge = lambda described: why if described["args"].get("threads") == 2 else None
    assert run("deploy", "--yes", yolov3={"threads": 2}, crnn={"queue": 5}) == 1
    told = capsys.readouterr().err
    assert f"error: yolov3 does not start: {words}" in told
    assert [dashboard.described(name) for name in ("crnn", "yolov3")] == before
    assert Revisions(registry.objects, "plates").numbers() == [1]
    assert run("deploy", "--yes", yolov3={}, crnn={"queue": 5}) == 0  # and nothing is locked


@pytest.mark.parametrize("why", ["RuntimeError: gone", ""])
def test_what_is_described_so_but_does_not_run_is_applied_again(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture, why: str
) -> None:
    state = "DEPLOY_FAILED" if why else "DEPLOYING"
    assert run("deploy", "--yes") == 0
    dashboard.judge = lambda _: why if len(dashboard.put) < 2 else None
    capsys.readouterr()
    assert run("deploy", "--plan") == 0
    told = capsys.readouterr().out
    assert f"yolov3 is {state}: the same will be applied again" in told and "nothing to do" not in told
    assert len(dashboard.put) == 1
    assert run("deploy", "--yes") == 0
    assert "revision 2 runs" in capsys.readouterr().out
    assert len(dashboard.put) == 2
    dashboard.judge = lambda _: "RuntimeError: gone"
    assert run("deploy", "--yes") == 1
    told = capsys.readouterr().err
    assert "error: yolov3 does not start: RuntimeError: gone\n" in told and "put back" not in told
    assert Revisions(registry.objects, "plates").numbers() == [1, 2]


def test_a_version_that_never_gets_ready_is_put_back(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture
) -> None:
    assert run("deploy", "--yes") == 0
    before = dashboard.described("yolov3")
    dashboard.judge = lambda described: "" if described["args"]["threads"] == 2 else None
    assert run("deploy", "--yes", "--timeout", "1", yolov3={"threads": 2}) == 1
    assert "wait for a place with 1 CPUs" in capsys.readouterr().err
    assert dashboard.described("yolov3") == before
    assert Revisions(registry.objects, "plates").numbers() == [1]


def test_a_first_deploy_that_fails_leaves_nothing(run: Run, dashboard: Dashboard, registry: Registry) -> None:
    dashboard.judge = lambda _: "RuntimeError: no"
    assert run("deploy", "--yes") == 1
    assert dashboard.names() == [] and dashboard.shut_down == 1
    assert Revisions(registry.objects, "plates").numbers() == []


def test_what_could_not_be_put_back_is_said(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    assert run("deploy", "--yes") == 0
    dashboard.judge = lambda described: "RuntimeError: no" if described["args"]["threads"] == 2 else None
    dashboard.refuse = lambda count: (400, "ValueError: not again") if count > 2 else None
    assert run("deploy", "--yes", yolov3={"threads": 2}) == 1
    told = capsys.readouterr().err
    assert "yolov3 does not start: RuntimeError: no; and what ran before could not be put back" in told
    assert "not again" in told


def test_serve_that_starts_slowly_is_asked_again(run: Run, dashboard: Dashboard) -> None:
    dashboard.refuse = lambda count: (500, "TimeoutError: Serve did not start") if count < 3 else None
    assert run("deploy", "--yes") == 0
    assert len(dashboard.put) == 3


def test_a_description_that_is_refused_is_no_revision(
    run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture
) -> None:
    dashboard.refuse = lambda _: (400, "ValueError: no such option")
    assert run("deploy", "--yes") == 1
    assert "no such option" in capsys.readouterr().err
    assert Revisions(registry.objects, "plates").numbers() == []


def test_the_lock_of_someone_else(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    with Lock(registry.objects, "plates", "ada@laptop"):
        assert run("deploy", "--yes") == 1
    assert "ada@laptop changes this deployment just now" in capsys.readouterr().err
    assert dashboard.put == []
    assert run("deploy", "--yes") == 0


def test_applications_of_others_are_left_alone(run: Run, dashboard: Dashboard) -> None:
    dashboard.start_foreign("shop")
    foreign = dashboard.described("shop")
    assert run("deploy", "--yes") == 0
    assert dashboard.names() == ["shop", "yolov3"] and dashboard.described("shop") == foreign
    assert run("delete", "--yes") == 0
    assert dashboard.names() == ["shop"] and dashboard.shut_down == 0


def test_deployments_on_one_cluster_leave_each_other_alone(
    run: Run, settings_file: Callable[..., Path], models: Path, dashboard: Dashboard, capsys: Capture
) -> None:
    """As `run` and `others` deploy in turn, each by settings with a name of its own."""

    def others(command: str, *options: str, **settings: Any) -> int:
        content = json.loads(settings_file(**settings).read_text())
        file = models.parent / "others.yaml"
        file.write_text(json.dumps({**content, "name": "others"}))
        folder = ["--models", str(models)] if command == "deploy" else []
        return main([command, *options, "--config", str(file), *folder])

    assert run("deploy", "--yes", yolov3={}) == 0
    assert others("deploy", "--yes", crnn={}) == 0
    first, second = dashboard.described("yolov3"), dashboard.described("crnn")
    assert run("deploy", "--yes", yolov3={"queue": 5}) == 0
    assert run("rollback", "--yes") == 0
    assert (dashboard.described("yolov3"), dashboard.described("crnn")) == (first, second)
    capsys.readouterr()
    assert others("status", "--quick", "--json", crnn={}) == 0
    told = json.loads(capsys.readouterr().out)
    assert [api["name"] for api in told["apis"]] == ["crnn"] and told["revision"]["is_what_runs"]
    applied = len(dashboard.put)
    for option in ("--plan", "--yes"):
        assert others("deploy", option, crnn={}, yolov3={}) == 1
        assert "/yolov3 is taken on this cluster by the deployment plates" in capsys.readouterr().err
    assert len(dashboard.put) == applied
    assert others("delete", "yolov3", "--yes") == 2
    assert others("delete", "--yes") == 0
    assert dashboard.names() == ["yolov3"] and dashboard.described("yolov3") == first


def test_what_others_put_there_during_a_rollout_stays_when_it_is_put_back(run: Run, dashboard: Dashboard) -> None:
    assert run("deploy", "--yes") == 0
    before = dashboard.described("yolov3")

    def fails(described: dict[str, Any]) -> str | None:
        if described.get("args", {}).get("threads") != 2:
            return None
        dashboard.start_foreign("shop")
        return "OSError: no"

    dashboard.judge = fails
    assert run("deploy", "--yes", yolov3={"threads": 2}) == 1
    assert dashboard.names() == ["shop", "yolov3"] and dashboard.described("yolov3") == before


def test_an_application_of_others_that_is_called_as_an_api(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    dashboard.start_foreign("yolov3")
    assert run("deploy", "--yes") == 1
    assert "/yolov3 is taken on this cluster by the application yolov3" in capsys.readouterr().err
    assert run("delete", "yolov3", "--yes") == 2
    assert dashboard.put == [] and dashboard.shut_down == 0


def test_applications_that_name_no_deployment_are_taken_over(run: Run, dashboard: Dashboard) -> None:
    assert run("deploy", "--yes") == 0
    del dashboard.described("yolov3")["runtime_env"]["env_vars"]
    assert run("deploy", "--yes") == 0
    assert owner(dashboard.described("yolov3")) == "plates" and len(dashboard.put) == 2


def test_delete_one_then_all_then_back(run: Run, dashboard: Dashboard, registry: Registry, capsys: Capture) -> None:
    apis: dict[str, Any] = {"yolov3": {}, "crnn": {}}
    assert run("deploy", "--yes", **apis) == 0
    assert run("delete", "crnn", "--yes") == 0
    assert dashboard.names() == ["yolov3"]
    assert run("delete", "crnn", "--yes") == 2
    assert "crnn does not run; what runs: yolov3" in capsys.readouterr().err
    assert run("delete", "other", "--yes") == 2
    assert run("delete", "--yes") == 0
    assert dashboard.names() == [] and dashboard.shut_down == 1
    assert "nothing runs (revision 3)" in capsys.readouterr().out
    assert run("rollback", "--yes") == 0
    assert dashboard.names() == ["yolov3"]
    assert run("rollback", "3", "--yes") == 1
    assert "is a deletion" in capsys.readouterr().err
    reasons = [revision.reason for revision in Revisions(registry.objects, "plates").newest_first()]
    assert reasons == ["rollback to 2", "delete yolov3", "delete crnn", "deploy"]


def test_serve_that_listens_elsewhere_is_not_told(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    assert run("deploy", "--yes") == 0
    assert run("deploy", "--yes", target={"http_port": 1234}) == 2
    assert f"Serve listens on 127.0.0.1:{dashboard.port}" in capsys.readouterr().err


def test_serve_that_listens_elsewhere_can_be_looked_at_and_ended(
    run: Run, dashboard: Dashboard, capsys: Capture
) -> None:
    apis: dict[str, Any] = {"yolov3": {}, "crnn": {}}
    elsewhere = {"http_port": 1234}
    assert run("deploy", "--yes", **apis) == 0
    capsys.readouterr()
    assert run("status", "--quick", "--json", target=elsewhere) == 0
    told = json.loads(capsys.readouterr().out)
    assert f"http://127.0.0.1:{dashboard.port}/yolov3" in [api["endpoint"] for api in told["apis"]]
    assert run("delete", "crnn", "--yes", target=elsewhere) == 0
    assert dashboard.put[-1]["http_options"]["port"] == dashboard.port
    assert f"yolov3_endpoint: http://127.0.0.1:{dashboard.port}/yolov3\n" in capsys.readouterr().out
    assert run("delete", "--yes", target=elsewhere) == 0
    assert dashboard.names() == []
    assert run("deploy", "--plan", target=elsewhere) == 0


def test_the_public_url_is_what_devices_are_told(run: Run, dashboard: Dashboard, capsys: Capture) -> None:
    public = {"public_url": "https://plates.example.org/"}
    assert run("deploy", "--yes", target=public) == 0
    told = capsys.readouterr().out
    assert "  yolov3_endpoint: https://plates.example.org/yolov3\n" in told and str(dashboard.port) not in told
    assert run("status", "--quick", target=public) == 0
    assert "yolov3_endpoint: https://plates.example.org/yolov3" in capsys.readouterr().out


def test_a_catalogue_goes_with_the_code(
    settings_file: Callable[..., Path], models: Path, dashboard: Dashboard, tmp_path: Path, capsys: Capture
) -> None:
    own, file = tmp_path / "cars.csv", settings_file()
    own.write_text(
        "make,model,fact,value,currency,date,scope,source\nacme,rocket,fuels,hydrogen,,,,https://example.org\n"
    )
    file.write_text(json.dumps({**json.loads(file.read_text()), "catalogue": str(own)}))
    options = ["deploy", "--yes", "--config", str(file), "--models", str(models)]
    assert main([*options, "--installed"]) == 2
    assert "--installed sends none" in capsys.readouterr().err
    assert main(options) == 0
    assert dashboard.described("yolov3")["runtime_env"]["working_dir"].endswith(code_key(code_archive(own).sha256))
    own.write_text(own.read_text().replace("fuels", "wings"))
    assert main(options) == 2
    assert "error: catalogue: " in capsys.readouterr().err and len(dashboard.put) == 1


def test_installed_code_is_not_sent(run: Run, dashboard: Dashboard, registry: Registry) -> None:
    assert run("deploy", "--yes", "--installed") == 0
    assert "working_dir" not in dashboard.described("yolov3")["runtime_env"]
    assert list(registry.objects.keys("code/")) == []
    assert next(Revisions(registry.objects, "plates").newest_first()).content.code is None
