import datetime
import ipaddress
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from videos.providers import http
from videos.providers.exceptions import ProviderUnavailable
from videos.tests.providers.stranger import drip, stranger
from videos.tests.providers.test_http import QUICK, failure_of, make_call


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file that holds a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure_host(certificate):
    """Serves each connection over TLS with what the test puts into `serve`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(host, connection):
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            host.serve(host, secured)

    with stranger(behave, reads_first=False) as host:
        host.url = host.url.replace("http://", "https://")
        yield host


def trust(call, certificate):
    http._traffic.session(call.origin).verify = str(certificate)
    return call


def test_an_answer_comes_over_tls(secure_host, certificate):
    secure_host.serve = lambda host, secured: secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert http.fetch_json(trust(make_call(secure_host.url), certificate)) == {}


def test_a_stranger_s_certificate_is_refused(secure_host):
    secure_host.serve = lambda host, secured: secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert type(failure_of(make_call(secure_host.url))) is ProviderUnavailable


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_dripping_over_tls_ends_at_the_deadline(secure_host, certificate, start):
    def serve(host, secured):
        secured.sendall(start)
        drip(host, secured, b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 1000)

    secure_host.serve = serve
    started = time.monotonic()
    failure = failure_of(trust(make_call(secure_host.url), certificate))
    assert (failure.code, time.monotonic() - started < QUICK.total_s + 0.6) == ("host_timeout", True)


def test_a_handshake_that_never_comes_ends_at_the_deadline():
    def keep_silent(host, connection):
        host.pause(10)

    with stranger(keep_silent, reads_first=False) as host:
        started = time.monotonic()
        failure = failure_of(make_call(host.url.replace("http://", "https://")))
        assert (failure.code, time.monotonic() - started < QUICK.total_s + 0.6) == ("host_timeout", True)
