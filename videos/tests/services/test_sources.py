import pytest

from videos.services.errors import InvalidRequest
from videos.services.sources import check_source


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/a.mp4", "source_url_invalid"),
        ("file:///etc/passwd", "source_url_invalid"),
        ("https://", "source_url_invalid"),
        ("https://user:secret@1.1.1.1/a.mp4", "source_url_invalid"),
        ("https://@1.1.1.1/a.mp4", "source_url_invalid"),
        ("https://1.1.1.1:22/a.mp4", "source_url_invalid"),
        ("https://1.1.1.1:99999/a.mp4", "source_url_invalid"),
        ("https://1.1.1.1\\@127.0.0.1/a.mp4", "source_url_invalid"),
        ("https://1.1.1.1/a\n.mp4", "source_url_invalid"),
        ("https://no-such-name.invalid/a.mp4", "source_url_invalid"),
        ("http://127.0.0.1/a.mp4", "source_url_private"),
        ("http://localhost/a.mp4", "source_url_private"),
        ("http://2130706433/a.mp4", "source_url_private"),
        ("http://0x7f.1/a.mp4", "source_url_private"),
        ("http://10.1.2.3/a.mp4", "source_url_private"),
        ("http://169.254.169.254/latest/meta-data/", "source_url_private"),
        ("http://0.0.0.0/a.mp4", "source_url_private"),
        ("http://100.64.0.1/a.mp4", "source_url_private"),
        ("http://224.0.0.1/a.mp4", "source_url_private"),
        ("http://[::1]/a.mp4", "source_url_private"),
        ("http://[fd00::1]/a.mp4", "source_url_private"),
        ("http://[fe80::1]/a.mp4", "source_url_private"),
        ("http://[::ffff:127.0.0.1]/a.mp4", "source_url_private"),
        ("http://[64:ff9b::7f00:1]/a.mp4", "source_url_private"),
        ("http://[2002:7f00:1::]/a.mp4", "source_url_private"),
        ("http://[::127.0.0.1]/a.mp4", "source_url_private"),
        ("http://[::ffff:0:127.0.0.1]/a.mp4", "source_url_private"),
        ("http://[64:ff9b:1::7f00:1]/a.mp4", "source_url_private"),
        ("http://[fec0::1]/a.mp4", "source_url_private"),
    ],
)
def test_an_address_that_is_no_public_web_address_is_refused(url, code):
    with pytest.raises(InvalidRequest) as refusal:
        check_source(url)
    assert (refusal.value.code, refusal.value.attr) == (code, "source_url")


@pytest.mark.parametrize("url", ["https://1.1.1.1/a.mp4", "http://8.8.8.8:8080/b?c=d", "https://[2606:4700::1111]/a"])
def test_a_public_address_passes(url):
    check_source(url)


def test_a_named_private_host_passes_on_any_port(settings):
    settings.VIDEO_IMPORT_PRIVATE_HOSTS = ["127.0.0.1"]
    check_source("http://127.0.0.1:40001/a.mp4")
