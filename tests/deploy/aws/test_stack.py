"""The CloudFormation template, by AWS's own linter and by what must not be in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

import deploy.aws
from deploy.settings import AwsTarget
from deploy.settings.aws import STACK_PORT
from tests.deploy.aws.conftest import REGION

STACK = Path(deploy.aws.__file__).parent / "stack.yaml"


def test_the_linter_accepts_the_template() -> None:
    api = pytest.importorskip("cfnlint.api", reason="the dev extra is not installed")
    assert [str(problem) for problem in api.lint_file(STACK)] == []


def test_no_policy_allows_everything() -> None:
    text = STACK.read_text(encoding="utf-8")
    allowed = [line.strip() for line in text.splitlines() if "Action:" in line and "*" in line]
    assert allowed == ["Action: s3:*"]  # the one that denies plain HTTP
    assert "Effect: Deny" in text
    assert "AdministratorAccess" not in text and "FullAccess" not in text


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, !Ref and the like, as the plain value behind them."""


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short)


def _template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(STACK.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def _statements() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for resource in _template()["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            found += properties["PolicyDocument"]["Statement"]
        for policy in properties.get("Policies", ()):
            found += policy["PolicyDocument"]["Statement"]
    return found


def test_what_changes_things_names_what_it_changes() -> None:
    statements = _statements()
    assert len(statements) > 10
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if statement["Resource"] != "*":
            continue
        for action in actions:  # that have no resources of their own
            service, _, verb = action.partition(":")
            assert verb.startswith("Describe") or service == "ssmmessages" or action == "ssm:UpdateInstanceInformation"


def test_machines_are_started_as_the_launcher_describes_them_alone() -> None:
    conditions: dict[str, set[str]] = {}
    for statement in _statements():
        if statement["Action"] != "ec2:RunInstances":
            continue
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in (one for one in resources if isinstance(one, str)):  # without the values of !Sub
            name = resource.rpartition(":")[2]
            stated = statement.get("Condition", {}).values()
            conditions[name] = {key for each in stated for key in each}
    assert conditions == {
        "instance/*": {"aws:RequestTag/ray-cluster-name", "ec2:MetadataHttpTokens", "ec2:InstanceProfile"},
        "volume/*": {"ec2:Encrypted"},
        "security-group/${Group}": set(),
        "subnet/*": {"ec2:SubnetID"},
        "network-interface/*": {"ec2:Vpc", "ec2:AssociatePublicIpAddress"},
        # Whatever they are, what is started of them is as above; the settings choose among them.
        "image/*": set(),
        "key-pair/*": set(),
        "spot-instances-request/*": set(),
    }
    (profiles,) = [
        statement["Condition"]["ArnEquals"]["ec2:InstanceProfile"]
        for statement in _statements()
        if "ec2:InstanceProfile" in statement.get("Condition", {}).get("ArnEquals", {})
    ]
    assert profiles == ["HeadProfile.Arn", "WorkerProfile.Arn"]


def test_machines_are_open_to_the_load_balancer_and_each_other_alone() -> None:
    resources = _template()["Resources"]
    assert "SecurityGroupIngress" not in resources["MachinesGroup"]["Properties"]
    sources = {
        name: (one["Properties"]["SourceSecurityGroupId"], one["Properties"].get("ToPort"))
        for name, one in resources.items()
        if one["Type"] == "AWS::EC2::SecurityGroupIngress"
    }
    assert sources == {"FromBalancer": ("BalancerGroup", STACK_PORT), "AmongMachines": ("MachinesGroup", None)}
    assert resources["Machines"]["Properties"]["Port"] == STACK_PORT
    open_to_all = [
        (name, rule["ToPort"])
        for name, one in resources.items()
        for rule in one.get("Properties", {}).get("SecurityGroupIngress", ())
        if "CidrIp" in rule
    ]
    assert open_to_all == [("BalancerGroup", 443)]


def test_ec2_takes_the_descriptions_of_groups_and_rules() -> None:
    told: dict[str, str] = {}
    for name, one in _template()["Resources"].items():
        properties = one.get("Properties", {})
        if not one["Type"].startswith("AWS::EC2::SecurityGroup"):
            continue
        told |= {f"{name}.{key}": properties[key] for key in ("GroupDescription", "Description") if key in properties}
        for way in ("SecurityGroupIngress", "SecurityGroupEgress"):
            for number, rule in enumerate(properties.get(way, ())):
                told[f"{name}.{way}.{number}"] = rule["Description"]
    assert len(told) >= 7
    allowed = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
    assert [where for where, text in told.items() if not allowed.fullmatch(text)] == []


@pytest.mark.filterwarnings("ignore:Tried to parse AWS")
def test_a_stack_made_from_it_fits_the_settings(aws: Any, stated: dict[str, Any]) -> None:
    network = aws.describe_subnets(SubnetIds=stated["subnets"])["Subnets"][0]["VpcId"]
    subnets = ",".join(stated["subnets"])
    formation = boto3.client("cloudformation", region_name=REGION)
    acm = boto3.client("acm", region_name=REGION)
    certificate = acm.request_certificate(DomainName="plates.example.org")["CertificateArn"]
    parameters = {
        "VpcId": network, "PublicSubnets": subnets, "PrivateSubnets": subnets, "CertificateArn": certificate,
    }  # fmt: skip
    formation.create_stack(
        StackName=f"s-{network[-8:]}",
        TemplateBody=STACK.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    (stack,) = formation.describe_stacks(StackName=f"s-{network[-8:]}")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    made_of = formation.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made_of}
    iam = boto3.client("iam", region_name=REGION)
    attached = iam.list_attached_role_policies(RoleName=names["HeadRole"])["AttachedPolicies"]
    assert names["RunMachines"] in [one["PolicyArn"] for one in attached]
    # Each output says in its description which key of the settings it is the value of.
    told = {one["Description"].removeprefix("target."): one["OutputValue"] for one in stack["Outputs"]}
    made = {key: value for key, value in told.items() if key in AwsTarget.model_fields}
    assert set(made) == {"head_instance_profile", "worker_instance_profile", "security_group", "target_group"}
    AwsTarget.model_validate(stated | made)
