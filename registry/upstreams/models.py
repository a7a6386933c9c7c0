"""Registries that packages are pulled from, what they offer, and the runs that pull."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.models.packages import Ecosystem, Package


class Upstream(models.Model):
    """A registry that packages are pulled from."""

    class Kind(models.TextChoices):
        ARTIFACTORY = "artifactory", "JFrog Artifactory"
        NPM = "npm", _("npm registry")
        PYPI = "pypi", _("Python index")
        REGISTRY = "registry", _("Another instance of this portal")

    class Login(models.TextChoices):
        NONE = "", _("none")
        BASIC = "basic", _("user name and password")
        API_KEY = "api_key", _("API key")
        BEARER = "bearer", _("bearer token")

    class Asker(models.TextChoices):
        PEOPLE = "people", _("people who are signed in, and their tokens")
        EVERYBODY = "everybody", _("everybody")

    name = models.SlugField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    base_url = models.CharField(_("address"), max_length=500)
    repository = models.CharField(_("repository"), max_length=200, blank=True)
    ecosystem = models.CharField(
        _("ecosystem"),
        max_length=16,
        choices=Ecosystem.choices,
        blank=True,
        help_text=_("What an Artifactory repository holds; the other kinds know it themselves."),
    )
    login = models.CharField(_("sign-in"), max_length=16, choices=Login.choices, blank=True)
    user_name = models.CharField(_("user name"), max_length=200, blank=True)
    secret = models.TextField(blank=True, editable=False, help_text="Sealed; never shown again")
    allows_private = models.BooleanField(
        _("may be inside private networks"),
        default=False,
        help_text=_("Without this, addresses of this network and plain http are never visited."),
    )

    include = models.JSONField(_("take"), default=list, blank=True)
    exclude = models.JSONField(_("leave out"), default=list, blank=True)
    project = models.ForeignKey(
        "accounts.Project", verbose_name=_("project"), on_delete=models.PROTECT, related_name="+"
    )
    visibility = models.CharField(
        _("visibility"), max_length=16, choices=Package.Visibility.choices, default=Package.Visibility.PUBLIC
    )
    needs_review = models.BooleanField(
        _("a maintainer decides"),
        default=True,
        help_text=_("Without this, the review policy of the project counts for what is pulled from here."),
    )

    pulls_through = models.BooleanField(
        _("pull through"),
        default=False,
        help_text=_("What nobody has asked for yet is fetched, checked and judged when a client first asks for it."),
    )
    pull_through_for = models.CharField(
        _("pull through for"), max_length=16, choices=Asker.choices, default=Asker.PEOPLE,
        help_text=_("Others are given what is here already."),
    )  # fmt: skip

    enabled = models.BooleanField(_("enabled"), default=True)
    every_hours = models.PositiveSmallIntegerField(
        _("every … hours"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("24 is once a day. Empty: only when somebody asks."),
    )  # fmt: skip
    due_at = models.DateTimeField(_("next"), null=True, blank=True, editable=False, db_index=True)
    max_file_mb = models.PositiveIntegerField(
        _("largest file, in MB"), default=128, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    requests_per_second = models.PositiveSmallIntegerField(
        _("requests in a second"), default=20, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    bookmark = models.JSONField(default=dict, editable=False, help_text="What the last complete listing reached")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("upstream")
        verbose_name_plural = _("upstreams")

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """What somebody, or a schedule, asked for: to pull from one upstream or several. Its parts are the pulls."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        PARTIAL = "partial", _("Partial")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("asked by"),
    )  # fmt: skip
    is_full = models.BooleanField(_("lists everything again"), default=False)
    started_at = models.DateTimeField(_("begun"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    created_at = models.DateTimeField(_("asked"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will be done any more."""
        return self.state not in ACTIVE


ACTIVE = (SyncRun.State.QUEUED, SyncRun.State.RUNNING)


class Pull(models.Model):
    """The part of a run at one upstream: where the listing stands, and what became of what was listed."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="pulls")
    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="pulls")
    state = models.CharField(_("state"), max_length=16, choices=SyncRun.State.choices, default=SyncRun.State.QUEUED)
    since = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    bookmark = models.JSONField(default=dict)
    is_listed = models.BooleanField(default=False)
    pages = models.PositiveIntegerField(_("pages"), default=0, help_text="Written so far; who writes one moves it on")
    total = models.PositiveIntegerField(_("listed"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    setbacks = models.PositiveIntegerField(default=0, help_text="Times in a row that the upstream was not to be had")
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("pull")
        verbose_name_plural = _("pulls")
        constraints = [
            models.UniqueConstraint(fields=["upstream"], condition=Q(state__in=ACTIVE), name="pull_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.upstream} ({self.state})"


class Offer(models.Model):
    """A file that an upstream has, as it says, and what became of it here. Its first digest is kept for good."""

    class State(models.TextChoices):
        WANTED = "wanted", _("Wanted")
        HELD = "held", _("Held here")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused")

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="offers", verbose_name=_("upstream"))
    key = models.CharField(max_length=64, help_text="Digest of ecosystem, name, version and file name")
    claim = models.CharField(max_length=64, help_text="Digest of everything that the upstream says of it")
    ecosystem = models.CharField(_("ecosystem"), max_length=16, choices=Ecosystem.choices)
    name = models.CharField(_("name"), max_length=214)
    normalized = models.CharField(max_length=214)
    version = models.CharField(_("version"), max_length=128)
    filename = models.CharField(_("file"), max_length=255)
    locator = models.TextField()
    size = models.PositiveBigIntegerField(_("size"), null=True, blank=True)
    digests = models.JSONField(default=dict)
    mark = models.CharField(max_length=200, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    deprecated = models.TextField(blank=True)
    yanked = models.TextField(blank=True)
    signature = models.TextField(blank=True)

    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.WANTED)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the bytes when they were first taken")
    release = models.ForeignKey("registry.Release", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pull = models.ForeignKey(Pull, null=True, blank=True, on_delete=models.SET_NULL, related_name="offers")
    seen_at = models.DateTimeField(_("seen"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [models.UniqueConstraint(fields=["upstream", "key"], name="offer_once")]
        indexes = [
            models.Index(fields=["pull", "state", "normalized", "version"], name="offer_to_do"),
            models.Index(fields=["upstream", "state"], name="offer_by_state"),
            models.Index(fields=["ecosystem", "normalized"], name="offer_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.filename})"


class Trouble(models.Model):
    """What could not be taken in a run, and why: one package, one sentence."""

    pull = models.ForeignKey(Pull, on_delete=models.CASCADE, related_name="troubles")
    package = models.CharField(_("package"), max_length=400)
    error = models.TextField(_("error"))
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("trouble")
        verbose_name_plural = _("troubles")

    def __str__(self) -> str:
        return f"{self.package}: {self.error}"


class Shelf(models.Model):
    """What an upstream says that it has of one name, asked for by a client: kept for a while, with its ETag.

    `body` holds `through.facts` of what was found. Who holds the lease is asking the upstream now.
    """

    class State(models.TextChoices):
        NEW = "new", _("Never asked for")
        FOUND = "found", _("Found")
        ABSENT = "absent", _("Not there")

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="shelves")
    ecosystem = models.CharField(max_length=16, choices=Ecosystem.choices)
    normalized = models.CharField(max_length=214)
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    body = models.BinaryField(default=bytes)
    etag = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True, help_text="Why it could not be asked the last time")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the upstream last answered")
    due_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="Until then nobody asks again")
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upstream", "ecosystem", "normalized"], name="shelf_once")]
        indexes = [models.Index(fields=["ecosystem", "normalized"], name="shelf_by_name")]
        verbose_name_plural = "shelves"

    def __str__(self) -> str:
        return f"{self.ecosystem}:{self.normalized} ({self.state})"


class Errand(models.Model):
    """One version that a client asked for before it was here: however many ask, it is brought once."""

    class State(models.TextChoices):
        OPEN = "open", _("Under way")
        DONE = "done", _("Here")
        FAILED = "failed", _("Failed")

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="errands")
    ecosystem = models.CharField(max_length=16, choices=Ecosystem.choices)
    name = models.CharField(max_length=214)
    normalized = models.CharField(max_length=214)
    version = models.CharField(max_length=128)
    canonical = models.CharField(max_length=128)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    code = models.CharField(max_length=48, blank=True, help_text="Why it failed, for programs")
    error = models.TextField(blank=True)
    release = models.ForeignKey("registry.Release", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    again_at = models.DateTimeField(null=True, blank=True, help_text="Until then the failure is the answer")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ecosystem", "normalized", "canonical"], name="errand_once")]

    def __str__(self) -> str:
        return f"{self.ecosystem}:{self.name}@{self.version} ({self.state})"
