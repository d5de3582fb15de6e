"""The settings file: where it is, what it may say, and the sentences about what it may not."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from tcpladder.analysis import names
from tcpladder.analysis.profiles import SOLARIS
from tcpladder.errors import SettingsError
from tcpladder.settings import file as settings

HERE = Path("config.toml")
S, MS = 1_000_000_000, 1_000_000


def read(text: str) -> settings.Settings:
    return settings.parse(text.encode(), HERE)


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings.path_of({}) == tmp_path / ".config/tcpladder/config.toml"
    assert settings.path_of({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/tcpladder/config.toml")
    assert settings.path_of({"XDG_CONFIG_HOME": "relative"}) == tmp_path / ".config/tcpladder/config.toml"
    assert settings.path_of({"TCPLADDER_CONFIG": "here.toml", "XDG_CONFIG_HOME": "/x"}) == Path("here.toml")


def test_under_sudo_it_is_the_file_of_who_called_it(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(settings, "invoking_user", lambda: nobody)
    expected = Path(nobody.pw_dir) / ".config/tcpladder/config.toml"
    assert settings.path_of({"XDG_CONFIG_HOME": "/nowhere/.config", "HOME": "/nowhere"}) == expected


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    found = settings.load({"XDG_CONFIG_HOME": str(tmp_path)})
    assert not found.exists
    assert not found.profiles
    said = settings.in_force(found)
    assert str(tmp_path / "tcpladder/config.toml") in said[0]
    assert settings.parse("\n".join(said).encode(), HERE).screen == found.screen


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file, and TCPLADDER_CONFIG names it"):
        settings.load({"TCPLADDER_CONFIG": str(tmp_path / "none.toml")})
    with pytest.raises(SettingsError, match="cannot read the settings: is a directory"):
        settings.load({"TCPLADDER_CONFIG": str(tmp_path)})


def test_what_is_in_force_can_be_read_again() -> None:
    text = '[profiles.a]\nlike = "solaris"\nrto_min = 150\nwords = "\\"so\\" \\\\ \\t"\n[profiles."b.c"]\nlike = "a"'
    found = read(text)
    again = settings.parse("\n".join(settings.in_force(found)).encode(), HERE)
    assert again.profiles == found.profiles
    assert list(found.profiles) == ["a", "b.c"]


def test_a_profile_may_be_like_another_that_stands_below_it() -> None:
    found = read(
        '[profiles.new]\nlike = "old"\nsyn_retries = 3\n[profiles.old]\nlike = "solaris"\nresets = true'
    ).profiles
    assert found["new"].resets
    assert found["new"].probe_bytes == SOLARIS.probe_bytes
    assert found["new"].values[names.SYN_RETRIES] == 3
    assert found["old"].values == SOLARIS.values
    assert read("[profiles.mine]\nrto_min = 150").profiles["mine"].values[names.RTO_MIN] == 150 * MS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[profiles.x]\nrto_mni = 3", "config.toml: line 2: profiles.x.rto_mni: there is no such key, did you mean rto_min?"),  # noqa: E501
        ("\n[profils.x]\nrto_min = 3", "line 2: profils: there is no such key, did you mean profiles?"),
        ("[profiles.x]\nzzz = 3", "line 2: profiles.x.zzz: there is no such key, there are: like, words, probe_bytes"),
        ("[profiles]\nx = 3", "line 2: profiles.x: must be a table, such as [profiles.x], not 3"),
        ("profiles = 3", "line 1: profiles: must be a table"),
        ("[profiles.linux]", "line 1: profiles.linux: comes with tcpladder"),
        ("[profiles.Mine]", "line 1: profiles.Mine: a name has small letters"),
        ('[profiles.x]\nlike = "linuz"', "line 2: profiles.x.like: there is no profile linuz, did you mean linux?"),
        ('[profiles.x]\nlike = "y"\n[profiles.y]\nlike = "x"', "line 2: profiles.x.like: goes round in a circle"),
        ("[profiles.x]\nlike = [1]", 'line 2: profiles.x.like: give a value such as "linux", not [1]'),
        ("[profiles.x]\nresets = 1", "line 2: profiles.x.resets: give a value such as true, not 1"),
        ("[profiles.x]\nprobe_bytes = 7", "line 2: profiles.x.probe_bytes: a probe carries 0 or 1 bytes, not 7"),
        ('[profiles.x]\nkeepalive = "1/2/3/4"', "line 2: profiles.x.keepalive: keepalive is TIME/INTERVAL/PROBES"),
        ('[profiles.x]\nkeepalive = "off"', "line 2: profiles.x.keepalive: keepalive_time is a time such as 30s"),
        ("[profiles.x]\nsyn_retries = 1.5", "line 2: profiles.x.syn_retries: syn_retries is a count from 0 to 255"),
        ("[profiles.x]\nrto_max = true", 'line 2: profiles.x.rto_max: give a number, or a string such as "30s", not True'),  # noqa: E501
        ("[profiles.x]\nrto_max = nan", "line 2: profiles.x.rto_max: rto_max is a time"),
        ('[screen]\nteme = "dark"', "line 2: screen.teme: there is no such key, did you mean theme?"),
        ("[screen]\nmouse = 1", "line 2: screen.mouse: give a value such as true, not 1"),
        ('[screen]\nprivacy = "port"', "line 2: screen.privacy: cannot be port, did you mean ports?"),
        ("[screen]\ncharacters = true", 'line 2: screen.characters: give a value such as "auto", not True'),
        ("[retention]\nrecent = 900", "line 2: retention.recent: is a number from 0 to 100, not 900"),
        ('[keys]\nfilter = "f"', 'line 2: keys.filter: give a list such as ["f3", "/"], not \'f\''),
        ("[keys]\nfilter = []", 'line 2: keys.filter: give a list such as ["f3", "/"], not []'),
        ('[keys]\nfilter = ["f", "f"]', "line 2: keys.filter: f stands there twice"),
        ("[profiles.x\n", "config.toml: not TOML: expected ']' at the end of a table declaration (at line 1"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_key_and_the_nearest_valid_one(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(text)
    assert says in str(raised.value)
    assert raised.value.exit_code == 3


def test_what_is_no_text() -> None:
    with pytest.raises(SettingsError, match="line 2: not UTF-8"):
        settings.parse(b"\n# \xff", HERE)
