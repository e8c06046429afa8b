import pytest

from videos.api.context import client_ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "expected"),
    [
        ([], "203.0.113.9", "198.51.100.1", "198.51.100.1"),
        (["198.51.100.1"], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["198.51.100.0/24"], "6.6.6.6, 203.0.113.9, 198.51.100.7", "198.51.100.1", "203.0.113.9"),
        (["198.51.100.1"], "203.0.113.9", "192.0.2.77", "192.0.2.77"),
        (["198.51.100.1"], "", "198.51.100.1", "198.51.100.1"),
        (["198.51.100.1"], "nonsense", "198.51.100.1", "198.51.100.1"),
        (["::1"], "2001:db8::5", "::1", "2001:db8::5"),
        (["198.51.100.1"], "203.0.113.9", "::ffff:198.51.100.1", "203.0.113.9"),
        ([], "", "", ""),
    ],
)
def test_the_right_most_address_that_is_no_trusted_proxy_counts(rf, settings, proxies, forwarded, remote, expected):
    settings.VIDEO_TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR=remote, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}))
    assert client_ip(request) == expected
