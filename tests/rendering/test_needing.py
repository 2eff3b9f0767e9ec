"""Whether values decide which data a message needs: where they may, the answer must be yes."""

import pytest

from orchestrator.rendering import Compiled
from tests.rendering.builders import SETTING


def decides(text):
    files = {"templates/spring/_default/sms.txt": text.encode()}
    compiled = Compiled("spring", files, SETTING)
    assert compiled.mistakes == ()
    (form,) = compiled.forms.values()
    return form.script.by_value


@pytest.mark.parametrize(
    "text",
    [
        "{{ userAttribute.city }}",
        "{{ userAttribute.city | default('here') | upper }} {{ latest.cart.price | currency('EUR') }}",
        "{% if userAttribute.city %}{{ userAttribute.city }}{% else %}{{ latest.cart.product }}{% endif %}",
        "{% if not userAttribute.city and latest.cart.price is defined %}a{% endif %}{{ userAttribute.a or userAttribute.b }}",
        "{% set name = userAttribute.firstName %}{% if name %}{{ name }}{% endif %}",
        "{{ userAttribute.city if userAttribute.city else 'here' }}",
        "{% set price = latest.cart.price | currency('EUR') %}{{ price }}",
    ],
)
def test_having_and_lacking_decides(text):
    assert decides(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "{% if userAttribute.points > 5 %}{{ userAttribute.city }}{% endif %}",
        "{{ userAttribute.city if userAttribute.country == 'AT' else 'x' }}",
        "{% for one in userAttribute.interests %}{{ one }}{% endfor %}",
        "{% if userAttribute.points | int %}{{ userAttribute.city }}{% endif %}",
        "{% set many = userAttribute.points | int %}{% if many %}{{ userAttribute.city }}{% endif %}",
        "{% set many = userAttribute.points - 1 %}{{ many or userAttribute.city }}",
        "{% if userAttribute.points is even %}{{ userAttribute.city }}{% endif %}",
        "{{ userAttribute[userAttribute.favourite] }}",
        "{% if userAttribute.city.startswith('W') %}{{ userAttribute.street }}{% endif %}",
        "{% if userAttribute.points + 1 %}{{ userAttribute.city }}{% endif %}",
    ],
)
def test_a_value_decides(text):
    assert decides(text) is True
