"""The schemas for editors allow what the product allows, and complete the keys it knows."""

import json

import pytest
from jsonschema import Draft202012Validator

from orchestrator.config import SCHEMA_OF, schemas
from orchestrator.config.sheets import read_sheet
from tests.config.builders import DATA, SETTINGS, VIPS, WINBACK, the_example, with_edit


def schema_of(file):
    folder = file.rsplit("/", 1)[0] + "/*.yaml"
    return schemas()[next(name for name, files in SCHEMA_OF.items() if files in {file, folder})]


def objections(file, content):
    return list(Draft202012Validator(schema_of(file)).iter_errors(read_sheet(file, content)[0].value))


@pytest.mark.parametrize("name", SCHEMA_OF)
def test_every_schema_is_one_and_can_be_written_as_json(name):
    Draft202012Validator.check_schema(schemas()[name])
    assert json.loads(json.dumps(schemas()[name])) == schemas()[name]


@pytest.mark.parametrize("file", [file for file in the_example() if file.startswith("config/")])
def test_the_example_fits_its_schemas(file):
    assert objections(file, the_example()[file]) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (WINBACK, "topic: offers", "tpoic: offers"),
        (WINBACK, "state: live", "state: alive"),
        (WINBACK, "first_of", "firstof"),
        (SETTINGS, "deliver: sink", "deliver: sinks"),
        (SETTINGS, "postal:", "postel:"),
        (DATA, "email: email", "email: e-mail"),
        (VIPS, "attribute: country", "atribute: country"),
        (VIPS, "within: 48 hours", "withn: 48 hours"),
    ],
)
def test_a_slip_is_marked_while_it_is_typed(file, old, new):
    assert objections(file, with_edit(file, old, new)[file])
