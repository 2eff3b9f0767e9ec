"""The room templates are written in: strict, sandboxed, and with nothing in it but a person's data."""

from collections.abc import Mapping
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.tests import TESTS
from jinja2.utils import Namespace, pass_context

from orchestrator.rendering.filters import all_filters
from orchestrator.rendering.links import URL, a_link
from orchestrator.rendering.reading import a_moment, reader_of
from orchestrator.rendering.values import (
    AbortError,
    Missing,
    MissingDataError,
    NoCouponError,
    get_attribute,
    get_item,
)

COUPONS = " coupons"
"""Where a message's context keeps the person's coupon codes."""

_TESTS = frozenset(
    {
        "!=", "<", "<=", "==", ">", ">=", "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float",
        "ge", "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "number",
        "odd", "sameas", "sequence", "string", "true", "undefined", "upper",
    }
)  # fmt: skip
_MAXIMUM = 1_000_000
"""No text or list made by a template's arithmetic is longer, no number has more digits."""


def abort_message(why: Any = "the template said so") -> NoReturn:
    """Give this person no message, and say why in the ledger."""
    raise AbortError(str(why))


@pass_context
def coupon(context: Context, pool: str) -> str:
    """This person's code of a pool; missing data if there is none for them."""
    return str(_coupon(context, pool)["code"])


@pass_context
def coupon_expires(context: Context, pool: str) -> Any:
    """The last moment of this person's code of a pool."""
    expires = _coupon(context, pool).get("expires")
    if expires is None:
        raise MissingDataError(f"coupon_expires('{pool}')")
    return a_moment(expires, reader_of(context))


def _coupon(context: Context, pool: str) -> Mapping[str, Any]:
    found = context.parent.get(COUPONS, {}).get(pool)
    if not found:
        raise NoCouponError(str(pool))
    return dict(found)


GLOBALS: Mapping[str, Any] = {
    "abort_message": abort_message,
    "coupon": coupon,
    "coupon_expires": coupon_expires,
    "namespace": Namespace,
    "range": safe_range,
}


class Generator(CodeGenerator):
    """Jinja's own, but data is looked up and printed straight from the dictionary, and nothing is worked out early."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - Jinja's name
        self.writeline(
            "from orchestrator.rendering.values import get_attribute as _attribute, get_item as _item, "
            "get_method as _method, print_html as _html, print_text as _text, join_text as _join"
        )
        super().visit_Template(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        self.write("_method(" if node.ctx == "call" else "_attribute(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("_item(")
        self.visit(node.node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        if frame.eval_ctx.autoescape and any(not _is_plain(child) for child in node.nodes):
            # Something may be markup already (a macro's answer): then the rest must be escaped.
            super().visit_Concat(node, frame)
            return
        self.write("_join((")
        for child in node.nodes:
            self.visit(child, frame)
            self.write(", ")
        self.write("))")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData | nodes.Const):
            raise nodes.Impossible  # a bomb must not go off in the compiler
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        del node, finalize
        if frame.eval_ctx.volatile:
            self.write("(_html if context.eval_ctx.autoescape else _text)(")
        else:
            self.write("_html(" if frame.eval_ctx.autoescape else "_text(")


def _is_plain(node: nodes.Expr) -> bool:
    """Whether an expression of copy can never be markup."""
    return isinstance(node, nodes.Const | nodes.TemplateData | nodes.Name | nodes.Getattr | nodes.Getitem)


class Room(ImmutableSandboxedEnvironment):
    """The sandbox: strict, escaping, with our filters, tests and functions and no others."""

    code_generator_class = Generator
    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Missing, autoescape=True, optimized=False, cache_size=0)
        self.filters = {**all_filters(), URL: a_link}
        self.tests = {name: TESTS[name] for name in _TESTS} | {"none": _is_none, "set": _is_set}
        self.globals = dict(GLOBALS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Keys of data only."""
        return get_attribute(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Keys of data only."""
        return get_item(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic that could make something huge."""
        del context
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text is not formatted with %; write {{ a }} {{ b }}")
        if operator == "**" and not (_small(left, 10**6) and _small(right, 64)):
            raise SecurityError("this power is too large")
        if operator == "*":
            for thing, times in ((left, right), (right, left)):
                if isinstance(thing, str | list | tuple) and isinstance(times, int) and len(thing) * times > _MAXIMUM:
                    raise SecurityError(f"no text is repeated {times} times")
        return self.binop_table[operator](left, right)


def _small(value: Any, limit: int) -> bool:
    return isinstance(value, int | float) and abs(value) <= limit


def _is_none(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


def _is_set(value: Any) -> bool:
    return not _is_none(value)


class Situation(Context):
    """What one message is written from: made once for each person, so nothing is built that is not needed."""

    def __init__(self, environment: Room, values: dict[str, Any], evaluation: EvalContext) -> None:
        # Context.__init__ builds blocks and an evaluation context for each: a quarter of the time of a push.
        self.parent = values
        self.vars = {}
        self.environment = environment
        self.eval_ctx = evaluation
        self.exported_vars = set()
        self.name = None
        self.blocks = {}
        self.globals_keys = set()


def template_of(room: Room, tree: nodes.Template, filename: str) -> Template:
    """A tree compiled to a template."""
    return Template.from_code(room, room.compile(tree, filename=filename), {}, None)
