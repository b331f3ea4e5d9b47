"""The address and the secret of an HTTP service."""

import pytest
import requests

from winback.config import RestSystem
from winback.errors import WinbackError
from winback.http_service import base_and_auth

SYSTEM = RestSystem(connector="rest", connection="desk", time_zone="Asia/Shanghai")


def sent_headers(url: str, system: RestSystem = SYSTEM) -> dict[str, str]:
    base, auth = base_and_auth(url, system)
    request = requests.Request("GET", base, auth=auth).prepare()
    assert request.url is not None
    assert "@" not in request.url
    return dict(request.headers)


@pytest.mark.parametrize(
    ("url", "header", "system"),
    [
        ("https://:a%2Fb@host", ("Authorization", "Bearer a/b"), SYSTEM),
        ("https://user:pa%40ss@host:8443/v2/", ("Authorization", "Basic dXNlcjpwYUBzcw=="), SYSTEM),
        ("https://客:pw@host", ("Authorization", "Basic 5a6iOnB3"), SYSTEM),
        ("https://:key@host", ("X-Api-Key", "key"), SYSTEM.model_copy(update={"token_header": "X-Api-Key"})),
    ],
)
def test_the_urls_secret_becomes_a_header(url, header, system):
    assert header in sent_headers(url, system).items()


def test_a_url_without_a_secret_sends_none():
    assert sent_headers("http://127.0.0.1:8080/api") == {}


@pytest.mark.parametrize(
    "url", ["ftp://:t0ken@host", "desk", "https://:t0ken@", "https://:t0ken@host:port", ""]
)
def test_what_is_no_http_url_is_refused_without_quoting_it(url):
    with pytest.raises(WinbackError, match="connection desk: no URL of an HTTP service") as caught:
        base_and_auth(url, SYSTEM)
    assert "t0ken" not in str(caught.value)
