"""Settings of an account with a web service: a host that keeps what it is told, keys that a header can carry."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from orchestrator.core.errors import OrchestratorError
from orchestrator.providers import Credentials


def endpoint(adapter: str, credentials: Credentials, usual: str) -> str:
    """Where requests go, without a slash at the end: `endpoint` if it is written, else the service's own host.

    OrchestratorError for one that is no https:// URL; plain http:// is for this machine alone, because the key and everybody's
    address would cross the network in the clear.
    """
    written = credentials.get("endpoint") or usual
    parts = urlsplit(written)
    local = parts.scheme == "http" and is_this_machine(parts.hostname or "")
    if not (parts.scheme == "https" or local) or not parts.hostname or "@" in parts.netloc or parts.query:
        raise OrchestratorError(
            f"{adapter}: endpoint: it must be https:// and a host, without user, password or question mark;"
            " http:// is for a server on this machine"
        )
    return written.rstrip("/")


def key(adapter: str, name: str, credentials: Credentials, where: str) -> str:
    """A secret as headers carry it; OrchestratorError says what is wrong and `where` to find it, never what it is."""
    found = credentials.get(name, "")
    if not found:
        raise OrchestratorError(f"{adapter}: {name}: it is empty; {where}")
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise OrchestratorError(
            f"{adapter}: {name}: a space, a line break or another letter that no key has stands in it; {where}"
        )
    return found


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine itself, as far as its name says."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
