"""The gates, checks and extras that the settings name exist; a wrong name stops the start, it opens nothing."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.utils.module_loading import import_string

pytestmark = pytest.mark.once


def problems() -> list[str | None]:
    """The ids of our own system checks that complain."""
    return [message.id for message in run_checks(tags=["registry"])]


def test_every_gate_check_and_extra_in_the_settings_can_be_called():
    paths = [path for gates in settings.REGISTRY_GATES.values() for path in gates]
    paths += [*settings.REGISTRY_PANELS.values(), *settings.REGISTRY_CHECKS.values(), *settings.REGISTRY_BILL_EXTRAS]
    paths += settings.REGISTRY_ADVICE.values()
    for path in paths:
        assert callable(import_string(path)), path
    assert problems() == []


def test_a_gate_that_does_not_exist_stops_the_start(settings):
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "downloading": ["registry.gates.is_closed_on_sundays"]}
    assert problems() == ["registry.E003"]


def test_a_gate_that_is_no_function_stops_the_start(settings):
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "downloading": ["registry.gates.ORDER"]}
    assert problems() == ["registry.E003"]


def test_a_question_without_gates_stops_the_start(settings):
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "downloading": []}
    assert problems() == ["registry.E002"]


def test_a_question_that_nobody_asks_stops_the_start(settings):
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "sneezing": ["registry.gates.is_visible"]}
    assert problems() == ["registry.E001"]


def test_a_check_that_does_not_exist_stops_the_start(settings):
    settings.REGISTRY_CHECKS = {**settings.REGISTRY_CHECKS, "taste": "registry.checking.check_taste"}
    assert problems() == ["registry.E004"]


def test_an_extra_of_bills_that_does_not_exist_stops_the_start(settings):
    settings.REGISTRY_BILL_EXTRAS = ["scanning.disclosing.add_good_wishes"]
    assert problems() == ["registry.E005"]


@pytest.mark.parametrize("advice", [{"licenses": "licensing.advising.on_taste"}, {}])
def test_advice_that_nobody_gives_stops_the_start(settings, advice):
    settings.REGISTRY_ADVICE = advice
    assert problems() == ["registry.E007"]
