"""A server that speaks HTTP/2 over TLS, on this machine: what Apple's is to us. It runs in a thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes, Settings


@dataclass
class Asked:
    """One request as it came: the connection and its stream, headers, body."""

    connection: int
    stream: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What to answer; `turn` says what the server does instead: `refuse` the stream, `leave` (GOAWAY), `drop`, `keep` silent."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    turn: str = ""


@dataclass
class Server:
    """What a test knows of the server."""

    answer: Callable[[Asked], Reply]
    together: int = 1
    """So many requests must be there before any is answered."""
    streams: int = 100
    port: int = 0
    certificate: str = ""
    connections: int = 0
    most: int = 0
    """The most requests that were under way at once."""
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://127.0.0.1:{self.port}"

    def trust(self) -> ssl.SSLContext:
        """A context that trusts this server alone."""
        return ssl.create_default_context(cafile=self.certificate)


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server, opened: list[asyncio.Transport]) -> None:
        self.server, self.opened = server, opened
        server.connections += 1
        self.number = server.connections
        self.open: dict[int, Asked] = {}
        self.waiting: list[Asked] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.opened.append(transport)
        assert transport.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        # Set afterwards, it would be enforced before the other side could know.
        self.h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: self.server.streams}
        )
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            match event:
                case RequestReceived():
                    headers = {str(name): str(told) for name, told in event.headers}
                    self.open[event.stream_id] = Asked(self.number, event.stream_id, headers)
                    self.server.most = max(self.server.most, len(self.open))
                case DataReceived():
                    self.open[event.stream_id].body += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    self.server.asked.append(self.open[event.stream_id])
                    self.waiting.append(self.open[event.stream_id])
                case StreamReset():
                    self.open.pop(event.stream_id, None)
                case ConnectionTerminated():
                    self.transport.close()
        if len(self.waiting) >= self.server.together:
            for asked in self.waiting:
                self.reply(asked)
            self.waiting = []
        self.flush()

    def reply(self, asked: Asked) -> None:
        told = self.server.answer(asked)
        match told.turn:
            case "refuse":
                self.h2.reset_stream(asked.stream, ErrorCodes.REFUSED_STREAM)
            case "leave":
                self.h2.close_connection(last_stream_id=0, additional_data=b'{"reason":"Shutdown"}')
                self.flush()
                self.transport.close()
            case "drop":
                self.transport.abort()
            case "keep":
                return
            case _:
                head = [(":status", str(told.status)), *told.headers]
                self.h2.send_headers(asked.stream, head, end_stream=not told.body)
                if told.body:
                    self.h2.send_data(asked.stream, told.body, end_stream=True)
        self.open.pop(asked.stream, None)


@contextmanager
def running(folder: Path, answer: Callable[[Asked], Reply], together: int = 1, streams: int = 100) -> Iterator[Server]:
    """A running server; its certificate is made anew and lies in the folder."""
    server = Server(answer, together, streams)
    server.certificate, context = _certified(folder)
    loop, ready, opened = asyncio.new_event_loop(), threading.Event(), list[asyncio.Transport]()

    async def serve() -> None:
        listening = await loop.create_server(lambda: _Connection(server, opened), "127.0.0.1", 0, ssl=context)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        async with listening:
            await stopped.wait()
            for transport in opened:
                transport.abort()
        await asyncio.sleep(0)

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(30)
        loop.close()


def _certified(folder: Path) -> tuple[str, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server of the tests")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    told, secret = folder / "server.pem", folder / "server.key"
    told.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(told, secret)
    context.set_alpn_protocols(["h2"])
    return str(told), context
