"""Is every source of linked data told in full: a file or an address, what fills its blanks, and no secret in plain text?"""

import re

from orchestrator.config.draft import Draft
from orchestrator.config.findings import choice, quoted
from orchestrator.config.secret import HOW, bad_reference
from orchestrator.config.shapes import SettingsShape, SourceShape
from orchestrator.config.sheets import Path
from orchestrator.core.blanks import USER, Blanks

_FOR_A_URL = ("headers", "timeout", "rate", "network")
_TELLING = re.compile(
    r"(?i)(^|[-_])(auth(orization)?|api[-_]?key|key|token|secret|password|cookie|sig(nature)?|appid)$"
)
"""Names of headers and parameters whose value is a secret."""
_PARAMETER = re.compile(r"[?&]([^=&]+)=([^&]*)")


def check_sources(draft: Draft, settings: SettingsShape) -> None:
    """Everything that sources of linked data refer to."""
    for name, source in settings.sources.items():
        path = ("sources", name)
        if (source.file is None) == (source.url is None):
            wrong = f"{name}: has " + ("a file and a url" if source.file else "neither a file nor a url")
            draft.findings.at_key(draft.settings_sheet, path, wrong, "Write one of the two.")
        elif source.url is not None:
            _check_url(draft, path, source, source.url)
        else:
            _check_file(draft, path, source)


def _check_file(draft: Draft, path: Path, source: SourceShape) -> None:
    sheet, findings = draft.settings_sheet, draft.findings
    _check_key(draft, path, source)
    for key in _FOR_A_URL:
        if getattr(source, key):
            findings.at_key(sheet, (*path, key), f"'{key}' goes with a url, and this is a file", "Delete it.")


def _check_key(draft: Draft, path: Path, source: SourceShape) -> None:
    """How the rows of a table are found."""
    for key, what in (("key", "the column rows are found by"), ("by", "the attribute that is looked up")):
        if getattr(source, key) is None:
            draft.findings.at_key(
                draft.settings_sheet, path, f"{path[-1]}: the key '{key}' is missing", f"Write {what}."
            )
    if source.by is not None:
        _check_attribute(draft, (*path, "by"), source.by)


def _check_attribute(draft: Draft, path: Path, name: str) -> None:
    known = draft.data.attributes if draft.data is not None else {name: None}
    if name != USER and name not in known:
        draft.findings.at(
            draft.settings_sheet, path, f"no attribute {quoted(name)}", choice(name, [USER, *known], "attribute")
        )


def _check_url(draft: Draft, path: Path, source: SourceShape, url: str) -> None:
    sheet, findings = draft.settings_sheet, draft.findings
    where = (*path, "url")
    blanks = Blanks(url)
    for name in dict.fromkeys(blanks.names):
        _check_attribute(draft, where, name)
    if objection := bad_reference(url):
        findings.at(sheet, where, objection, f"{HOW}.")
    elif not url.startswith("${") and blanks.choose_the_host():
        findings.at(
            sheet,
            where,
            "a blank stands where the host is named",
            "A person's data must not choose whom we call: write the host and a / before it.",
        )
    for found in _PARAMETER.finditer(url):
        if _TELLING.search(found[1]) and found[2] and not found[2].startswith(("${", "{")):
            findings.at(sheet, where, f"'{found[1]}' is a secret and must not stand here", f"{HOW}.")
    if url.startswith("http://") and source.network is None:
        findings.at(
            sheet,
            where,
            "http:// is not encrypted",
            "Write https://, or with `network:` the inner network it is in (10.0.0.0/8).",
        )
    if blanks.names and (source.key or source.by):
        key = "key" if source.key else "by"
        findings.at_key(
            sheet,
            (*path, key),
            f"'{key}' finds a row in a table, but this url has a blank and answers for one person",
            "Delete it, or the blank.",
        )
    elif source.key or source.by:
        _check_key(draft, path, source)
    for name, value in source.headers.items():
        _check_header(draft, (*path, "headers", name), name, value)


def _check_header(draft: Draft, path: Path, name: str, value: str) -> None:
    if objection := bad_reference(value):
        draft.findings.at(draft.settings_sheet, path, objection, f"{HOW}.")
    elif _TELLING.search(name) and "${" not in value:
        draft.findings.at(draft.settings_sheet, path, "is a secret and must not stand here", f"{HOW}.")
