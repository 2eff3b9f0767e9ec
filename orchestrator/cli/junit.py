"""Results of tests as JUnit XML, which every system of continuous integration reads."""

import re
from collections.abc import Sequence
from textwrap import dedent
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orchestrator.cli.telling_tests import Page
from orchestrator.personas import Tested

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no way to write."""


def report(found: Sequence[Tested], page: Page) -> bytes:
    """A suite for each persona, a case for each of its expectations."""
    root = Element("testsuites", name="orchestrator test")
    for tested in found:
        suite = SubElement(root, "testsuite", name=tested.persona.name)
        failed = 0
        for told in tested.told:
            it = told.expectation
            case = SubElement(suite, "testcase", classname=f"personas.{tested.persona.name}")
            case.attrib |= {"name": f"{it.campaign} at {it.when} (line {it.line})", "file": tested.persona.file}
            case.attrib |= {"line": str(it.line), "time": "0"}
            if told.failures:
                failed += 1
                first = told.failures[0]
                message = _xml(f"expected {first.expected}, got {first.got}")
                text = dedent("\n".join(page.lines(tested, told)))
                SubElement(case, "failure", type=first.what, message=message).text = _xml(text)
        suite.attrib |= {"tests": str(len(tested.told)), "failures": str(failed), "errors": "0"}
    cases = [told for tested in found for told in tested.told]
    failures = sum(bool(told.failures) for told in cases)
    root.attrib |= {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _xml(text: str) -> str:
    return _NO_XML.sub("�", text)
