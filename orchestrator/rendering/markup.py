"""HTML and MJML at compile time: tags become stand-ins, markup is laid out and styled once, stand-ins become tags again."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import css_inline
from mjml import mjml2html

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.rendering.links import URL
from orchestrator.rendering.marks import left_alone, with_marks, without_tellings
from orchestrator.rendering.pieces import Piece, Place, Tag, mistake
from orchestrator.rendering.plain import text_of

_STAND_IN = re.compile(r"<!--zq([0-9]+)qz-->|zq([0-9]+)qz(?:=\"\")?")
_ELEMENT = re.compile(r"<!--.*?-->|<(/?)([A-Za-z][^\s/>]*)((?:\"[^\"]*\"|'[^']*'|[^'\">])*)>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([^\s=\"'>/]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
_LINKS = frozenset(
    {"href", "src", "action", "formaction", "background", "background-url", "poster", "xlink:href", "srcset"}
)
_STARTS = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|/|#|\?|[^\s:]*[/.?#])")
_NOWHERE = frozenset(
    {"script", "style", "mj-style", "mj-font", "title", "textarea", "noscript", "iframe", "xmp", "plaintext"}
)
"""Elements whose content is no HTML text: escaping would not keep data from being something else there."""

_STRUCTURE = frozenset(
    {
        "mj-body", "mj-section", "mj-column", "mj-wrapper", "mj-group", "mj-hero", "mj-carousel", "mj-accordion",
        "mj-accordion-element", "mj-navbar", "mj-social", "mj-head", "mj-attributes", "mjml",
    }
)  # fmt: skip
"""Elements of MJML that hold only other elements: a statement between these needs mj-raw around it."""
CONTENT = frozenset(
    {
        "mj-text", "mj-button", "mj-image", "mj-table", "mj-divider", "mj-spacer", "mj-raw", "mj-social-element",
        "mj-navbar-link", "mj-accordion-title", "mj-accordion-text", "mj-carousel-image", "mj-preview", "mj-title",
        "mj-style", "mj-font", "mj-breakpoint", "mj-all", "mj-class", "mj-html-attributes", "mj-selector",
        "mj-html-attribute", "mj-include",
    }
)  # fmt: skip
KNOWN_MJML = _STRUCTURE | CONTENT
_FONT_OF_MJML = "Ubuntu, Helvetica, Arial, sans-serif"
_SYSTEM_FONTS = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def begins_link(before: str) -> bool:
    """Whether what follows this text could still choose a link's scheme."""
    return not _STARTS.match(before)


class Where(NamedTuple):
    """Where a tag stands in markup: in which element, and in which attribute (empty: between elements)."""

    element: str
    attribute: str = ""
    quoted: bool = True
    leads: bool = False
    """Whether the attribute's value begins with it, so that data could choose a link's scheme."""


class Marked:
    """Markup whose tags are stand-ins."""

    def __init__(self, pieces: Sequence[Piece], place: Place) -> None:
        self.tags = [piece for piece in pieces if isinstance(piece, Tag)]
        number = iter(range(len(self.tags)))
        self.text = "".join(piece if isinstance(piece, str) else f"zq{next(number)}qz" for piece in pieces)
        for piece in pieces:
            if isinstance(piece, str) and _STAND_IN.search(piece):
                raise mistake(place, "the text holds `zq…qz`, which stands for a tag while a template is compiled")
        self.where: dict[int, Where] = dict(_wheres(self.text))

    def protect(self, mjml: bool) -> str:
        """Refuse tags where escaping could not help; give statements a form that no parser moves."""
        refused: list[Mistake] = []

        def stand_in(found: re.Match[str]) -> str:
            number = int(found[2])
            tag, where = self.tags[number], self.where.get(number, Where(""))
            refused.extend(self._refused(tag, where))
            if where.attribute or where.element.startswith("<"):
                return found[0]
            if not tag.statement:
                return found[0]
            if mjml and (where.element in _STRUCTURE or not where.element):
                return f"<mj-raw><!--zq{number}qz--></mj-raw>"
            return f"<!--zq{number}qz-->"

        protected = _STAND_IN.sub(stand_in, self.text)
        if refused:
            raise ConfigError(tuple(refused))
        return protected

    def _refused(self, tag: Tag, where: Where) -> Iterator[Mistake]:
        said = f"{{{{ {tag.code} }}}} stands in"
        if where.element in _NOWHERE and not where.attribute and not tag.statement:
            yield Mistake(*tag.place, f"{said} <{where.element}>", "data has no place there")
        if where.attribute.startswith("on") or where.attribute == "srcdoc":
            yield Mistake(*tag.place, f"{said} {where.attribute}=", "data must not become a script")
        elif not where.quoted and not tag.statement:
            yield Mistake(*tag.place, f"{said} an attribute without quotes", f'write {where.attribute}="…"')

    def pieces(self, markup: str, *, whole: bool = True) -> list[Piece]:
        """The stand-ins as tags again; a tag that begins a link is held to schemes a mail program may follow.

        `whole`: every tag must have come through.
        """
        found: list[Piece] = []
        at = 0
        order = []
        for match in _STAND_IN.finditer(markup):
            number = int(match[1] or match[2])
            tag = self.tags[number]
            where = self.where.get(number, Where(""))
            if match[1]:
                order.append(number)
            if where.attribute in _LINKS and where.leads and not tag.statement:
                tag = Tag(f"({tag.code})|{URL}", tag.place)
            found += [markup[at : match.start()], tag]
            at = match.end()
        found.append(markup[at:])
        if whole:
            self._refuse_lost(markup, order)
        return [piece for piece in found if piece != ""]

    def _refuse_lost(self, markup: str, order: list[int]) -> None:
        present = {int(match[1] or match[2]) for match in _STAND_IN.finditer(markup)}
        for number, tag in enumerate(self.tags):
            if number not in present:
                raise mistake(tag.place, f"{tag.code!r} was lost in the layout", "put it into an element that shows it")
        if order != sorted(set(order)):
            raise mistake(self.tags[order[0]].place, "statements changed their order in the layout")


def _wheres(text: str) -> Iterator[tuple[int, Where]]:
    """For each stand-in, where it stands."""
    open_elements: list[str] = []
    at = 0
    for element in _ELEMENT.finditer(text):
        if (
            open_elements
            and open_elements[-1] in {"script", "style"}
            and (element[2] or "").lower() != open_elements[-1]
        ):
            continue
        inside = open_elements[-1] if open_elements else ""
        for found in _STAND_IN.finditer(text, at, element.start()):
            yield int(found[2]), Where(inside)
        at = element.end()
        if element[2] is None:  # a comment
            for found in _STAND_IN.finditer(element[0]):
                yield int(found[2]), Where("<!--")
            continue
        name = element[2].lower()
        yield from _in_element(name, element[0])
        if element[1]:
            if name in open_elements:
                del open_elements[len(open_elements) - 1 - open_elements[::-1].index(name) :]
        elif not element[3].rstrip().endswith("/") and name not in _VOID:
            open_elements.append(name)
    inside = open_elements[-1] if open_elements else ""
    for found in _STAND_IN.finditer(text, at):
        yield int(found[2]), Where(inside)


_VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "source", "wbr", "!doctype"})


def _in_element(name: str, element: str) -> Iterator[tuple[int, Where]]:
    for found in _STAND_IN.finditer(element):
        yield int(found[2]), Where(f"<{name}")
    for attribute in _ATTRIBUTE.finditer(element):
        value = attribute[2]
        quoted = value[0] in "\"'"
        inner = value[1:-1] if quoted else value
        for found in _STAND_IN.finditer(inner):
            leads = begins_link(_STAND_IN.sub("", inner[: found.start()]))
            yield int(found[2]), Where(name, attribute[1].lower(), quoted, leads)


def laid_out(
    pieces: Sequence[Piece], kind: str, place: Place, secret: str = "", locale: str = ""
) -> tuple[list[Piece], list[Piece]]:
    """A body with its layout as HTML (MJML laid out, style sheets put into the elements they are for), and as text.

    With a secret the links of the HTML that may be followed are marked; the text shows addresses as they are.
    What is laid out of MJML says the locale it is written in, unless the template says one by itself.
    """
    marked = Marked(pieces, place)
    markup = left_alone(marked.protect(mjml=kind == "mjml"))
    if kind == "mjml":
        markup = _mjml(markup, place, locale)
    elif "<style" in markup.lower():
        markup = _inlined(markup, place)
    text = text_of(without_tellings(markup))
    return marked.pieces(with_marks(markup, secret)), marked.pieces(text, whole=False)


def _mjml(markup: str, place: Place, locale: str) -> str:
    """MJML as HTML that fetches no font, but those the template names with <mj-font>."""
    if "<mjml" not in markup:
        markup = f"<mjml><mj-body>{markup}</mj-body></mjml>"
    try:
        # Without `fonts` the library fetches its default font from Google whenever a mail is read.
        html = str(mjml2html(_in_language(markup, locale), fonts={}))
    except BaseException as error:
        # Plain exceptions of its parser; where its Rust panics (`é/>` and U+2028, 2026-11), not even that.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise mistake(
            place, f"is not MJML: {error}", "close every element, and put quotes around every value"
        ) from None
    return html if "Ubuntu" in markup else html.replace(_FONT_OF_MJML, _SYSTEM_FONTS)


def _in_language(markup: str, locale: str) -> str:
    root = next((one for one in _ELEMENT.finditer(markup) if one[2] == "mjml" and not one[1]), None)
    if root is None or not locale or any(one[1] == "lang" for one in _ATTRIBUTE.finditer(root[3])):
        return markup
    after = root.start(3)
    return f'{markup[:after]} lang="{escape(locale.replace("_", "-"))}"{markup[after:]}'


def _inlined(markup: str, place: Place) -> str:
    try:
        # No file and no address is ever loaded: a template is all in its bundle.
        inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
        return str(inliner.inline(markup))
    except (css_inline.InlineError, ValueError) as error:
        raise mistake(place, f"its style sheet cannot be read: {error}") from None
