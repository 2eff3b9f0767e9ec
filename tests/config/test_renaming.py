"""Which campaign is which after a change of names."""

from orchestrator.config import Versions, file_changes, load
from orchestrator.config.renaming import likeness, renamed_campaigns
from tests.config.builders import the_example

FILES = the_example()


def renamed(old, new, files=FILES):
    ends = {f"config/campaigns/{old}.yaml": f"config/campaigns/{new}.yaml"}
    return {
        ends.get(path, path.replace(f"templates/{old}/", f"templates/{new}/")): text for path, text in files.items()
    }


def test_a_file_that_is_half_the_same_is_the_campaign_under_another_name():
    after = renamed("winback", "come_back")
    assert renamed_campaigns(FILES, after) == {"come_back": "winback"}
    path = "config/campaigns/come_back.yaml"
    most = b"".join(after[path].splitlines(keepends=True)[:-6]) + b"# another end\n"
    assert renamed_campaigns(FILES, {**after, path: most}) == {"come_back": "winback"}
    assert renamed_campaigns(FILES, {**after, path: b"about: something else\n"}) == {}


def test_a_copy_is_no_rename_and_neither_is_a_file_that_went_with_nothing_new():
    both = {**FILES, "config/campaigns/hello.yaml": FILES["config/campaigns/new_in.yaml"]}
    assert renamed_campaigns(FILES, both) == {}
    assert renamed_campaigns(both, FILES) == {}


def test_two_that_swap_nothing_but_names_are_told_apart_by_what_is_most_alike():
    after = renamed("new_in", "fresh", renamed("winback", "come_back"))
    assert renamed_campaigns(FILES, after) == {"come_back": "winback", "fresh": "new_in"}
    twin = {
        **FILES,
        "config/campaigns/b.yaml": FILES["config/campaigns/new_in.yaml"],
        "templates/b/_default/sms.txt": b"hi",
    }
    later = renamed("b", "b2", renamed("new_in", "fresh", twin))
    assert renamed_campaigns(twin, later) == {"b2": "b", "fresh": "new_in"}, "equal files: their templates decide"


def test_files_that_only_moved_have_nothing_to_say_and_those_that_changed_say_how():
    after = renamed("winback", "come_back")
    path = "config/campaigns/come_back.yaml"
    after[path] = after[path].replace(b"holdout: 10%", b"holdout: 20%")
    changes = file_changes(FILES, after)
    assert {it.how for it in changes} == {"renamed"}
    assert {it.file: it.words for it in changes if it.words} == {path: ("experiment.holdout: 10% → 20%",)}
    assert {it.was for it in changes} == {name for name in FILES if name not in after}
    before, now = (load(files).project for files in (FILES, after))
    versions = Versions(before, now, FILES, after)
    assert versions.campaigns() == ["come_back"]
    assert versions.concern(changes, "come_back") == changes


def test_likeness_is_the_share_of_the_longer_text():
    assert likeness(b"", b"") == likeness(b"a\n", b"a\n") == 1.0
    assert likeness(b"a\nb\n", b"b\nc\n") == 0.5
    assert likeness(b"a\n", b"a\nb\nc\nd\n") == 0.25
