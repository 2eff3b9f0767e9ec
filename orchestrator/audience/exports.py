"""Exports of other tools, known by their columns: what each column is, and who in them must not be written to any more.

Who unsubscribed there has said no here, to everything; whose mail bounced there is stopped here. Who subscribed there has said
yes to something of that tool's: to which of our topics, only a person can say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.audience.mapping import CONSENT, EVERY, IGNORE, STOPPED, What
from orchestrator.core.nouns import Channel

Told = str | Mapping[str, Any]
"""What a mapping file says of one column."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file recognised: whose it is, what a mapping says of it, and what is worth knowing.

    `agreed` are columns since when people agreed to something, each with its channel. `refusal` says why such a file tells
    nothing of what was asked of it; empty if it does.
    """

    tool: str
    part: str = ""
    columns: Mapping[str, Told] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    agreed: Mapping[str, Channel] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def name(self) -> str:
        """How people call the file."""
        return f"an export of {self.tool}" + (f" ({self.part})" if self.part else "")


def recognised(what: What, names: Collection[str]) -> Export | None:
    """The export that has these columns; None if it is nobody's we know, or tells of something else than people."""
    if what not in (What.PROFILES, What.SUPPRESSIONS):
        return None
    for known, export in _KNOWN:
        if known <= set(names):
            found = export(what, names)
            there = {name: told for name, told in found.columns.items() if name in names}
            if what is What.SUPPRESSIONS:
                there = {**dict.fromkeys(names, IGNORE), **there}
            agreed = {name: channel for name, channel in found.agreed.items() if name in names}
            return Export(found.tool, found.part, there, found.more, agreed, found.notes, found.refusal)
    return None


def known_exports() -> dict[str, frozenset[str]]:
    """The tools whose exports are recognised, and the columns by which each is."""
    return {export(What.PROFILES, ()).tool: known for known, export in _KNOWN}


def _no(channel: str) -> dict[str, Any]:
    """Since this time, a no to everything on a channel."""
    return {"to": f"{CONSENT}{channel}.{EVERY}", "is": "time", "means_no": "any"}


def _since(name: str) -> Told:
    """A time that a person has to be asked about; until then it is an attribute."""
    return {"to": name, "is": "time"}


def _ignored(names: str) -> dict[str, Told]:
    return dict.fromkeys(names.split(), IGNORE)


def _mailchimp(what: What, names: Collection[str]) -> Export:
    # Mailchimp lists no columns; these are those of header rows of its exports in public projects, as seen in November 2026.
    # EUID is a contact's across the account's audiences; what cleaned means: mailchimp.com/help/about-cleaned-contacts.
    cleaned = next((name for name in ("CLEAN_TIME", *_of(names, "CLEAN_")) if name in names), "")
    left = next((name for name in ("UNSUB_TIME", *_of(names, "UNSUB_")) if name in names), "")
    part = "cleaned contacts" if cleaned else "unsubscribed contacts" if left else "subscribed contacts"
    since = next(
        (name for name in (cleaned or left, "LAST_CHANGED") if name.endswith(("_TIME", "_CHANGED")) and name in names),
        "LEID",
    )
    timed = {"is": "time"} if since != "LEID" else {}
    reason = {"reason": "bounced" if cleaned else "unsubscribed"}
    if what is What.SUPPRESSIONS:
        if not cleaned and not left:
            return Export("Mailchimp", part, refusal="nobody in it is stopped; bring it with `import profiles`")
        return Export("Mailchimp", part, {"Email Address": "email", since: {"to": "time", **timed}} if timed else {"Email Address": "email"}, reason)  # fmt: skip
    told = {
        "Email Address": "email", "EUID": "user", "First Name": "firstName", "Last Name": "lastName", "TAGS": "tags", "CC": "country",
        "REGION": "region", "TIMEZONE": "zone", "MEMBER_RATING": "memberRating", "OPTIN_TIME": IGNORE,
        "CONFIRM_TIME": IGNORE if cleaned or left else _since("CONFIRM_TIME"),
        **_ignored("OPTIN_IP CONFIRM_IP LATITUDE LONGITUDE GMTOFF DSTOFF LAST_CHANGED LEID NOTES"),
        **dict.fromkeys([*_of(names, "CLEAN_"), *_of(names, "UNSUB_")], IGNORE),
    }  # fmt: skip
    if cleaned:
        return Export("Mailchimp", part, {**told, since: {"to": STOPPED, **timed, "means_yes": "any"}}, reason)
    if left:
        return Export(
            "Mailchimp", part, {**told, since: {"to": f"{CONSENT}{Channel.EMAIL}.{EVERY}", **timed, "means_no": "any"}}
        )
    return Export("Mailchimp", part, told, agreed={"CONFIRM_TIME": Channel.EMAIL}, notes=(_MAILCHIMP,))


_MAILCHIMP = "its unsubscribed and cleaned contacts are files of their own: bring them too, before you send"


def _of(names: Collection[str], begins: str) -> Sequence[str]:
    return [name for name in names if name.startswith(begins)]


def _listmonk(what: What, names: Collection[str]) -> Export:  # noqa: ARG001 - as all of them
    # github.com/knadh/listmonk, cmd/subscribers.go, of 2025: the header row, and times as Go writes them.
    written = ["%Y-%m-%d %H:%M:%S.%f %z UTC", "%Y-%m-%d %H:%M:%S %z UTC"]
    stopped = {"to": STOPPED, "means_yes": ["blocklisted", "disabled"], "means_nothing": ["enabled"]}
    if what is What.SUPPRESSIONS:
        return Export("listmonk", "", {"email": "email", "status": stopped}, {"reason": "blocklisted"})
    told: dict[str, Told] = {
        "uuid": "user", "email": "email", "name": "name", "attributes": "attributes", "status": stopped,
        "created_at": {"to": "createdAt", "is": "time", "format": written}, "updated_at": IGNORE,
    }  # fmt: skip
    return Export("listmonk", "", told, {"reason": "blocklisted"}, notes=(_LISTS,))


_LISTS = (
    "it does not say who is on which list: bring that with `import consent`, those who unsubscribed from it as well"
)


def _braze(what: What, names: Collection[str]) -> Export:  # noqa: ARG001
    # braze.com/docs/user_guide/data/distribution/export_braze_data/segment_data_to_csv, read in November 2026.
    if what is What.SUPPRESSIONS:
        told: dict[str, Told] = {
            "email": "email",
            "unsubscribed_from_emails_at": {"to": STOPPED, "is": "time", "means_yes": "any"},
            "phone_number": IGNORE,
        }
        return Export("Braze", "", told, {"reason": "unsubscribed"})
    told = {
        "user_id": "user", "email": "email", "phone_number": "phone", "timezone": "zone", "language": "locale",
        "first_name": "firstName", "last_name": "lastName", "created_at": {"to": "createdAt", "is": "time"},
        "unsubscribed_from_emails_at": _no(Channel.EMAIL), "unsubscribed_from_push_at": _no(Channel.PUSH),
        "opted_in_to_emails_at": _since("opted_in_to_emails_at"), "opted_into_push_at": _since("opted_into_push_at"),
        "Braze ID": IGNORE, "Appboy ID": IGNORE,
        **_ignored(
            "devices google_ad_ids IDFAs IDFVs roku_ad_ids windows_ad_ids random_bucket user_aliases number_of_google_ad_ids"
            " number_of_IDFAs number_of_IDFVs number_of_push_tokens number_of_roku_ad_ids number_of_windows_ad_ids"
        ),
    }  # fmt: skip
    agreed = {"opted_in_to_emails_at": Channel.EMAIL, "opted_into_push_at": Channel.PUSH}
    return Export("Braze", "", told, agreed=agreed, notes=(_BRAZE,))


_BRAZE = (
    "it does not say whose mail bounced, nor push tokens: bring those with `import suppressions` and `import devices`"
)


def _customer_io(what: What, names: Collection[str]) -> Export:
    # docs.customer.io/messaging/people/reserved-attributes, updated in October 2026: identifiers and reserved attributes.
    if what is What.SUPPRESSIONS:
        stopped = {"to": STOPPED, "means_yes": ["true"], "means_nothing": ["false"]}
        return Export("Customer.io", "", {"email": "email", "unsubscribed": stopped}, {"reason": "unsubscribed"})
    told: dict[str, Told] = {
        ("id" if "id" in names else "cio_id"): "user", "email": "email", "phone": "phone",
        "created_at": {"to": "createdAt", "is": "time"},
        "unsubscribed": {"to": f"{CONSENT}{EVERY}.{EVERY}", "means_no": ["true"], "means_nothing": ["false"]},
        "cio_subscription_preferences": IGNORE,
    }  # fmt: skip
    if "id" in names:
        told["cio_id"] = IGNORE
    topics = "cio_subscription_preferences" in names
    return Export("Customer.io", "", told, notes=(*((_PREFERENCES,) if topics else ()), _BOUNCES))


_PREFERENCES = "which topics people chose stands in cio_subscription_preferences: bring it with `import consent`"
_BOUNCES = "it does not say whose mail bounced or who complained: bring those with `import suppressions`"


def _mautic(what: What, names: Collection[str]) -> Export:  # noqa: ARG001
    # github.com/mautic/mautic, LeadBundle: an export has the contact's id and its fields by their aliases, of 2025.
    if what is What.SUPPRESSIONS:
        return Export("Mautic", "", refusal="it does not say who must not be contacted; export a report of those")
    told: dict[str, Told] = {
        "id": "user", "email": "email", "mobile": "phone", "phone": "landline", "timezone": "zone",
        "preferred_locale": "locale", "firstname": "firstName", "lastname": "lastName", "fax": IGNORE,
    }  # fmt: skip
    return Export("Mautic", "", told, notes=(_DO_NOT_CONTACT,))


_DO_NOT_CONTACT = "it does not say who must not be contacted: bring unsubscribed and bounced addresses with `import suppressions` before you send"

_KNOWN = (
    (frozenset(("Email Address", "LEID", "EUID")), _mailchimp),
    (frozenset(("uuid", "email", "name", "attributes", "status", "created_at", "updated_at")), _listmonk),
    (frozenset(("user_id", "unsubscribed_from_emails_at")), _braze),
    (frozenset(("cio_id", "email")), _customer_io),
    (frozenset(("id", "email", "firstname", "lastname", "attribution", "attribution_date")), _mautic),
)
"""The columns every export of a tool has, and no other tool's."""
