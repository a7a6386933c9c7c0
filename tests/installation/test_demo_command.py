"""The demo as a command, on a portal that has nothing and on one that has something."""

import io

from django.core.management import call_command

from registry import demo
from registry.demo.story import STORY
from registry.models import Release
from tests import builders


def test_a_portal_with_content_of_its_own_is_left_alone(acme, alice):
    builders.package(acme)
    assert demo.load(io.StringIO()).startswith("left out")
    assert Release.objects.count() == 0


def test_it_shows_progress(db):
    out = io.StringIO()
    call_command("demo", stdout=out)
    assert f"{len(STORY)}/{len(STORY)}" in out.getvalue()
