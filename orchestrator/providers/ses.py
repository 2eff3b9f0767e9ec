"""E-mail through Amazon SES, API v2: the same bytes as over SMTP, in one signed request a message.

SES takes no idempotency key. Its bulk request takes templates of its own and no finished mails, so it is not used. Errors are
read from their type, which a header names and the body may repeat (service model sesv2-2019-09-27).
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel, EmailContent, Message
from orchestrator.core.outcomes import Accepted, Ambiguous, Outcome, Pause, PauseScope, Permanent
from orchestrator.core.times import Instant
from orchestrator.providers import (
    CallbackRequest,
    CannotBuildError,
    Credentials,
    Declaration,
    Heard,
    HttpRequest,
    HttpResponse,
    Request,
    Response,
    Setting,
    Transport,
    mime,
)
from orchestrator.providers.accounts import endpoint, key
from orchestrator.providers.answers import BREATH, Help, by_status, members, parsed, words
from orchestrator.providers.aws_signature import AwsKeys, Scope, sign
from orchestrator.providers.letters import ID, Posted
from orchestrator.providers.reports import TAG
from orchestrator.providers.reports import ses as told

LARGEST = 40 * 1024 * 1024
"""Bytes of a message SES takes, its base64 counted."""

QUOTA = 600.0
"""Seconds of rest when the day's quota is used up; it comes back little by little, over 24 hours."""

_WHERE = "make an access key in IAM for a user or role that may do ses:SendEmail"
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,2}-[1-9]")
_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Ses:
    """The adapter. SES writes Message-ID and Date anew; the delivery's id goes along as a tag of the message."""

    declaration = Declaration(
        name="ses",
        channels=frozenset({Channel.EMAIL}),
        transport=Transport.HTTP,
        settings=(
            Setting("region", "the AWS region whose SES sends, `eu-central-1`"),
            Setting("access_key", "the access key's id; it begins with AKIA, or ASIA if it is lent", secret=True),
            Setting("secret_key", "the secret that belongs to it", secret=True),
            Setting("session_token", "the token of a lent access key", required=False, secret=True),
            Setting("configuration_set", "the configuration set mail goes through", required=False),
            Setting("endpoint", "another host than the region's", required=False),
        ),
        answers_twice=True,
        reports="the configuration set, Event destinations: an SNS topic that posts to the URL over HTTPS; Delivery, Bounce, Complaint, Reject",
        timeout=30.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError for settings that cannot be."""
        region, through = credentials.get("region", ""), credentials.get("configuration_set", "")
        if _REGION.fullmatch(region) is None:
            raise OrchestratorError(f"ses: region: {region!r} is no AWS region; write one like eu-central-1")
        for name in ("access_key", "secret_key"):
            key("ses", name, credentials, _WHERE)
        if credentials.get("session_token"):
            key("ses", "session_token", credentials, "take it from where the lent key comes from")
        elif credentials["access_key"].startswith("ASIA"):
            raise OrchestratorError(
                "ses: session_token: an access key that begins with ASIA is lent and needs its token"
            )
        if through and _SET.fullmatch(through) is None:
            raise OrchestratorError(
                f"ses: configuration_set: {through!r} is no configuration set's name: letters, digits, - and _, at most 64"
            )
        endpoint("ses", credentials, _usual(credentials))
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Posted:
        """One message, signed; the body is the same on every attempt, only the moment and the signature move on."""
        (message,) = messages
        if not isinstance(message.content, EmailContent):
            raise CannotBuildError(f"ses carries e-mail only, this is {message.key.channel}")
        mail = mime.compose(message, message.content)
        fields: dict[str, object] = {
            "Destination": {"ToAddresses": [mail.recipient]},
            # SES promises 7 bits only to those that send 7 bits.
            "Content": {"Raw": {"Data": b64encode(mime.as_seven_bit(mail.data)).decode("ascii")}},
            "EmailTags": [{"Name": name, "Value": said} for name, said in _tags(message).items()],
        }
        if through := credentials.get("configuration_set"):
            fields["ConfigurationSetName"] = through
        body = json.dumps(fields, separators=(",", ":")).encode("ascii")
        if len(body) > LARGEST:
            raise CannotBuildError(f"ses: {len(body):,} bytes; SES takes {LARGEST:,}")
        url = f"{endpoint('ses', credentials, _usual(credentials))}/v2/email/outbound-emails"
        keys, scope = _keys(credentials)
        headers = sign("POST", url, {"Content-Type": "application/json"}, body, keys, scope, now)
        return Posted("POST", url, headers, body, (mail.recipient,))

    def knock(self, credentials: Credentials, now: Instant) -> HttpRequest:
        """Ask how the account stands; the key's policy must allow ses:GetAccount."""
        url = f"{endpoint('ses', credentials, _usual(credentials))}/v2/email/account"
        keys, scope = _keys(credentials)
        return HttpRequest("GET", url, sign("GET", url, {}, b"", keys, scope, now), b"")

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What SES's answer means for the message."""
        if not isinstance(request, Posted) or not isinstance(response, HttpResponse):
            raise TypeError("ses reads answers to its own requests only")
        answer = members(parsed(response.body))
        if not 200 <= response.status < 300:
            return [_refusal(response, answer, request.addresses[0])]
        name = answer.get("MessageId")
        if isinstance(name, str) and name:
            return [Accepted(name)]
        return [Ambiguous(f"{response.status}: a 2xx without a message's id")]

    def hear(self, request: CallbackRequest, credentials: Credentials, now: Instant) -> Heard:  # noqa: ARG002 - SNS signs with a certificate
        """What SES reports of messages by way of an SNS topic."""
        return told.read(request, now)


def _tags(message: Message) -> Mapping[str, str]:
    said = tag(message.key)
    return {ID: message.id, **({TAG: said} if said else {})}


def _keys(credentials: Credentials) -> tuple[AwsKeys, Scope]:
    token = credentials.get("session_token", "")
    return AwsKeys(credentials["access_key"], credentials["secret_key"], token), Scope(credentials["region"], "ses")


def _usual(credentials: Credentials) -> str:
    return f"https://email.{credentials['region']}.amazonaws.com"


# Answers: the error's type first, then the status.

_Meaning = Callable[[str, float | None], Outcome]


def _account(help_: str) -> _Meaning:
    return lambda detail, _: Pause(PauseScope.CREDENTIAL, f"{detail}; {help_}")


def _later(usual: float) -> _Meaning:
    return lambda detail, after: Pause(PauseScope.CREDENTIAL, detail, after or usual)


def _campaign(help_: str) -> _Meaning:
    return lambda detail, _: Pause(PauseScope.CAMPAIGN, f"{detail}; {help_}")


_VERIFY = (
    "verify the sender's domain in this region of SES; while the account is in the sandbox, recipients must be verified, too:"
    " ask for production access"
)
_KEYS = f"{_WHERE}, and write it into the settings as `access_key` and `secret_key`"
_CLOCK = "mend this machine's clock: a signature is good for five minutes"
_MEANINGS: Mapping[str, _Meaning] = {
    "AccountSuspendedException": _account("SES has closed this account for sending; write to AWS support"),
    "SendingPausedException": _account("sending is paused for the account or the configuration set; resume it in SES"),
    "LimitExceededException": _later(QUOTA),
    "MailFromDomainNotVerifiedException": _campaign("mend the DNS records of the custom MAIL FROM domain in SES"),
    "NotFoundException": _account("there is no such configuration set in this region; mend `configuration_set`"),
    "AccessDeniedException": _account("let the key's user or role do ses:SendEmail"),
    "ExpiredTokenException": _account("the lent key has run out; bring a new one with its `session_token`"),
    "ExpiredToken": _account("the lent key has run out; bring a new one with its `session_token`"),
    "RequestExpired": _account(_CLOCK),
    "RequestTimeTooSkewed": _account(_CLOCK),
}
_TOO_FAST = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequests"}
)
_STRANGER = re.compile(
    r"(?:InvalidSignature|SignatureDoesNotMatch|UnrecognizedClient|InvalidClientTokenId|MissingAuthenticationToken"
    r"|IncompleteSignature|OptInRequired|NotAuthorized|InvalidAccessKeyId)(?:Exception)?"
)
_HELP = Help(_KEYS, "this is not SES; mend `region` or `endpoint` in the settings")


def _refusal(response: HttpResponse, answer: Mapping[str, object], address: str) -> Outcome:
    kind = _kind(response, answer)
    said = str(answer.get("message") or answer.get("Message") or "")
    detail = words(response.status, kind, said, address)
    if response.status >= 500:  # whatever it calls itself, it may have been taken
        return Ambiguous(detail)
    if kind in _TOO_FAST or response.status == 429:
        usual = QUOTA if "quota" in said.lower() else BREATH
        return Pause(PauseScope.CREDENTIAL, detail, response.retry_after or usual)
    if _STRANGER.fullmatch(kind):
        skewed = "Signature expired" in said or "Signature not yet current" in said
        return Pause(PauseScope.CREDENTIAL, f"{detail}; {_CLOCK if skewed else _KEYS}")
    if kind == "MessageRejected":
        return Pause(PauseScope.CAMPAIGN, f"{detail}; {_VERIFY}") if "not verified" in said else Permanent(detail)
    meaning = _MEANINGS.get(kind)
    return meaning(detail, response.retry_after) if meaning else by_status(response, detail, _HELP)


def _kind(response: HttpResponse, answer: Mapping[str, object]) -> str:
    """The error's type, without the name space in front and the address of its documentation behind."""
    kind = response.headers.get("x-amzn-errortype") or answer.get("__type") or answer.get("code") or ""
    return str(kind).partition(":")[0].rpartition("#")[2].strip()
