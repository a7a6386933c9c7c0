"""Every setting, typed, from the environment (and from `.env` beside manage.py where there is one)."""

import secrets
import sys
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")

# --- where things lie ---------------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=True)


def _secret_key() -> str:
    """The secret from the environment, or one made once for a single-box installation and kept in DATA_DIR."""
    if given := env.str("SECRET_KEY", default=""):
        return given
    if env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured("Set SECRET_KEY: an installation with DATABASE_URL must not make up its own.")
    kept = DATA_DIR / "secret_key"
    if not kept.is_file():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(48))
    return kept.read_text()


SECRET_KEY = _secret_key()
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is too short: give at least 32 random characters.")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")

# --- the house ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.RegistryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "accounts",
    "registry",
    "registry.mirrors",
    "registry.upstreams",
    "registry.webhooks",
    "licensing",
    "scanning",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.WhoIsAsking",
    "accounts.middleware.RateLimits",
    "accounts.middleware.EncodedSlashes",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

# Gates decide. Each is `(subject, actor) -> Verdict`, asked in this order, inside the activity.
REGISTRY_GATES = {
    "publishing": [
        "registry.gates.is_what_the_token_is_for",
        "registry.gates.name_is_free_or_ours",
        "registry.gates.name_is_not_reserved",
    ],
    "approving": [
        "registry.gates.checks_pass",
        "licensing.gates.license_is_allowed",
        "scanning.gates.is_safe",
        "scanning.gates.is_old_enough",
        "registry.upstreams.gates.review_policy",
    ],
    "downloading": [
        "registry.gates.is_visible",
        "licensing.gates.is_covered",
        "registry.gates.is_not_removed",
        "registry.gates.is_decided",
    ],
}
# Checks gather evidence, in the worker, in this order. Each is `(release) -> checking.Result`.
REGISTRY_CHECKS = {
    "archive": "registry.checking.check_archive",
    "manifest": "registry.checking.check_manifest",
    "integrity": "registry.checking.check_integrity",
    "signature": "registry.checking.check_signature",
    "name": "registry.checking.check_name",
    "license": "licensing.checks.check_license",
    "vulnerabilities": "scanning.checks.check_vulnerabilities",
    "age": "scanning.aging.check_age",
}
# What a bill of materials says beside components and dependencies. Each is `(bills.Bill, actor) -> None`.
REGISTRY_BILL_EXTRAS = ["scanning.disclosing.add_vulnerabilities"]
# What pages of the catalogue and the review show of a release, by name. Each is `(request, release) -> markup`.
REGISTRY_PANELS = {"security": "scanning.web.panel.show", "clashes": "licensing.web.panel.show"}
# What other apps say of packages that somebody uses, by subject (registry.advising).
REGISTRY_ADVICE = {"licenses": "licensing.advising.on_licenses", "flaws": "scanning.advising.on_flaws"}
# What maintainers may look at in the admin, beside deciding.
MAINTAINED_APPS = ("registry", "mirrors", "upstreams", "webhooks", "licensing", "scanning")
REVIEW_SELF_APPROVAL = env.bool("REVIEW_SELF_APPROVAL", default=False)
# Names that are ours before anything stands under them (npm:@acme/*, pypi:acme-*): no upstream is asked for them.
INTERNAL_NAMES = env.list("INTERNAL_NAMES", default=[])
# What policy says of versions before they are here. Each is `(foreseeing.Prospects, project_id) -> {version: reason}`.
REGISTRY_FORESIGHT = ["scanning.foreseeing.unsafe_or_too_new", "licensing.foreseeing.denied"]
PULL_THROUGH_SECONDS = env.float("PULL_THROUGH_SECONDS", default=30)
PULL_THROUGH_PER_HOUR = env.int("PULL_THROUGH_PER_HOUR", default=6000)
SYNC_STEP_SECONDS = env.float("SYNC_STEP_SECONDS", default=3)
SYNC_HISTORY_DAYS = env.int("SYNC_HISTORY_DAYS", default=90)
SYNC_PARALLEL = env.int("SYNC_PARALLEL", default=4)
# Whose ID tokens of pipelines may be exchanged for a token of minutes: github=URL, gitlab=URL or circleci=URL.
TRUSTED_ISSUERS = env.list(
    "TRUSTED_ISSUERS",
    default=[
        "github=https://token.actions.githubusercontent.com",
        "gitlab=https://gitlab.com",
        "circleci=https://oidc.circleci.com",
    ],
)
PURGE_GRACE_HOURS = env.int("PURGE_GRACE_HOURS", default=24)
GRACE_BY_DATABASE_CLOCK = True  # False where a test moves the clock of its process
RELEASE_TAKES_FILES_DAYS = env.int("RELEASE_TAKES_FILES_DAYS", default=14)
MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", default=512)
MAX_PRODUCT_MB = env.int("MAX_PRODUCT_MB", default=10240)
# Scanners that are programs of others. Without names: the embedded one, and what is found on PATH.
SCANNERS = env.list("SCANNERS", default=[])
SCANNER_PATHS = {
    name: env.str(f"{name.upper().replace('-', '_')}_PATH", default="")
    for name in ("trivy", "grype", "osv-scanner", "guarddog")
}
SCANNER_DATA_DIR = Path(env.str("SCANNER_DATA_DIR", default=str(DATA_DIR / "scanners"))).resolve()
SCANNER_TIMEOUT_SECONDS = env.float("SCANNER_TIMEOUT_SECONDS", default=120)
SCANNER_MEMORY_MB = env.int("SCANNER_MEMORY_MB", default=2048)
SCANNER_NETWORK = env.bool("SCANNER_NETWORK", default=False)
RATE_LIMIT_ANONYMOUS = env.str("RATE_LIMIT_ANONYMOUS", default="100/m")
RATE_LIMIT_FREE = env.str("RATE_LIMIT_FREE", default="1200/h")
RATE_LIMIT_ENTERPRISE = env.str("RATE_LIMIT_ENTERPRISE", default="12000/h")
COUNTERS_FILE = DATA_DIR / "counters.sqlite3"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
SCAN_DEADLINE_SECONDS = env.int("SCAN_DEADLINE_SECONDS", default=900)
SCAN_HISTORY = env.int("SCAN_HISTORY", default=20)
RESCAN_DAYS = env.int("RESCAN_DAYS", default=7)
WAIVER_MAX_DAYS = env.int("WAIVER_MAX_DAYS", default=180)
# Mirrors stand in the European Economic Area, unless an instance elsewhere switches this off.
MIRROR_RESIDENCY = env.bool("MIRROR_RESIDENCY", default=True)
MIRROR_STORAGE_URL = env.str("MIRROR_STORAGE_URL", default="file:mirrors/{region}")
AUDIT_RETENTION_DAYS = env.int("AUDIT_RETENTION_DAYS", default=0)
DOWNLOAD_RECORD_DAYS = env.int("DOWNLOAD_RECORD_DAYS", default=400)
WEBHOOK_HISTORY_DAYS = env.int("WEBHOOK_HISTORY_DAYS", default=30)

# --- database, cache, broker --------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'registry.sqlite3'}"
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;PRAGMA cache_size=-32000;"
        ),
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
CELERY_BROKER_URL = REDIS_URL or "memory://"
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=120)
JOB_LIMIT_SECONDS = env.int("JOB_LIMIT_SECONDS", default=3600)
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=5)

# --- bytes --------------------------------------------------------------------------------------------------------
# A directory by default; s3://bucket/prefix?endpoint_url=… for S3. Credentials come from AWS_* in the environment.
STORAGE_URL = env.str("STORAGE_URL", default=f"file://{DATA_DIR / 'blobs'}")
SCRUB_DAYS = env.float("SCRUB_DAYS", default=7)
SCRUB_MB_PER_ROUND = env.int("SCRUB_MB_PER_ROUND", default=512)
STAGING_DIR = Path(env.str("STAGING_DIR", default=str(DATA_DIR / "staging")))
# How stored bytes leave: by this process, by nginx in front of it (a directory), or straight from the bucket (S3).
DOWNLOAD_VIA = env.str("DOWNLOAD_VIA", default="stream")
ACCEL_PREFIX = env.str("ACCEL_PREFIX", default="/_blobs/")
PRESIGN_SECONDS = env.int("PRESIGN_SECONDS", default=60)
UPLOAD_STALL_SECONDS = env.float("UPLOAD_STALL_SECONDS", default=60)
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
TESTING = "pytest" in sys.modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG or TESTING
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "jpg", "png", "webp", "gz", "br", "woff", "woff2")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

# --- people -------------------------------------------------------------------------------------------------------
# The first one answers passwords; the second one never does, and is how a session says that GitHub vouched for it.
AUTHENTICATION_BACKENDS = ["accounts.signing_in.LimitedBackend", "accounts.signing_in.GitHubBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
GITHUB_CLIENT_ID = env.str("GITHUB_CLIENT_ID", default="")
GITHUB_CLIENT_SECRET = env.str("GITHUB_CLIENT_SECRET", default="")
GITHUB_URL = env.str("GITHUB_URL", default="https://github.com").rstrip("/")
GITHUB_TIMEOUT_SECONDS = 8.0
SOCIALACCOUNT_ADAPTER = "accounts.web.github_dialogue.Decisions"
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_EMAIL_VERIFICATION = "none"  # this library is to send no e-mail
MFA_REQUIRED_ROLES = [role.strip() for role in env.list("MFA_REQUIRED_ROLES", default=[]) if role.strip()]
if not {"maintainer", "admin"}.issuperset(MFA_REQUIRED_ROLES):
    raise ImproperlyConfigured("MFA_REQUIRED_ROLES: name maintainer, admin, or both with a comma between.")
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds that a clock may be off
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="registry@localhost")

# --- language and time --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- what browsers may do -----------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
HTTPS = env.bool("HTTPS", default=PUBLIC_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "accounts.web.errors.forged"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# Scripts of other sites speak to the API with tokens, never with the session of whoever reads the site.
CORS_ORIGINS = env.list("CORS_ORIGINS", default=[])
CORS_ALLOW_ALL_ORIGINS = CORS_ORIGINS == ["*"]
CORS_ALLOWED_ORIGINS = [] if CORS_ALLOW_ALL_ORIGINS else CORS_ORIGINS
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/(api/v1|v1|product|health)(/|$)"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "range",
    "x-api-key",
    "x-api-token",
    "x-project-id",
    "x-signature",
]
CORS_EXPOSE_HEADERS = [
    *("Content-Disposition", "Content-Range", "Date", "ETag", "Link", "Retry-After", "X-Token-Expires-At"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Checksum-Sha256"),
]

# --- the API ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsing.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.rendering.JSONOnly",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CodeSync Registry API",
    "DESCRIPTION": (
        "Publish, submit, review, find, audit, download and sync packages. "
        "Every route under `/api/v1` answers identically under `/v1`."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "TAGS": [
        {"name": name}
        for name in (
            *("Packages", "Review", "Security", "Regions", "Pull sync"),
            *("Licences", "Tokens", "Signing keys", "Products"),
        )
    ],
    "PATH_CONVERTER_OVERRIDES": {
        "package": {"type": "string", "pattern": "^[^/]+$", "description": "The name; a scope's slash as `%2F`"},
        "version": {"type": "string", "pattern": "^[^/]+$", "description": "A version, or a dist-tag"},
        "key": {"type": "string", "format": "uuid"},
    },
    "PREPROCESSING_HOOKS": ["registry.api.schema.only_first_base"],
    "POSTPROCESSING_HOOKS": ["registry.api.schema.with_scopes", "registry.api.schema.closed_objects"],
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "accounts.discretion.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.request": {"level": "ERROR"}},
}
