"""`vapid` makes keys that the provider takes and a browser can subscribe with."""

from orchestrator.providers import declaration_for, registry
from orchestrator.providers.es256 import based, private_key, public_bytes
from tests.cli.conftest import orchestrator


def test_each_pair_is_new_and_belongs_together(tmp_path):
    first, second = (orchestrator(tmp_path, "vapid", "--json").told for _ in range(2))
    assert first["private_key"] != second["private_key"]
    assert based(public_bytes(private_key(first["private_key"]))) == first["public_key"]
    settings = {"private_key": first["private_key"], "subject": "mailto:push@shop.example"}
    assert declaration_for(registry.provider("webpush"), settings).foreign
    assert list(tmp_path.iterdir()) == [], "nothing is written down"


def test_it_says_where_each_belongs(tmp_path):
    said = orchestrator(tmp_path, "vapid")
    assert (said.code, said.err) == (0, "")
    assert "applicationServerKey" in said.out
    assert "config/orchestrator.yaml" in said.out
