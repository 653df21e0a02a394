"""The report as JUnit XML, for the test view of a CI system: one suite per group, one case per rule.

Rules that are unsupported, inconclusive, not applicable or waived are skipped cases with their reason. A warning is a
passed case with its text as output, and a failure only in a strict run. Other reasons for no-go, required groups and
baseline entries, are failures in the suite "gate".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gonogo.report.curl import curl
from gonogo.report.model import position_of, shown_exchange
from gonogo.report.profile_results import unmet
from gonogo.report.wording import message, of_models, whose
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

# XML 1.0 section 2.2: these characters are not allowed in a document, not even as references.
_NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.UNSUPPORTED: "skipped",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.WAIVED: "skipped",
}
_COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: Report) -> str:
    """The XML document as text, with its declaration."""
    root = ET.Element("testsuites", {"name": "gonogo"})
    for group, judgements in report.groups().items():
        suite = ET.SubElement(root, "testsuite", {"name": group, "timestamp": xml_text(report.started)})
        for judgement in judgements:
            suite.append(_case(judgement, report))
        _count(suite, suite)
    _gate(root, report)
    _count(root, root)
    if report.seconds is not None:
        root.set("time", f"{report.seconds:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def xml_text(text: str) -> str:
    r"""The text with every character that XML does not allow written as an escape (\x1b)."""
    return _NO_XML_CHARACTER.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _case(judgement: Judgement, report: Report) -> ET.Element:
    rule = judgement.rule
    case = ET.Element("testcase", {"classname": rule.group, "name": rule.id})
    properties = ET.SubElement(case, "properties")
    for name, value in _properties(judgement):
        ET.SubElement(properties, "property", {"name": name, "value": xml_text(value)})
    strict_warning = report.strict and judgement.verdict is Verdict.WARN
    tag = "failure" if strict_warning else _ELEMENTS.get(judgement.verdict)
    if tag is not None:
        kind = {"type": judgement.verdict.value} if tag != "skipped" else {}
        text = of_models(report, judgement)
        outcome = ET.SubElement(case, tag, {"message": xml_text(text), **kind})
        if tag != "skipped":
            outcome.text = _details(judgement, report)
    elif judgement.verdict is Verdict.WARN:
        ET.SubElement(case, "system-out").text = _details(judgement, report)
    return case


def _gate(root: ET.Element, report: Report) -> None:
    broken = {
        f"require.{group}": "The target does not support all rules of this group." for group in report.unmet
    }
    broken |= {f"profile.{name}": sentence for name, sentence in unmet(report)}
    broken |= {f"baseline.{problem.rule}": problem.message for problem in report.problems}
    if not broken:
        return
    suite = ET.SubElement(root, "testsuite", {"name": "gate", "timestamp": xml_text(report.started)})
    for name, text in broken.items():
        case = ET.SubElement(suite, "testcase", {"classname": "gate", "name": xml_text(name)})
        ET.SubElement(case, "failure", {"message": xml_text(text), "type": "gate"})
    _count(suite, suite)


def _properties(judgement: Judgement) -> Iterable[tuple[str, str]]:
    rule = judgement.rule
    named = (("cause", judgement.cause),) if judgement.cause is not None else ()
    return (
        ("title", rule.title),
        ("level", rule.level.value),
        ("source", rule.source),
        ("verdict", judgement.verdict.value),
        *named,
    )


def _details(judgement: Judgement, report: Report) -> str:
    position = position_of(judgement)
    exchange = shown_exchange(judgement, report.exchanges)
    cause = report.another_cause(judgement)
    place = None if position is None else f"byte {position.offset}: {position.excerpt}"
    lines = {
        "requirement": judgement.rule.title,
        "models": whose(report, report.models_with(judgement)),
        "expected": judgement.expected,
        "actual": message(judgement),
        "evidence": " ".join(filter(None, (exchange.id if exchange else None, place))),
        "cause": None if cause is None else cause.title,
        "why": judgement.rule.why,
        "curl": None if exchange is None else curl(exchange.request, report.target.base_url),
    }
    return xml_text("\n".join(f"{label}: {text}" for label, text in lines.items() if text))


def _count(element: ET.Element, within: ET.Element) -> None:
    element.set("tests", str(len(list(within.iter("testcase")))))
    for name, tag in _COUNTS.items():
        element.set(name, str(len(list(within.iter(tag)))))
