"""Settings: read once, checked at start, and every refusal names the setting and what to set."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from wfr import paths
from wfr.config import ConfigError, Settings
from wfr.keys import derive_key, made_secret

LONG_KEY = "k" * 40
PUBLIC = {
    "WFR_BASE_URL": "https://write.example.org",
    "MAIL_URL": "smtp://mail.example.org:587",
    "SECRET_KEY": LONG_KEY,
    "WFR_PRIVACY_CONTACT": "privacy@example.org",
}


def test_nothing_has_to_be_set() -> None:
    settings = Settings.load({})
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database_url.startswith("sqlite:///")
    assert settings.database_url.endswith("/instance/wfr.db")
    assert not settings.is_public


def test_an_empty_value_means_not_set() -> None:
    assert Settings.load({"WFR_STREAM_URL": "", "PORT": ""}) == Settings.load({})


def test_settings_are_read_from_what_is_given_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9999")
    assert Settings.load({}).port == 8000
    assert Settings.load().port == 9999


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("WFR_BIND", "http://127.0.0.1"),
        ("WFR_BASE_URL", "write.example.org"),
        ("WFR_BASE_URL", "http://127.0.0.1/path"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "localhost"),
        ("MAIL_URL", "mail.example.org"),
        ("WFR_STREAM_URL", "ftp://example.org"),
        ("TRUSTED_PROXIES", "-1"),
        ("WFR_THREADS", "0"),
        ("WFR_STREAMS", "9"),
        ("WFR_LIMIT_PLEDGES", "many"),
        ("WFR_LIMIT_PRINTS", "5 per fortnight"),
        ("WFR_COLOUR_INK", "black"),
        ("WFR_LANGUAGES", "fr,en"),
        ("WFR_LOG", "loud"),
        ("WFR_DEMO", "perhaps"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Settings.load({name: value})
    assert str(refusal.value).startswith(f"{name}: ")


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        Settings.load({"PORT": "x", "WFR_COLOUR_INK": "y"})
    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == ["PORT", "WFR_COLOUR_INK"]


@pytest.mark.parametrize("missing", ["MAIL_URL", "SECRET_KEY", "WFR_PRIVACY_CONTACT"])
def test_a_public_site_needs_mail_key_and_contact(missing: str) -> None:
    assert Settings.load(PUBLIC).is_public
    with pytest.raises(ConfigError) as refusal:
        Settings.load({**PUBLIC, missing: ""})
    assert str(refusal.value).startswith(f"{missing}: set ")


def test_a_public_site_needs_a_long_key() -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY: set at least 32"):
        Settings.load({**PUBLIC, "SECRET_KEY": "short"})


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:80"])
def test_a_loopback_address_is_not_public(address: str) -> None:
    assert not Settings.load({"WFR_BASE_URL": address}).is_public


def test_a_database_server_needs_a_secret_key() -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY: set "):
        Settings.load({"DATABASE_URL": "postgresql://host/name"})


def test_a_public_site_on_a_database_server_needs_a_suppression_key() -> None:
    large = {**PUBLIC, "DATABASE_URL": "postgresql://host/name"}
    with pytest.raises(ConfigError, match="WFR_SUPPRESSION_KEY: set "):
        Settings.load(large)
    assert Settings.load({**large, "WFR_SUPPRESSION_KEY": "k"}).suppression_key


def test_the_suppression_key_outlives_the_secret_key_and_a_move_to_another_machine(tmp_path: Path) -> None:
    made = Settings.load({"WFR_DATA": str(tmp_path), "SECRET_KEY": "old"}).suppression_key
    assert Settings.load({"WFR_DATA": str(tmp_path), "SECRET_KEY": "new"}).suppression_key == made
    secret = (tmp_path / "suppression_key").read_text()
    assert Settings.load({"WFR_SUPPRESSION_KEY": secret}).suppression_key == made


def test_what_comes_back_goes_to_the_senders_domain() -> None:
    mailboxes = {"WFR_MAIL_FROM": "news@example.org", "WFR_BOUNCE_ADDRESS": "back@example.org"}
    assert Settings.load({**mailboxes, "WFR_BOUNCE_ADDRESS": "back@bounces.example.org"})
    assert Settings.load(mailboxes)
    for elsewhere in ("back@elsewhere.org", "back@badexample.org"):
        with pytest.raises(ConfigError, match=r"WFR_BOUNCE_ADDRESS: set an address of example\.org"):
            Settings.load({**mailboxes, "WFR_BOUNCE_ADDRESS": elsewhere})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_name_of_postgresql_is_understood(scheme: str) -> None:
    settings = Settings.load({"DATABASE_URL": f"{scheme}://u:p@host/name", "SECRET_KEY": "k"})
    assert settings.database_url == "postgresql+psycopg://u:p@host/name"
    assert not settings.uses_sqlite


@pytest.mark.parametrize("more", [{"WFR_BIND": "0.0.0.0"}, {"WFR_BIND": "::"}, PUBLIC])
def test_a_demonstration_stays_on_this_machine(more: dict[str, str]) -> None:
    assert Settings.load({"WFR_DEMO": "1", "WFR_BIND": "::1"}).demo
    with pytest.raises(ConfigError, match="WFR_DEMO: a demonstration stays on this machine"):
        Settings.load({"WFR_DEMO": "1", **more})


@pytest.mark.parametrize("more", [{"WFR_BIND": "0.0.0.0"}, PUBLIC])
def test_limits_are_off_on_loopback_only(more: dict[str, str]) -> None:
    assert not Settings.load({"RATELIMIT_ENABLED": "0"}).ratelimit_enabled
    with pytest.raises(ConfigError, match="RATELIMIT_ENABLED: leave it on"):
        Settings.load({"RATELIMIT_ENABLED": "0", **more})


def test_streams_never_take_more_than_half_of_the_threads() -> None:
    assert Settings.load({}).streams == 4
    assert Settings.load({"WFR_THREADS": "4"}).streams == 2
    with pytest.raises(ConfigError, match="WFR_STREAMS: set at most 2"):
        Settings.load({"WFR_THREADS": "4", "WFR_STREAMS": "3"})


def test_colours_that_are_set_become_tokens() -> None:
    assert Settings.load({"WFR_COLOUR_ACCENT_RED": "#AA0000"}).colours == {"accent-red": "#aa0000"}


def test_secrets_are_never_shown() -> None:
    hidden = {
        "SECRET_KEY": "hidden-1",
        "SECRET_KEY_FALLBACKS": "hidden-2,hidden-3",
        "WFR_METRICS_TOKEN": "hidden-4",
        "DATABASE_URL": "postgresql://user:hidden-5@host/name?sslpassword=hidden-6",
        "REDIS_URL": "redis://:hidden-7@host",
        "MAIL_URL": "smtp://user:hidden-8@host:587",
    }
    settings = Settings.load(hidden)
    shown = {setting.name: setting for setting in settings.describe()}
    assert "hidden" not in str(shown) + repr(settings.secret_key)
    assert shown["DATABASE_URL"].value == "postgresql+psycopg://user:***@host/name?sslpassword=***"
    assert shown["SECRET_KEY"].value == "(set, not shown)"


def test_every_setting_says_what_it_means() -> None:
    described = Settings.load({"PORT": "81"}).describe()
    assert all(setting.meaning.endswith(".") for setting in described)
    assert [setting.name for setting in described if setting.is_set] == ["PORT"]
    assert {"PORT", "DATABASE_URL", "WFR_DATA", "TRUSTED_PROXIES"} <= {setting.name for setting in described}


def test_a_misspelt_setting_is_noticed() -> None:
    assert Settings.strangers({"WFR_BIN": "x", "WFR_BIND": "y", "HOME": "z"}) == {"WFR_BIN": "WFR_BIND"}


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings.load({"WFR_DATA": str(tmp_path / "new")})
    assert settings.key("tickets") == settings.key("tickets") != settings.key("proofs")
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_all_that_ask_for_the_secret_at_once_get_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    gate = threading.Barrier(16)

    def ask() -> None:
        gate.wait()
        found.append(made_secret(tmp_path / "secret_key"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(ConfigError, match=r"SECRET_KEY: .*delete it"):
        Settings.load({"WFR_DATA": str(tmp_path)}).key("tickets")


def test_former_keys_stay_accepted_while_they_are_listed() -> None:
    before = Settings.load({"SECRET_KEY": "old"})
    after = Settings.load({"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": "old, older"})
    assert before.key("tickets") == after.keys("tickets")[1]
    assert len(set(after.keys("tickets"))) == 3


def test_keys_are_derived_as_rfc_5869_says() -> None:
    """The value is OpenSSL's: `openssl kdf … -kdfopt key:master -kdfopt salt:wfr -kdfopt info:tickets HKDF`."""
    expected = "4ffadbe68be834d2a8b8344b55cecaffc8a32619adb94439cafdcee7a877bb26"
    assert derive_key(b"master", "tickets").hex() == expected


def test_every_setting_is_in_the_manual() -> None:
    manual = (paths.ROOT / "docs" / "operating.md").read_text()
    assert [name for name in Settings.names() if f"`{name}`" not in manual] == []
