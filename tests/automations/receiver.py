"""A stranger's server, on this machine: keeps what it is sent and answers as a test tells it to."""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request that came in."""

    path: str
    headers: dict
    body: bytes


@dataclass
class Receiver:
    """Where it listens, what it got, and what it says: each answer is (status, headers, text), the last one stays."""

    url: str
    got: list = field(default_factory=list)
    answers: list = field(default_factory=lambda: [(200, {}, "thanks")])
    connections: int = 0
    drip: float = 0  # seconds between two bytes of an answer
    endless: bool = False
    vanishes: bool = False  # takes what it is sent and hangs up

    @property
    def port(self) -> int:
        """Return its port."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def listening(context=None):
    """Run a receiver, over TLS when a context is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(Got(self.path, dict(self.headers), body))
            if receiver.vanishes:
                self.close_connection = True
                return
            status, headers, text = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            said = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not receiver.endless:
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self._say(said)

        def _say(self, said):
            while receiver.endless:
                self.wfile.write(b"x" * 65536)
            if not receiver.drip:
                self.wfile.write(said)
            for at in range(len(said) if receiver.drip else 0):
                self.wfile.write(said[at : at + 1])
                time.sleep(receiver.drip)

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def verify_request(self, *args):
            receiver.connections += 1
            return True

        def handle_error(self, *args):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
