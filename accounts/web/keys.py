"""`/profile/keys`: the keys that packages are signed with."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import signing_keys, ssh_keys
from accounts.actors import Actor
from accounts.models import SigningKey, User
from accounts.web.doors import attempt, carry_out, person
from accounts.web.forms import NewSigningKeyForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys_page(request: HttpRequest) -> HttpResponse:
    """The person's keys with their fingerprints, and the form for another one."""
    user, actor = person(request)
    form = NewSigningKeyForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid() and _register(request, form, user, actor):
        return redirect("signing-keys")
    keys = list(SigningKey.objects.filter(user=user))
    context = {
        "tab": "keys",
        "form": form,
        "live": [(key, ssh_keys.described(key.public_key, key.name)) for key in keys if key.removed_at is None],
        "removed": [key for key in keys if key.removed_at is not None],
    }
    return render(request, "accounts/keys.html", context, status=400 if form.is_bound else 200)


@require_POST
def remove(request: HttpRequest, key_id: int) -> HttpResponse:
    """Let a key of one's own sign nothing new."""
    user, actor = person(request)
    key = get_object_or_404(SigningKey, pk=key_id, user=user)
    carry_out(
        request,
        lambda: signing_keys.remove(key, actor),
        _("“%(name)s” signs nothing new. What it signed stays valid.") % {"name": key.name},
    )
    return redirect("signing-keys")


def _register(request: HttpRequest, form: NewSigningKeyForm, user: User, actor: Actor) -> SigningKey | None:
    wanted = form.cleaned_data
    return attempt(request, form, lambda: signing_keys.register(user, wanted["name"], wanted["public_key"], actor))
