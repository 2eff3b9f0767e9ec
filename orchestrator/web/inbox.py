"""The in-app inbox over HTTP: the customer's app fetches a user's messages and acknowledges what was shown.

The caller proves who the user is with a short-lived JWT signed by the customer's server (HS256, key id in the header,
`aud` "orchestrator-inbox", `sub` the user id, `exp` at most a day away). Without one there is no inbox to be seen.
"""

from collections.abc import Mapping

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator.core.times import DAY, SECOND, Clock, Instant, iso
from orchestrator.ledger import InboxMessage
from orchestrator.pipeline import LedgerThread

AUDIENCE = "orchestrator-inbox"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def token_for(user: str, key_id: str, secret: bytes, until: Instant) -> str:
    """A token as the customer's own server makes it: who the user is, good until a moment at most a day away."""
    claims = {"sub": user, "aud": AUDIENCE, "exp": until // SECOND}
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": key_id})


class Inbox:
    """`GET /v1/inbox` and `POST /v1/inbox/{id}/seen`; `keys` are the shared secrets by key id."""

    def __init__(self, ledger: LedgerThread, keys: Mapping[str, bytes], clock: Clock) -> None:
        self._ledger = ledger
        self._keys = keys
        self._clock = clock

    async def fetch(self, request: Request) -> Response:
        """The messages that wait for this user, the oldest first."""
        user = self._user(request)
        if user is None:
            return _refused()
        now = self._clock.now()
        found = await self._ledger(lambda ledger: ledger.inbox(user, now))
        return JSONResponse({"messages": [_told(message) for message in found]}, headers=_HEADERS)

    async def seen(self, request: Request) -> Response:
        """The user has seen a message; saying so again changes nothing."""
        user, message = self._user(request), request.path_params["id"]
        if user is None:
            return _refused()
        now = self._clock.now()
        known = await self._ledger(lambda ledger: ledger.acknowledge(user, message, now))
        if not known:
            return JSONResponse({"error": f"no message {message[:64]} for this user"}, 404, headers=_HEADERS)
        return JSONResponse({"seen": True}, headers=_HEADERS)

    def _user(self, request: Request) -> str | None:
        """The user the token speaks for, None if it does not hold. Time is our clock's, not the library's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid", "")]
            claims = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "aud"], "verify_exp": False},
            )
            left = int(claims["exp"]) * SECOND - self._clock.now()
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            return None
        return str(claims["sub"]) if 0 < left <= DAY else None


def _refused() -> JSONResponse:
    text = "a token is needed: HS256 JWT with kid, aud orchestrator-inbox, sub and an exp within a day, as `Authorization: Bearer …`"
    return JSONResponse({"error": text}, 401, headers={**_HEADERS, "WWW-Authenticate": "Bearer"})


def _told(message: InboxMessage) -> dict[str, object]:
    expires = iso(message.expires_at) if message.expires_at is not None else None
    return {
        "id": message.id,
        "created_at": iso(message.created_at),
        "expires_at": expires,
        "message": dict(message.payload),
    }
