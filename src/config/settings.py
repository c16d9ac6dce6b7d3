"""Settings: typed, from the environment (and `.env` in development), refused at start when wrong.

Names are those of `.env.example`. Development makes the secrets that it misses and keeps them in its
home folder; production refuses to start on a missing or weak one and names it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

WEAK_BELOW_BYTES = 32
"""Shorter signing secrets than this are refused (RFC 7518 §3.2 asks as much of HS256)."""

REQUESTS_AT_ONCE = 48
"""Of one web process; deploy/nginx/upstream.conf counts with it."""

FAWATERK_KEY_AT_LEAST = 16
"""Characters of a key or secret that Fawaterk gives out: theirs to choose, so shorter than ours may be."""

# Schemes that browsers give a meaning of their own are no app's.
_APP_ADDRESS = re.compile(
    r"(?!(?:javascript|data|vbscript|file|blob|about|https?)://)[a-z][a-z0-9+.-]{1,30}://|[a-z0-9.-]+(?::\d{1,5})?"
)


class Environment(StrEnum):
    """Where the process runs; decides what it may make up for itself."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting is missing or unusable; the message names it and says what would be accepted."""


@dataclass(frozen=True, slots=True)
class FawaterkSettings:
    """The merchant account; `base_url` carries the version's path, plain http only to loopback."""

    base_url: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api_version: str = "v2"
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    former_webhook_secret: str = field(default="", repr=False)
    """While the vendor key rotates: what was signed with the one before is still genuine."""
    sar_code: str = "SR"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.webhook_secret, self.former_webhook_secret)))

    @property
    def root(self) -> str:
        """The host's address, where tokens are fetched whatever the version."""
        return self.base_url.removesuffix(f"/api/{self.api_version}")

    def address_of(self, version: str) -> str:
        """Where a version of the interface is, `v2` or `v3`: one host serves both."""
        return self.base_url if version == self.api_version else f"{self.root}/api/{version}"


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """The account at Stripe; `api_base` is without the version's path, plain http only to loopback."""

    api_base: str
    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """One, or two while the endpoint's secret is rotated; each verifies."""

    @property
    def is_live(self) -> bool:
        """Whether the key takes real money."""
        return "_live_" in self.api_key


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """The account that delivers short messages; `sender` is its number in E.164, or a name of up to 11 characters."""

    base_url: str
    account_sid: str
    auth_token: str = field(repr=False)
    sender: str


@dataclass(frozen=True, slots=True)
class FcmSettings:
    """The service account that sends pushes by FCM HTTP v1, as Google's file for it names these."""

    base_url: str
    token_uri: str
    project_id: str
    client_email: str
    private_key_id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations. Durations are in seconds unless named otherwise."""

    environment: Environment
    home: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    port: int
    backend_url: str
    jwt_signing_keys: Mapping[str, str] = field(repr=False)
    field_encryption_keys: tuple[str, ...] = field(repr=False)
    payment_gateways: tuple[str, ...]
    sandbox_secret: str = field(repr=False)
    fawaterk: FawaterkSettings | None
    stripe: StripeSettings | None
    smtp_url: str = field(repr=False)
    mail_from: str
    twilio: TwilioSettings | None
    fcm: FcmSettings | None
    storage_url: str
    cors_origins: tuple[str, ...]
    app_link_hosts: tuple[str, ...]
    apple_app_ids: tuple[str, ...]
    android_apps: tuple[tuple[str, str], ...]
    rate_limit_scale: float
    requests_at_once: int
    trusted_proxies: int
    bcrypt_cost: int
    booking_hold_minutes: int
    log_format: str
    log_folder: Path | None = None
    """Where whoever runs the system keeps its log files, for the night's cleaning to compress old ones."""
    crash_point: str = ""
    """Where this process is to die (infrastructure/crash_points.py); for tests of what a death leaves behind."""
    of_gateways: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the environment says under names that begin with an enabled gateway's: NILE_PAY_API_KEY for nile_pay."""

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION


def load_settings(environ: Mapping[str, str] | None = None, *, root: Path | None = None) -> Settings:
    """Read and check every setting. Raises SettingsError naming the first that cannot be used.

    `root` is the project folder: `.env` is read from it, outside production, for names that the
    environment does not set, and `ALTAYAR_HOME` defaults to `.altayar` in it.
    """
    root = root or Path.cwd()
    given = dict(environ if environ is not None else os.environ)
    environment = _environment(given.get("ENVIRONMENT", ""))
    values = given if environment is Environment.PRODUCTION else {**_dotenv(root / ".env"), **given}
    return _Reader(values, environment, root).settings()


def _environment(text: str) -> Environment:
    try:
        return Environment(text or "development")
    except ValueError:
        raise SettingsError("ENVIRONMENT is development, test or production") from None


def _dotenv(path: Path) -> dict[str, str]:
    """`NAME=value` lines; blank lines and lines that start with # are skipped, outer quotes removed."""
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text("utf-8").splitlines() if _is_assignment(line))
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs}


def _is_assignment(line: str) -> bool:
    return "=" in line and not line.lstrip().startswith("#")


@dataclass
class _Reader:
    values: Mapping[str, str]
    environment: Environment
    root: Path

    def settings(self) -> Settings:
        production = self.environment is Environment.PRODUCTION
        home = Path(self.text("ALTAYAR_HOME") or self.root / ".altayar").absolute()
        port = self.whole("PORT", 8000, 1, 65_535)
        settings = Settings(
            environment=self.environment,
            home=home,
            database_url=self.url(
                "DATABASE_URL", ("postgresql", "postgres", "postgresql+psycopg"), required=production
            ),
            redis_url=self.url("REDIS_URL", ("redis", "rediss", "unix"), required=production),
            port=port,
            backend_url=self.backend_url(port),
            jwt_signing_keys=self.signing_keys(home),
            field_encryption_keys=self.encryption_keys(home),
            payment_gateways=self.gateways(),
            sandbox_secret=self.secret("SANDBOX_SECRET", home) if "sandbox" in self.gateways() else "",
            fawaterk=self.fawaterk(),
            stripe=self.stripe(),
            smtp_url=self.url("SMTP_URL", ("smtp", "smtps")),
            mail_from=self.text("MAIL_FROM", "AltayarVIP <no-reply@altayar.test>"),
            twilio=self.twilio(),
            fcm=self.fcm(),
            storage_url=self.url("STORAGE_URL", ("file",)) or (home / "storage").as_uri(),
            cors_origins=self.listed("CORS_ORIGINS"),
            app_link_hosts=self.app_link_hosts(),
            apple_app_ids=self.apple_app_ids(),
            android_apps=self.android_apps(),
            rate_limit_scale=self.fraction("RATE_LIMIT_SCALE", 1.0),
            requests_at_once=self.whole("REQUESTS_AT_ONCE", REQUESTS_AT_ONCE, 4, 10_000),
            trusted_proxies=self.whole("TRUSTED_PROXIES", 0, 0, 10),
            bcrypt_cost=self.whole("BCRYPT_COST", 12, 12 if production else 4, 16),
            booking_hold_minutes=self.whole("BOOKING_HOLD_MINUTES", 30, 1, 7 * 24 * 60),
            log_format=self.text("LOG_FORMAT", "json" if production else "console"),
            log_folder=Path(self.text("LOG_FOLDER")).absolute() if self.text("LOG_FOLDER") else None,
            crash_point=self.crash_point(),
            of_gateways=self.of_gateways(),
        )
        if production:
            _refuse_for_production(settings)
        return settings

    def text(self, name: str, default: str = "") -> str:
        # Trimmed: a newline at the end of a pasted key breaks both bearer headers and signatures.
        return self.values.get(name, "").strip() or default

    def listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise SettingsError(f"{name} is a whole number from {least} to {most}, not {text!r}")
        return int(text)

    def one_of(self, name: str, *accepted: str) -> str:
        """The first where none is given."""
        text = self.text(name, accepted[0])
        if text not in accepted:
            raise SettingsError(f"{name} is {' or '.join(accepted)}, not {text!r}")
        return text

    def fraction(self, name: str, default: float) -> float:
        text = self.text(name, str(default))
        try:
            number = float(text)
        except ValueError:
            raise SettingsError(f"{name} is a number, not {text!r}") from None
        if not 0 < number < 1e9:
            raise SettingsError(f"{name} is above zero, not {text!r}")
        return number

    def url(self, name: str, schemes: tuple[str, ...], *, required: bool = False) -> str:
        text = self.text(name)
        if required and not text:
            raise SettingsError(f"{name} is required in production")
        if text and urlsplit(text).scheme not in schemes:
            raise SettingsError(f"{name} starts with {' or '.join(s + '://' for s in schemes)}")
        return text

    def backend_url(self, port: int) -> str:
        return (self.url("BACKEND_URL", ("http", "https")) or f"http://127.0.0.1:{port}").rstrip("/")

    def gateways(self) -> tuple[str, ...]:
        default = () if self.environment is Environment.PRODUCTION else ("sandbox", "manual")
        return tuple(name.lower() for name in self.listed("PAYMENT_GATEWAYS")) or default

    def crash_point(self) -> str:
        point = self.text("CRASH_POINT")
        if point and self.environment is Environment.PRODUCTION:
            raise SettingsError("CRASH_POINT kills processes and is refused in production")
        if point and not re.fullmatch(r"[a-z_]+\.(before_commit|after_commit|before_call|after_answer)", point):
            raise SettingsError("CRASH_POINT is such as receive_webhook.after_commit or create_checkout.before_call")
        return point

    def of_gateways(self) -> dict[str, str]:
        prefixes = tuple(f"{name.upper()}_" for name in self.gateways())
        return {name: self.text(name) for name in self.values if name.startswith(prefixes)}

    def secret(self, name: str, home: Path) -> str:
        """A secret of at least 32 bytes; outside production one is made, and kept, where none is given."""
        text = self.text(name)
        if not text and self.environment is not Environment.PRODUCTION:
            return _kept_secret(home, name)
        if len(text.encode()) < WEAK_BELOW_BYTES:
            raise SettingsError(f"{name} is missing or shorter than {WEAK_BELOW_BYTES} bytes")
        return text

    def signing_keys(self, home: Path) -> dict[str, str]:
        """`kid:secret,kid:secret`; the first signs, all verify, so that keys rotate without a logout."""
        pairs = [part.partition(":") for part in self.secret("JWT_SIGNING_KEYS", home).split(",")]
        keys = {kid.strip(): secret.strip() for kid, colon, secret in pairs if colon} or {"1": pairs[0][0]}
        for kid, secret in keys.items():
            if not kid or len(secret.encode()) < WEAK_BELOW_BYTES:
                raise SettingsError(f"JWT_SIGNING_KEYS: key {kid!r} is shorter than {WEAK_BELOW_BYTES} bytes")
        return keys

    def encryption_keys(self, home: Path) -> tuple[str, ...]:
        """Comma-separated secrets; the first encrypts, all decrypt."""
        keys = tuple(part.strip() for part in self.secret("FIELD_ENCRYPTION_KEYS", home).split(","))
        if any(len(key.encode()) < WEAK_BELOW_BYTES for key in keys):
            raise SettingsError(f"FIELD_ENCRYPTION_KEYS: every key has at least {WEAK_BELOW_BYTES} bytes")
        return keys

    def fawaterk(self) -> FawaterkSettings | None:
        """One account; the credentials of API v3 are needed by it, and by v2 for refunds alone."""
        if "fawaterk" not in self.gateways():
            return None
        version = self.one_of("FAWATERK_API_VERSION", "v2", "v3")
        secret, former = self.fawaterk_secrets()
        client_id, client_secret = self.fawaterk_credentials(required=version == "v3")
        return FawaterkSettings(
            base_url=self.fawaterk_address(version, has_credentials=bool(client_id)),
            api_key=self.text("FAWATERK_API_KEY"),
            webhook_secret=secret,
            api_version=version,
            client_id=client_id,
            client_secret=client_secret,
            former_webhook_secret=former,
            sar_code=self.one_of("FAWATERK_SAR_CODE", "SR", "SAR"),
        )

    def fawaterk_address(self, version: str, *, has_credentials: bool) -> str:
        base_url = self.url("FAWATERK_BASE_URL", ("http", "https")).rstrip("/")
        if not base_url:
            raise SettingsError("FAWATERK_BASE_URL is required when PAYMENT_GATEWAYS names fawaterk")
        if base_url.startswith("http://") and urlsplit(base_url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SettingsError("FAWATERK_BASE_URL is https, except on loopback")
        other = "/api/v3" if version == "v2" else "/api/v2"
        if base_url.endswith(other) or (has_credentials and not base_url.endswith(f"/api/{version}")):
            raise SettingsError(f"FAWATERK_BASE_URL ends with /api/{version}, as FAWATERK_API_VERSION says")
        return base_url

    def fawaterk_secrets(self) -> tuple[str, str]:
        """What signs webhooks, and what signed them before: the vendor key, unless FAWATERK_WEBHOOK_SECRET says.

        Keys that Fawaterk gives out are taken as long as they are: WEAK_BELOW_BYTES is for our own.
        """
        api_key = self.text("FAWATERK_API_KEY")
        if len(api_key) < FAWATERK_KEY_AT_LEAST:
            raise SettingsError(f"FAWATERK_API_KEY is missing or shorter than {FAWATERK_KEY_AT_LEAST} characters")
        told = self.text("FAWATERK_WEBHOOK_SECRET", api_key)
        secrets_told = [part.strip() for part in told.split(",")] if told != api_key else [api_key]
        if len(secrets_told) > 2 or any(len(secret) < FAWATERK_KEY_AT_LEAST for secret in secrets_told):
            raise SettingsError(
                "FAWATERK_WEBHOOK_SECRET is one secret, or the new and the old one separated by a comma, "
                f"each of at least {FAWATERK_KEY_AT_LEAST} characters"
            )
        return secrets_told[0], secrets_told[1] if len(secrets_told) == 2 else ""

    def fawaterk_credentials(self, *, required: bool) -> tuple[str, str]:
        client_id, client_secret = self.text("FAWATERK_CLIENT_ID"), self.text("FAWATERK_CLIENT_SECRET")
        if not client_id and not client_secret and not required:
            return "", ""
        if not client_id:
            raise SettingsError("FAWATERK_CLIENT_ID is missing: API v3, and refunds on v2, need both credentials")
        if len(client_secret) < FAWATERK_KEY_AT_LEAST:
            raise SettingsError(f"FAWATERK_CLIENT_SECRET is missing or shorter than {FAWATERK_KEY_AT_LEAST} characters")
        return client_id, client_secret

    def stripe(self) -> StripeSettings | None:
        if "stripe" not in self.gateways():
            return None
        if self.values.get("STRIPE_LOG"):
            raise SettingsError("STRIPE_LOG is set: the library would print what it sends, payers' data among it")
        return StripeSettings(self.stripe_base(), self.stripe_key(), self.stripe_secrets())

    def stripe_base(self) -> str:
        base = (self.url("STRIPE_API_BASE", ("http", "https")) or "https://api.stripe.com").rstrip("/")
        on_loopback = urlsplit(base).hostname in ("127.0.0.1", "localhost", "::1")
        if base.startswith("http://") and (not on_loopback or self.environment is Environment.PRODUCTION):
            raise SettingsError("STRIPE_API_BASE is https, except on loopback outside production")
        if urlsplit(base).path or urlsplit(base).query:
            raise SettingsError("STRIPE_API_BASE is an address without a path: the library adds the version")
        return base

    def stripe_key(self) -> str:
        """The key's mode is the installation's: test money settles nothing real, and real money is no test."""
        key = self.text("STRIPE_API_KEY")
        kind = re.fullmatch(r"(?:sk|rk)_(test|live)_[A-Za-z0-9]{16,}", key)
        if kind is None:
            raise SettingsError("STRIPE_API_KEY is missing, or no secret (sk_…) or restricted key (rk_…)")
        production = self.environment is Environment.PRODUCTION
        if production and kind[1] == "test":
            raise SettingsError("STRIPE_API_KEY is a test key, which production refuses")
        if not production and kind[1] == "live":
            raise SettingsError("STRIPE_API_KEY takes real money, and is refused outside production")
        return key

    def stripe_secrets(self) -> tuple[str, ...]:
        secrets_given = self.listed("STRIPE_WEBHOOK_SECRET")
        if not 1 <= len(secrets_given) <= 2:
            raise SettingsError("STRIPE_WEBHOOK_SECRET is one secret, or two separated by a comma during rotation")
        if any(len(secret.encode()) < WEAK_BELOW_BYTES for secret in secrets_given):
            raise SettingsError(f"STRIPE_WEBHOOK_SECRET: each is at least {WEAK_BELOW_BYTES} bytes long")
        return secrets_given

    def app_link_hosts(self) -> tuple[str, ...]:
        """Hosts such as `app.example.com`, and schemes of apps such as `myapp://`."""
        named = self.listed("APP_LINK_HOSTS")
        for name in named:
            if not _APP_ADDRESS.fullmatch(name):
                raise SettingsError(f"APP_LINK_HOSTS are hosts (app.example.com) and schemes (myapp://), not {name!r}")
        return named

    def apple_app_ids(self) -> tuple[str, ...]:
        ids = self.listed("APPLE_APP_IDS")
        for app_id in ids:
            if not re.fullmatch(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}", app_id):
                raise SettingsError(f"APPLE_APP_IDS are such as ABCDE12345.com.example.app, not {app_id!r}")
        return ids

    def android_apps(self) -> tuple[tuple[str, str], ...]:
        """`package=fingerprint`: the SHA-256 of the certificate that the app is signed with, as keytool shows it."""
        apps = [part.partition("=") for part in self.listed("ANDROID_APPS")]
        for package, _, fingerprint in apps:
            is_app = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+", package)
            if not is_app or not re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", fingerprint):
                raise SettingsError(f"ANDROID_APPS are such as com.example.app=14:6D:…(32 bytes), not {package!r}")
        return tuple((package, fingerprint) for package, _, fingerprint in apps)

    def twilio(self) -> TwilioSettings | None:
        """All three of TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM, or none of them."""
        sid, token = self.text("TWILIO_ACCOUNT_SID"), self.text("TWILIO_AUTH_TOKEN")
        sender = self.text("TWILIO_FROM")
        given = {"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": token, "TWILIO_FROM": sender}
        if not any(given.values()):
            return None
        for name, value in given.items():
            if not value:
                raise SettingsError(f"{name} is missing: Twilio needs {', '.join(given)}")
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
            raise SettingsError("TWILIO_ACCOUNT_SID is AC and 32 hexadecimal digits")
        if len(token) < 16 or not token.isascii():
            raise SettingsError("TWILIO_AUTH_TOKEN is shorter than 16 characters, or not ASCII")
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", sender):
            raise SettingsError("TWILIO_FROM is a number such as +12025550123, or a name of up to 11 letters")
        return TwilioSettings(self.secure_url("TWILIO_BASE_URL", "https://api.twilio.com"), sid, token, sender)

    def fcm(self) -> FcmSettings | None:
        """The service account's file in FCM_CREDENTIALS, as its JSON or as a path to it; without it nobody pushes."""
        given = self.text("FCM_CREDENTIALS")
        if not given:
            return None
        account = _service_account(given)
        return FcmSettings(
            base_url=self.secure_url("FCM_BASE_URL", "https://fcm.googleapis.com"),
            token_uri=self.secure("FCM_CREDENTIALS: token_uri", account["token_uri"]),
            **{name: account[name] for name in ("project_id", "client_email", "private_key_id", "private_key")},
        )

    def secure_url(self, name: str, default: str) -> str:
        return self.secure(name, (self.url(name, ("http", "https")) or default).rstrip("/"))

    def secure(self, name: str, address: str) -> str:
        """The address, unless others could read what is sent to it."""
        on_loopback = urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
        is_plain_here = address.startswith("http://") and on_loopback
        if is_plain_here and self.environment is not Environment.PRODUCTION:
            return address
        if not address.startswith("https://"):
            raise SettingsError(f"{name} is https, except on loopback outside production")
        return address


_OF_SERVICE_ACCOUNTS = ("project_id", "client_email", "private_key_id", "private_key", "token_uri")


def _service_account(given: str) -> dict[str, str]:
    """What Google's file says; its path is read where no JSON is given. Never repeats what it read."""
    try:
        text = given if given.startswith("{") else Path(given).read_text("utf-8")
        account = json.loads(text)
    except (OSError, ValueError):
        raise SettingsError("FCM_CREDENTIALS is a service account's JSON, or the path of its file") from None
    if not isinstance(account, dict) or account.get("type") != "service_account":
        raise SettingsError("FCM_CREDENTIALS is no service account's JSON")
    for name in _OF_SERVICE_ACCOUNTS:
        if not isinstance(account.get(name), str) or not account[name].strip():
            raise SettingsError(f"FCM_CREDENTIALS: {name} is missing")
    if not re.fullmatch(r"[a-z0-9-]{4,40}", account["project_id"]):
        raise SettingsError("FCM_CREDENTIALS: project_id is no project's id")
    if not _is_rsa_key(account["private_key"]):
        raise SettingsError("FCM_CREDENTIALS: private_key is no RSA key in PEM of at least 2048 bits")
    return account


def _is_rsa_key(pem: str) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, RSAPrivateKey) and key.key_size >= 2048


def _kept_secret(home: Path, name: str) -> str:
    """The secret that this installation made for itself, the same at every start."""
    path = home / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), "ascii")
        # Linked, not renamed: of two processes that start at once, the first one's secret stays.
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text("ascii").strip()


def _refuse_for_production(settings: Settings) -> None:
    if "sandbox" in settings.payment_gateways:
        raise SettingsError("PAYMENT_GATEWAYS: sandbox takes no money and is refused in production")
    if not settings.backend_url.startswith("https://"):
        raise SettingsError("BACKEND_URL is an https address in production")
    if not settings.smtp_url:
        raise SettingsError("SMTP_URL is required in production")
