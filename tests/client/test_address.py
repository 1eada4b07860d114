"""Where a server is, and what lies beside its WHEP endpoint."""

import pytest

from exgs.client.address import beside, endpoint_url
from exgs.client.errors import ClientError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://host:8080", "http://host:8080/whep"),
        ("host:8080", "http://host:8080/whep"),
        ("https://host/", "https://host/whep"),
        ("https://host/whep/room", "https://host/whep/room"),
        ("http://[::1]:8080", "http://[::1]:8080/whep"),
    ],
)
def test_addresses(given: str, meant: str) -> None:
    assert endpoint_url(given) == meant


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "http://", "http://host:99999", "http://[::1", "/scene.ugc"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ClientError, match="expected an address"):
        endpoint_url(url)


@pytest.mark.parametrize(
    ("url", "scene", "found"),
    [
        ("host:8080", None, "http://host:8080/scenes"),
        ("https://host/whep/room", None, "https://host/scenes/room"),
        ("https://host/whep/room", "my hall", "https://host/scenes/my%20hall"),
        ("http://host/below/whep?token=a", "hall", "http://host/below/scenes/hall?token=a"),
        ("http://host/elsewhere", None, None),
        ("http://host/whepper", None, None),
    ],
)
def test_what_lies_beside_an_endpoint(url: str, scene: str | None, found: str | None) -> None:
    assert beside(url, "/scenes", scene) == found
