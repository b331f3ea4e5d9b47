"""Robots of group chats: they post the headline of a report, once, and say what became of it.

DingTalk, WeCom and Feishu answer 200 also where they refuse a message, with the reason in the answer.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
from urllib3.exceptions import NewConnectionError

from winback.report.mail_server import NotSent, Refused, Unknown

Service = Literal["dingtalk", "wecom", "feishu"]

_TIMEOUT_SECONDS = 30
_CODES = ("errcode", "code", "StatusCode")  # of the answer; 0 says that the message was taken
_REASONS = ("errmsg", "msg", "StatusMessage")


@dataclass(frozen=True)
class Robot:
    """A robot by its webhook's URL, after whose `#` stands the secret that it signs with, if any."""

    service: Service
    url: str = field(repr=False)

    def post(self, text: str) -> None:
        """Post a text to the group; Refused, NotSent or Unknown say how it ended otherwise."""
        address, _, secret = self.url.partition("#")
        query, body = _SERVICES[self.service](text, secret)
        try:
            answer = requests.post(
                address, params=query, json=body, timeout=_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:  # its text holds the URL, which is a secret
            if isinstance(error, requests.ConnectTimeout) or _was_not_connected(error):
                raise NotSent("the group's service cannot be reached") from None
            raise Unknown(f"the group's service broke off ({type(error).__name__})") from None
        _look_at(answer)


def _look_at(answer: requests.Response) -> None:
    if answer.status_code >= requests.codes.server_error:
        raise Unknown(f"the group's service answered {answer.status_code}")
    if answer.status_code != requests.codes.ok:
        raise Refused(f"the group's service answered {answer.status_code}")
    try:
        said: dict[str, Any] = answer.json()
        code = next(said[name] for name in _CODES if name in said)
    except (ValueError, TypeError, StopIteration):
        raise Unknown("the group's service answered in words of its own") from None
    if code != 0:
        reason = next((str(said[name]) for name in _REASONS if name in said), "no reason given")
        raise Refused(f"{code} {reason[:200]}")


def _was_not_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _dingtalk(text: str, secret: str) -> tuple[dict[str, str], dict[str, Any]]:
    stamp = str(round(time.time() * 1000))
    sign = _signed(secret.encode(), f"{stamp}\n{secret}".encode())
    return {"timestamp": stamp, "sign": sign} if secret else {}, {
        "msgtype": "text",
        "text": {"content": text},
    }


def _wecom(text: str, secret: str) -> tuple[dict[str, str], dict[str, Any]]:
    return {}, {"msgtype": "text", "text": {"content": text}}


def _feishu(text: str, secret: str) -> tuple[dict[str, str], dict[str, Any]]:
    stamp = str(round(time.time()))
    signature = {"timestamp": stamp, "sign": _signed(f"{stamp}\n{secret}".encode(), b"")} if secret else {}
    return {}, {**signature, "msg_type": "text", "content": {"text": text}}


def _signed(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


_SERVICES: Mapping[Service, Callable[[str, str], tuple[dict[str, str], dict[str, Any]]]] = {
    "dingtalk": _dingtalk,
    "wecom": _wecom,
    "feishu": _feishu,
}
