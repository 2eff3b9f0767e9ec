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
