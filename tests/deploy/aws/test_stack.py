"""The CloudFormation template, by AWS's own linter and by what must not be in it."""

from __future__ import annotations

from pathlib import Path

import pytest

import deploy.aws

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
