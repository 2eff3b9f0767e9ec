"""Why somebody got nothing, or waits: every reason word there is, once. The words stand in the ledger for good."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason in a delivery row. Rename none: ledgers of years are read by these words."""

    # Answers of the judge, in the order it asks (eligibility.py).
    CANCELLED = "cancelled"
    LATE = "late"
    PROJECT_HOLDOUT = "project_holdout"
    LEFT = "left"
    CONVERTED = "converted"
    REPEAT = "repeat"
    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    OTHER_CHANNEL = "other_channel"
    WAVE = "wave"
    RAMP = "ramp"
    QUIET_HOURS = "quiet_hours"
    CAPPED = "capped"
    HOLDOUT = "holdout"

    # Answers of rendering.
    MISSING_DATA = "missing_data"
    TEMPLATE_ERROR = "template_error"
    TEMPLATE_TOO_SLOW = "template_too_slow"
    TEMPLATE_TOO_LARGE = "template_too_large"

    # Answers of providers and of the wire.
    ADDRESS_GONE = "address_gone"
    REFUSED = "refused"
    ATTEMPTS_USED_UP = "attempts_used_up"
    NO_ANSWER = "no_answer"
    PROVIDER_PAUSED = "provider_paused"
    CAMPAIGN_PAUSED = "campaign_paused"
    BUSY = "busy"
    BODY_CHANGED = "body_changed"
