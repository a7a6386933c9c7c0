"""What import-linter cannot see: foreign keys, names in strings, and that the contracts themselves hold."""

import re

import pytest
from django.apps import apps

from tests.architecture.sources import ROOT, modules, name_of, strings

pytestmark = pytest.mark.once
NESTED = ("mirrors", "upstreams", "webhooks")
FLOOR = {"accounts": 0, "registry": 1, **dict.fromkeys(NESTED, 1), "licensing": 2, "scanning": 2, "config": 3}
ABOVE = {
    "accounts": ("registry", "licensing", "scanning", "config"),
    "registry": ("licensing", "scanning", "config"),
    "licensing": ("scanning", "config"),
    "scanning": ("licensing", "config"),
}
OURS = [config for config in apps.get_app_configs() if config.label in FLOOR]


def relations():
    """(model, field) of every foreign key, one-to-one and many-to-many that our own models define."""
    for config in OURS:
        for model in config.get_models():
            for field in model._meta.get_fields():
                if field.is_relation and not field.auto_created and field.related_model is not None:
                    yield model, field


def test_foreign_keys_point_down():
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model, field in relations()
        if FLOOR.get(field.related_model._meta.app_label, -1) > FLOOR[model._meta.app_label]
    ]
    assert upward == []


def test_foreign_keys_between_apps_leave_no_trace_below():
    visible = [
        f"{model._meta.label}.{field.name}"
        for model, field in relations()
        if model._meta.app_label != field.related_model._meta.app_label
        and field.related_model._meta.app_label in FLOOR
        and not field.remote_field.hidden
    ]
    assert visible == []


@pytest.mark.parametrize("app", sorted(ABOVE))
def test_no_string_names_an_app_above(app: str):
    pattern = re.compile(rf"({'|'.join(ABOVE[app])})(\.[A-Za-z_]\w*)*")
    named = [
        f"{name_of(path)}:{line} {text!r}"
        for path in modules(app)
        for line, text in strings(path)
        if pattern.fullmatch(text) and not (text == "config.settings" and "celery" in path.name)
    ]
    assert named == []


def test_the_import_contracts_hold(monkeypatch):
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_no_model_does_its_work_in_save_or_by_model_signals():
    own_save = [model._meta.label for config in OURS for model in config.get_models() if "save" in vars(model)]
    assert own_save == []
    signals = re.compile(r"(pre|post)_(save|delete)")
    listening = [name_of(path) for path in modules(*FLOOR) if signals.search(path.read_text())]
    assert listening == []
