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

# The OpenAPI text of v3 mail/send in sendgrid-oai (spec/paths/mail_send/mail_send.json, 2024-07). `custom_args` of the whole
# request are said to be a string there and an object everywhere else; those of a personalization are an object in both.
_PERSON = {
    "type": "object",
    "required": ["email"],
    "additionalProperties": False,
    "properties": {"email": TEXT, "name": TEXT},
}
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_SWITCH = {"type": "object", "additionalProperties": False, "properties": {"enable": {"type": "boolean"}}}
_RESERVED = (
    "x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding|to|from|subject|reply-to|cc|bcc"
)
SENDGRID = {
    "type": "object",
    "required": ["personalizations", "from", "subject", "content"],
    "additionalProperties": False,
    "properties": {
        "personalizations": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {
                "type": "object",
                "required": ["to"],
                "additionalProperties": False,
                "properties": {"to": {"type": "array", "minItems": 1, "items": _PERSON}, "custom_args": _TEXTS},
            },
        },
        "from": _PERSON,
        "reply_to": _PERSON,
        "subject": TEXT,
        "content": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "value"],
                "additionalProperties": False,
                "properties": {"type": {"enum": ["text/plain", "text/html"]}, "value": TEXT},
            },
        },
        "headers": {**_TEXTS, "propertyNames": {"not": {"pattern": f"^(?i:{_RESERVED})$"}}},
        "tracking_settings": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "click_tracking": {
                    **_SWITCH,
                    "properties": {"enable": {"type": "boolean"}, "enable_text": {"type": "boolean"}},
                },
                "open_tracking": _SWITCH,
                "subscription_tracking": _SWITCH,
            },
        },
    },
}

# The OpenAPI text of api.v2010 in twilio-oai (CreateMessageRequest), as a form: every field once.
TWILIO = {
    "type": "object",
    "required": ["To", "Body"],
    "anyOf": [{"required": ["From"]}, {"required": ["MessagingServiceSid"]}],
    "additionalProperties": False,
    "properties": {
        "To": {"type": "string", "pattern": "^(whatsapp:)?\\+[1-9][0-9]{6,14}$"},
        "From": TEXT,
        "MessagingServiceSid": {"type": "string", "pattern": "^MG[0-9a-fA-F]{32}$"},
        "Body": {"type": "string", "minLength": 1, "maxLength": 1600},
        "StatusCallback": {"type": "string", "format": "uri"},
    },
}
