"""Made-up values: every message can be looked at without anybody's data."""

from orchestrator.core.nouns import Channel, EmailContent
from orchestrator.rendering import Values, samples
from tests.rendering.builders import NOW, SHOP, compiled, request


def written(made, kinds, **given):
    """What the message is for the first of the made-up people."""
    return made.render(request(next(samples(made, kinds, NOW)), Channel.EMAIL, codes={}, **given))


def test_every_message_of_the_shop_can_be_written_with_made_up_values():
    made = compiled(SHOP)
    kinds = {("latest", "add_to_cart", "price"): Values("number")}
    for variant in ("", "discount"):
        mail = written(made, kinds, segment="lapsed_vips", variant=variant)
        assert isinstance(mail, EmailContent), mail
    assert "SAMPLE-CODE" in mail.html
    assert mail.subject == "A thank-you: 10% off your [product]"


def an_email(words):
    return compiled({"templates/winback/_default/email.html": f"---\nsubject: s\n---\n<p>{words}</p>\n"})


def test_values_are_of_their_kind_and_among_those_there_are():
    kinds = {("userAttribute", "size"): Values("text", ("XL", "S")), ("userAttribute", "age"): Values("number")}
    made = an_email("{{ userAttribute.size }} {{ userAttribute.age + 1 }} {{ userAttribute.first_name }}")
    assert "XL 50 Ada" in written(made, kinds).html


def test_a_moment_of_the_past_is_one_that_people_recognise():
    assert "2 weeks ago" in written(an_email("{{ lastOccurrenceOf['purchase'] | time_ago }}"), {}).html


def test_what_a_message_knows_by_itself_is_not_made_up():
    made = an_email("{{ user_id }} {{ segment }}")
    assert "u1 lapsed" in written(made, {}).html


def test_others_are_made_up_for_templates_that_need_another_kind_of_word():
    made = an_email("{{ 5 | currency(userAttribute.money) }}")
    kinds = {("userAttribute", "money"): Values("text")}
    first, *others = [made.render(request(values, Channel.EMAIL, codes={})) for values in samples(made, kinds, NOW)]
    assert not isinstance(first, EmailContent)
    assert any(isinstance(answer, EmailContent) for answer in others)
