"""Settings: typed, from the environment (and `.env` in development), refused at start when wrong.

Names are those of `.env.example`. Development makes the secrets that it misses and keeps them in its
home folder; production refuses to start on a missing or weak one and names it.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """The account that delivers short messages; `sender` is its number in E.164, or a name of up to 11 characters."""

    base_url: str
    account_sid: str
    auth_token: str = field(repr=False)
    sender: str


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
    smtp_url: str = field(repr=False)
    mail_from: str
    twilio: TwilioSettings | None
    storage_url: str
    cors_origins: tuple[str, ...]
    app_link_hosts: tuple[str, ...]
    apple_app_ids: tuple[str, ...]
    android_apps: tuple[tuple[str, str], ...]
    rate_limit_scale: float
    trusted_proxies: int
    bcrypt_cost: int
    booking_hold_minutes: int
    log_format: str

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
            smtp_url=self.url("SMTP_URL", ("smtp", "smtps")),
            mail_from=self.text("MAIL_FROM", "AltayarVIP <no-reply@altayar.test>"),
            twilio=self.twilio(),
            storage_url=self.url("STORAGE_URL", ("file",)) or (home / "storage").as_uri(),
            cors_origins=self.listed("CORS_ORIGINS"),
            app_link_hosts=self.app_link_hosts(),
            apple_app_ids=self.apple_app_ids(),
            android_apps=self.android_apps(),
            rate_limit_scale=self.fraction("RATE_LIMIT_SCALE", 1.0),
            trusted_proxies=self.whole("TRUSTED_PROXIES", 0, 0, 10),
            bcrypt_cost=self.whole("BCRYPT_COST", 12, 12 if production else 4, 16),
            booking_hold_minutes=self.whole("BOOKING_HOLD_MINUTES", 30, 1, 7 * 24 * 60),
            log_format=self.text("LOG_FORMAT", "json" if production else "console"),
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
        if "fawaterk" not in self.gateways():
            return None
        base_url = self.url("FAWATERK_BASE_URL", ("http", "https")).rstrip("/")
        api_key = self.text("FAWATERK_API_KEY")
        if not base_url:
            raise SettingsError("FAWATERK_BASE_URL is required when PAYMENT_GATEWAYS names fawaterk")
        if base_url.startswith("http://") and urlsplit(base_url).hostname not in (
            "127.0.0.1",
            "localhost",
            "::1",
        ):
            raise SettingsError("FAWATERK_BASE_URL is https, except on loopback")
        if len(api_key) < 16:
            raise SettingsError("FAWATERK_API_KEY is missing or shorter than 16 characters")
        secret = self.text("FAWATERK_WEBHOOK_SECRET", api_key)
        if len(secret) < 16:
            raise SettingsError("FAWATERK_WEBHOOK_SECRET is shorter than 16 characters")
        version = self.text("FAWATERK_API_VERSION", "v2")
        if version != "v2":
            raise SettingsError("FAWATERK_API_VERSION is v2")
        return FawaterkSettings(base_url, api_key, secret, version)

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
        base_url = (self.url("TWILIO_BASE_URL", ("http", "https")) or "https://api.twilio.com").rstrip("/")
        on_loopback = urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
        if base_url.startswith("http://") and (not on_loopback or self.environment is Environment.PRODUCTION):
            raise SettingsError("TWILIO_BASE_URL is https, except on loopback outside production")
        return TwilioSettings(base_url, sid, token, sender)


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
