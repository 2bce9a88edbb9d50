"""Talking to AWS, with messages that say what to do when it refuses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config

from deploy.errors import AccessError, ClusterError, UnreachableError

_CONNECT_S, _READ_S = 5, 30
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN = ("InvalidClientTokenId", "AuthFailure", "SignatureDoesNotMatch", "UnrecognizedClientException")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def client(service: str, region: str) -> Any:
    """A client of one service; the endpoint is that of the environment (AWS_ENDPOINT_URL), if it names one."""
    config = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        retries={"max_attempts": 4, "mode": "standard"},
        user_agent_extra="plate-dashcam",
    )
    with explained():
        # A session of its own: boto3's shared one goes on with credentials that the environment no longer has.
        return boto3.Session().client(service, region_name=region, config=config)


def check_credentials(region: str) -> str:
    """The account that the credentials belong to; raises `AccessError` when there are none or they are refused."""
    with explained():
        return str(client("sts", region).get_caller_identity()["Account"])


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what boto3 raises into one line that says what to do; keys and tokens never stand in it."""
    try:
        yield
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
        raise AccessError(
            "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or run `aws configure`"
        ) from error
    except (botocore.exceptions.ProfileNotFound, botocore.exceptions.TokenRetrievalError) as error:
        raise AccessError(f"AWS credentials: {error}; run `aws configure` or `aws sso login`") from error
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _EXPIRED:
            message = "the AWS credentials have expired: get new ones (such as `aws sso login`)"
        elif code in _UNKNOWN:
            message = "AWS does not know these credentials: check the profile or AWS_ACCESS_KEY_ID"
        elif code in _DENIED:
            message = f"AWS allows the credentials no {error.operation_name}: attach the stack's OperatorPolicies"
        else:
            raise ClusterError(f"AWS refused {error.operation_name} ({code})") from error
        raise AccessError(message) from error
    except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as error:
        raise UnreachableError("AWS does not answer: check the network, the region and AWS_ENDPOINT_URL") from error
    except botocore.exceptions.BotoCoreError as error:
        raise ClusterError(f"AWS: {error}") from error
