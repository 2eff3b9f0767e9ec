"""What services publish of their requests, as JSON schemas: only the parts that are used, in our own words, and strict.

A request must fit, and may bring along nothing that the service does not name.
"""

TEXT = {"type": "string", "minLength": 1}

# postmarkapp.com/developer/api/email-api and the OpenAPI text of the server API (Sending API, SendEmailRequest); Metadata and
# MessageStream stand in the former only. Read in November 2026.
POSTMARK = {
    "type": "object",
    "required": ["From", "To"],
    "anyOf": [{"required": ["TextBody"]}, {"required": ["HtmlBody"]}],
    "additionalProperties": False,
    "properties": {
        "From": TEXT,
        "To": TEXT,
        "Subject": {"type": "string"},
        "HtmlBody": TEXT,
        "TextBody": TEXT,
        "ReplyTo": TEXT,
        "TrackOpens": {"type": "boolean"},
        "TrackLinks": {"enum": ["None", "HtmlAndText", "HtmlOnly", "TextOnly"]},
        "MessageStream": TEXT,
        "Metadata": {
            "type": "object",
            "propertyNames": {"maxLength": 20},
            "additionalProperties": {"type": "string", "maxLength": 80},
        },
        "Headers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["Name", "Value"],
                "additionalProperties": False,
                "properties": {"Name": TEXT, "Value": TEXT},
            },
        },
    },
}
POSTMARK_BATCH = {"type": "array", "minItems": 1, "maxItems": 500, "items": POSTMARK}

# The service model sesv2-2019-09-27 (SendEmailRequest and its shapes), as in botocore 1.44.8.
_TAG = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,256}$"}
SES = {
    "type": "object",
    "required": ["Content"],
    "additionalProperties": False,
    "properties": {
        "FromEmailAddress": TEXT,
        "Destination": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"ToAddresses": {"type": "array", "minItems": 1, "maxItems": 50, "items": TEXT}},
        },
        "Content": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                "Raw": {
                    "type": "object",
                    "required": ["Data"],
                    "additionalProperties": False,
                    "properties": {"Data": {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"}},
                }
            },
        },
        "EmailTags": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["Name", "Value"],
                "additionalProperties": False,
                "properties": {"Name": _TAG, "Value": _TAG},
            },
        },
        "ConfigurationSetName": TEXT,
    },
}
