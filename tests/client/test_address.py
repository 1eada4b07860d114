import pytest

from exgs.client.address import endpoint_url
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
def test_addresses(given: str, meant: str):
    assert endpoint_url(given) == meant


@pytest.mark.parametrize(
    "url", ["", "ftp://host", "http://", "http://host:99999", "http://[::1", "/scene.ugc"]
)
def test_what_is_no_address(url: str):
    with pytest.raises(ClientError, match="expected an address"):
        endpoint_url(url)
