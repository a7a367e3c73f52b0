"""Nobody makes us call our own network, wait for ever, or read without end."""

import shutil
import socket
import ssl
import subprocess
import threading
from ipaddress import ip_address

import pytest

from automations.outbound import LONGEST_ANSWER, Refused, Unreachable, is_public, post, read_url
from tests.automations.receiver import listening

OURS = """
    http://127.0.0.1 http://localhost http://0.0.0.0 http://[::1] http://[::] http://2130706433 http://0x7f000001
    http://0177.0.0.1 http://127.1 http://0x7f.1 http://127.0.0.1. http://LOCALHOST http://api.localhost
    http://printer.local http://db.internal http://intranet http://10.1.2.3 http://172.16.0.1 http://172.31.255.255
    http://192.168.0.1 http://169.254.169.254 http://100.64.0.1 http://192.0.0.1 http://192.88.99.1 http://198.18.0.1
    http://224.0.0.1 http://240.0.0.1 http://255.255.255.255 http://[fe80::1] http://[fec0::1] http://[fc00::1]
    http://[fd00:ec2::254] http://[ff02::1] http://[::ffff:127.0.0.1] http://[::ffff:8.8.8.8] http://[::127.0.0.1]
    http://[64:ff9b::7f00:1] http://[64:ff9b:1::7f00:1] http://[2002:7f00:1::] http://[2001:0:7f00:1::] http://[3fff::1]
    http://[5f00::1] http://[100::1] http://[fe80::1%25lo]
""".split()

ODD = [
    "",
    "example.com",
    "//example.com",
    "file:///etc/passwd",
    "gopher://example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://user:secret@example.com",
    "https://@example.com",
    "https://example.com/#part",
    "https://example.com/a b",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com",
    "https://exämple.com",
    "https://example。com",
    "https://[example.com]/",
    "https://[::1",
    "https://exa%6dple.com",
    "https://127%2e0.0.1",
    "https://example..com",
    "https://-example.com",
    "https://example.com:22",
    "https://example.com:99999",
    "https://example.com:x",
    "https://example.com\r\nHost: other",
    "https://example.com\t/",
    "https://" + "a" * 2000 + ".com",
]


@pytest.fixture(autouse=True)
def _http_is_fine(settings):
    settings.OUTBOUND_HTTP = True


def leads_to(*addresses):
    """Return a resolver that knows one answer."""
    return lambda host, port: list(addresses)


# Where we do not go -----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", OURS)
def test_addresses_of_our_own_network_are_refused_before_anything_is_looked_up(url):
    def never(host, port):
        raise AssertionError("looked up")

    with pytest.raises(Refused):
        post(url, b"{}", {}, resolve=never)


@pytest.mark.parametrize("url", ODD)
def test_what_is_no_plain_web_address_is_refused_in_words(url):
    with pytest.raises(Refused) as refusal:
        read_url(url)
    assert str(refusal.value).endswith((".", "/hook"))


@pytest.mark.parametrize("url", [each for each in OURS if "[" not in each])
def test_a_name_that_leads_there_is_refused_too(url):
    try:
        address = socket.inet_ntoa(socket.inet_aton(url.removeprefix("http://").rstrip(".")))
    except OSError:
        address = "127.0.0.1"
    with pytest.raises(Refused, match="private network"):
        post("http://hooks.example.com/", b"{}", {}, resolve=leads_to(address))


def test_one_private_address_among_public_ones_makes_the_whole_name_suspect():
    with pytest.raises(Refused):
        post("http://hooks.example.com/", b"{}", {}, resolve=leads_to("93.184.216.34", "10.0.0.1"))


def test_public_addresses_are_public():
    assert all(is_public(ip_address(each)) for each in ("93.184.216.34", "8.8.8.8", "2606:4700:4700::1111"))


def test_without_encryption_only_where_the_operator_allows_it(settings):
    settings.OUTBOUND_HTTP = False
    with pytest.raises(Refused, match="https"):
        read_url("http://example.com/")
    settings.OUTBOUND_ALLOWED_HOSTS = ["erp.intranet"]
    assert read_url("http://erp.intranet/").is_ours


def test_other_ports_only_where_the_operator_allows_them(settings):
    with pytest.raises(Refused, match="8443"):
        read_url("https://example.com:8443/")
    settings.OUTBOUND_PORTS = [8443]
    assert read_url("https://example.com:8443/in?x=1").authority == "example.com:8443"


def test_a_name_is_looked_up_once_and_what_was_checked_is_what_is_called(receiver, settings):
    """Rebinding has nothing to gain: there is no second look at the name, which here would find nothing."""
    settings.OUTBOUND_ALLOWED_HOSTS = ["rebind.example.com"]
    answers = [["127.0.0.1"]]
    answer = post(f"http://rebind.example.com:{receiver.port}/", b"{}", {}, resolve=lambda *_: answers.pop())
    assert (answer.status, receiver.connections, answers) == (200, 1, [])
    assert receiver.got[0].headers["Host"] == f"rebind.example.com:{receiver.port}"


def test_an_allowed_host_is_allowed_with_its_port_alone(receiver, settings):
    other = f"http://127.0.0.1:{receiver.port + 1}/"
    with pytest.raises(Refused):
        post(other, b"{}", {})


def test_the_environments_proxy_is_not_asked(receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert post(receiver.url, b"{}", {}).status == 200


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-C: d"}, {"X A": "b"}, {"X-A": "\u00e9"}, {"": "b"}])
def test_a_header_cannot_smuggle_another(receiver, headers):
    with pytest.raises(Refused):
        post(receiver.url, b"{}", headers)
    assert not receiver.connections


# What comes back --------------------------------------------------------------------------------------


def test_what_is_posted_arrives_as_it_is(receiver):
    answer = post(f"{receiver.url}/in?a=1", b'{"a": 1}', {"Content-Type": "application/json"})
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["Content-Type"]) == ("/in?a=1", b'{"a": 1}', "application/json")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert (answer.status, answer.text, answer.is_success) == (200, "thanks", True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver, status):
    receiver.answers = [(status, {"Location": f"{receiver.url}/elsewhere"}, "")]
    answer = post(receiver.url, b"{}", {})
    assert (answer.status, answer.is_success, len(receiver.got)) == (status, False, 1)


def test_a_huge_answer_is_cut(receiver):
    receiver.endless = True
    answer = post(receiver.url, b"{}", {})
    assert (answer.status, len(answer.text)) == (200, LONGEST_ANSWER)


def test_an_answer_that_drips_costs_no_more_than_its_time(receiver):
    receiver.drip, receiver.answers = 0.1, [(200, {}, "x" * 1000)]
    assert post(receiver.url, b"{}", {}, seconds=0.5).status == 200


def speaking(*parts, wait=None):
    """Return the URL of a server that sends raw bytes, and never closes by itself."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    return
                if wait:
                    wait.wait(0.05)
            (wait or threading.Event()).wait(5)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}", server


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"H"] * 200,
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200,
    ],
    ids=["silence", "status", "headers", "continue"],
)
def test_what_drips_before_the_answer_is_cut_by_the_clock(settings, parts):
    wait = threading.Event()
    url, server = speaking(*parts, wait=wait)
    settings.OUTBOUND_ALLOWED_HOSTS = [url.removeprefix("http://")]
    with server, pytest.raises(Unreachable) as failure:
        post(url, b"{}", {}, seconds=0.4)
    wait.set()
    assert failure.value.slow


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Header: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000,
    ],
    ids=["another protocol", "many headers", "a long header"],
)
def test_what_is_no_http_is_no_answer(settings, said):
    url, server = speaking(said)
    settings.OUTBOUND_ALLOWED_HOSTS = [url.removeprefix("http://")]
    with server, pytest.raises(Unreachable, match="HTTP"):
        post(url, b"{}", {}, seconds=3)


def test_nobody_there_is_said_in_words(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{port}"]
    with pytest.raises(Unreachable, match="refused"):
        post(f"http://127.0.0.1:{port}", b"{}", {})


def test_a_name_nobody_has_is_said_in_words():
    def unknown(host, port):
        raise socket.gaierror

    with pytest.raises(Unreachable, match="no such host"):
        post("http://nowhere.example.com", b"{}", {}, resolve=unknown)


def test_a_slow_look_up_is_not_waited_for():
    held = threading.Event()
    with pytest.raises(Unreachable, match="looked up"):
        post("http://slow.example.com", b"{}", {}, resolve=lambda *_: held.wait(5), seconds=0.2)
    held.set()


# TLS --------------------------------------------------------------------------------------------------

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="makes certificates with openssl")


def certificate(folder, name, days="1"):
    """Return a server's TLS context and the file of its self-made certificate for a name."""
    key, made = folder / "key.pem", folder / "certificate.pem"
    ask = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days {days} -subj /CN={name}"
    subprocess.run(
        ["openssl", *ask.split(), "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(made)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return context, made


@needs_openssl
def test_a_certificate_nobody_vouches_for_is_refused(tmp_path, settings):
    context, _ = certificate(tmp_path, "hooks.example.com")
    with listening(context) as receiver:
        settings.OUTBOUND_ALLOWED_HOSTS = ["hooks.example.com"]
        with pytest.raises(Unreachable, match="certificate"):
            post(f"https://hooks.example.com:{receiver.port}/", b"{}", {}, resolve=leads_to("127.0.0.1"))
    assert not receiver.got


@needs_openssl
def test_the_certificate_must_be_the_names_though_the_address_is_called(tmp_path, settings, monkeypatch):
    context, made = certificate(tmp_path, "hooks.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    settings.OUTBOUND_ALLOWED_HOSTS = ["hooks.example.com", "other.example.com"]
    with listening(context) as receiver:
        answer = post(f"https://hooks.example.com:{receiver.port}/", b"{}", {}, resolve=leads_to("127.0.0.1"))
        assert answer.status == 200
        assert receiver.got[0].headers["Host"] == f"hooks.example.com:{receiver.port}"
        with pytest.raises(Unreachable, match="certificate"):
            post(f"https://other.example.com:{receiver.port}/", b"{}", {}, resolve=leads_to("127.0.0.1"))
