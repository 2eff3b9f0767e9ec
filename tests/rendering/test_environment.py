"""The sandbox: what is missing, what data may be called, and what no template gets at."""

from typing import Any

import pytest

from orchestrator.core.reasons import Reason
from orchestrator.rendering import Compiled, Refusal
from tests.rendering.builders import SETTING, answered, bundle, mailed, request, said

MISSING = {"userAttribute": {"null": None, "name": "Ada", "list": [1, None], "map": {"a": None}}}


@pytest.mark.parametrize("path", ["userAttribute.null", "userAttribute.never", "nobody", "userAttribute.never.deeper"])
def test_a_missing_value_is_false_empty_and_has_a_default(path: str):
    template = (
        "{% if " + path + " %}yes{% else %}no{% endif %} {% for x in " + path + " %}x{% else %}empty{% endfor %} "
        "{{ " + path + " | default('d') }} {{ 'unset' if " + path + " is not defined }} "
        "{{ " + path + " or 'other' }}"
    )
    assert said(template, MISSING) == "no empty d unset other"


@pytest.mark.parametrize(
    "use",
    [
        "{{ userAttribute.null }}", "{{ userAttribute.null ~ 'x' }}", "{% if userAttribute.null == 1 %}{% endif %}",
        "{% if userAttribute.null > 1 %}{% endif %}", "{{ userAttribute.null + 1 }}", "{{ 1 + userAttribute.null }}",
        "{{ 'a' in userAttribute.null }}", "{{ userAttribute.null in [1] }}", "{{ userAttribute.null | upper }}",
        "{{ userAttribute.null[0] }}", "{{ userAttribute.null.upper() }}", "{{ -userAttribute.null }}",
        "{{ userAttribute.null[1:2] }}", "{{ [1] | join(userAttribute.null) }}",
    ],
)  # fmt: skip
def test_a_null_that_would_be_used_means_no_message(use: str):
    answer = answered(use, MISSING)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.MISSING_DATA
    assert answer.detail.startswith("userAttribute.null")
    assert answer.detail.endswith("(templates/winback/_default/push.yaml:1)")


def test_a_null_in_a_list_is_never_printed_as_none():
    answer = answered("{% for x in userAttribute.list %}{{ x }}{% endfor %}", MISSING)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.MISSING_DATA
    for printed in ("list", "map"):
        answer = answered("{{ userAttribute." + printed + " }}", MISSING)
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.MISSING_DATA


def test_keys_of_data_win_over_the_methods_of_python():
    cart = {name: f"my {name}" for name in ("items", "values", "keys", "copy", "update", "get", "pop")}
    for name, text in cart.items():
        assert said("{{ userAttribute.cart." + name + " }}", {"userAttribute": {"cart": cart}}) == text


def test_a_method_of_python_is_not_data():
    answer = answered("{{ userAttribute.cart.items }}", {"userAttribute": {"cart": {}}})
    assert isinstance(answer, Refusal)
    assert answer.detail.startswith("userAttribute.cart.items")


def test_methods_that_only_read_can_be_called():
    attributes = {"userAttribute": {"cart": {"a": 1}, "name": " ada "}}
    assert said("{% for k, v in userAttribute.cart.items() %}{{ k }}{{ v }}{% endfor %}", attributes) == "a1"
    assert said("{{ userAttribute.name.strip().title() }}", attributes) == "Ada"


def test_abort_message_gives_its_reason():
    answer = answered("{% if userAttribute.name == 'Ada' %}{{ abort_message('not Ada') }}{% endif %}x", MISSING)
    assert answer == Refusal(Reason.MISSING_DATA, "not Ada (templates/winback/_default/push.yaml:1)")


ESCAPES = [
    "{{ ''.__class__ }}", "{{ ''['__class__'] }}", "{{ '' | attr('__class__') }}", "{{ ''.__class__.__mro__[1] }}",
    "{{ ().__class__.__base__.__subclasses__() }}", "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({'a': 1}) }}", "{{ '{0.__class__.__init__.__globals__}' | format(1) }}",
    "{{ ('{0.__cla' ~ 'ss__}').format(1) }}", "{{ 'a%s' % ''.__class__ }}", "{{ '%1000000000d' % 1 }}",
    "{{ self.__init__.__globals__ }}", "{{ self._TemplateReference__context }}", "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__ }}", "{{ lipsum.__globals__ }}", "{{ namespace.__init__.__globals__ }}",
    "{{ range.__class__ }}", "{{ coupon.__globals__ }}", "{{ abort_message.__globals__['sys'] }}",
    "{{ abort_message | attr('__globals__') }}", "{{ [abort_message] | map(attribute='__globals__') | list }}",
    "{{ [''] | map('attr', '__class__') | first }}", "{{ [''] | map('format') | list }}",
    "{{ [''] | sum(attribute='__class__', start='') }}", "{{ [''] | groupby('__class__') }}",
    "{{ [1] | sort(attribute='__class__') | map(attribute='__class__') | join }}",
    "{{ {'a': 1}.pop('a') }}", "{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ {}.__setitem__('a', 1) }}",
    "{% set x = ''.format %}{{ x('a') }}", "{{ (1).__class__ }}", "{{ 1.0.real.__class__ }}", "{{ loop }}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}", "{% for a in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}", "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}", "{{ config }}", "{{ request }}",
    "{{ get_flashed_messages.__globals__ }}", "{{ environment }}", "{{ context }}", "{{ ' reader' }}{{ self[' reader'] }}",
    "{{ link__.__globals__ }}", "{{ ''|link__|attr('__class__') }}", "{{ userAttribute['__class__'] }}",
    "{% set ns = namespace() %}{{ ns.__class__ }}", "{{ namespace(a=1)['_Namespace__attrs'] }}",
    "{% include '/etc/passwd' %}", "{% include '../../config/orchestrator.yaml' %}", "{% import 'os' as os %}",
    "{% from 'os' import system %}", "{% extends 'x' %}", "{% block a %}{% endblock %}",
    "{% autoescape false %}{% endautoescape %}", "{{ '<b>' | safe }}", "{{ {} | xmlattr }}", "{{ '' | pprint }}",
    "{{ {} | tojson }}", "{{ [1, 2] | random }}", "{{ dict.__class__ }}", "{{ 2 ** 99999999 }}", "{{ 'a' * 999999999 }}",
    "{{ [1] * 99999999 }}", "{% for a in range(9999999) %}{% endfor %}", "{{ 'a' | center(999999999) }}",
    "{{ lipsum(n=99999) }}", "{{ debug }}", "{% debug %}",
]  # fmt: skip


@pytest.mark.parametrize("template", ESCAPES)
def test_no_template_gets_out_of_the_sandbox(template: str):
    quoted = template.replace("'", "''")
    made = Compiled("c", bundle({"templates/c/_default/push.yaml": f"title: '{quoted}x'\nbody: b\n"}), SETTING)
    answer = made.render(request({"userAttribute": {}}))
    if not isinstance(answer, Refusal):
        # Nothing came of it but its own text.
        assert answer.title in {"x", " readerx"}, answer
    for word in ("built-in", "<class", "<function", "object at", "root:"):
        assert word not in str(answer)


@pytest.mark.parametrize("markup", ["<b>{{ userAttribute.x }}</b>", '<p title="{{ userAttribute.x }}">t</p>'])
def test_data_is_escaped_in_html(markup: str):
    attributes = {"userAttribute": {"x": "\"><script>alert('x')</script>&"}}
    assert "&#34;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;" in mailed(markup, attributes).html


def test_data_is_not_escaped_in_text():
    attributes: dict[str, Any] = {"userAttribute": {"x": "Tom & Jerry <3"}}
    assert said("{{ userAttribute.x }}", attributes) == "Tom & Jerry <3"
    assert mailed("<b>{{ userAttribute.x }}</b>", attributes).text == "Tom & Jerry <3\n"
