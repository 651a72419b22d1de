"""What can be read of the container: whose it is, where it writes, and what comes into it."""

import fnmatch
import re

from supply.pins import ROOT

USER = "65532:65532"
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
CHECKED = re.compile(r"--require-hashes -r requirements\S*\.txt$")
FLAGS = ("--read-only", "--cap-drop ALL", "no-new-privileges", "127.0.0.1:3001:3001", ":/data")
KEPT_OUT = (".git", ".env", ".venv", "config.toml", "data", "tests", "bench")


def steps() -> list[tuple[str, str]]:
    """The instructions with what they say, each on one line, comments left out."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    split = (line.partition(" ") for line in lines)
    return [(word.upper(), rest.strip()) for word, _, rest in split]


def final() -> list[tuple[str, str]]:
    """Those of the stage that is shipped."""
    all_steps = steps()
    begins = max(place for place, (word, _) in enumerate(all_steps) if word == "FROM")
    return all_steps[begins:]


def said(word: str) -> list[str]:
    """What the shipped stage says with that instruction."""
    return [rest for each, rest in final() if each == word]


def environment() -> dict[str, str]:
    """The variables of the shipped stage."""
    return dict(pair.split("=", 1) for rest in said("ENV") for pair in rest.split())


def test_it_runs_as_a_user_without_rights() -> None:
    """By number, so that Kubernetes can tell; nothing is done as root behind that."""
    words = [word for word, _ in final()]
    assert said("USER") == [USER]
    assert "RUN" not in words[words.index("USER") :]


def test_it_writes_into_one_folder() -> None:
    """Which is a volume, the data folder, the working folder, and its user's."""
    assert said("VOLUME") == ["/data"]
    assert said("WORKDIR") == ["/data"]
    assert environment()["PERPLEXICA_DATA_DIR"] == environment()["HOME"] == "/data"
    assert any("install -d -o 65532 -g 65532 /data" in rest for rest in said("RUN"))
    assert not [rest for rest in said("COPY") if "--chown" in rest]


def test_only_what_runs_is_shipped() -> None:
    """The sources and pip's leavings stay behind in the first stage."""
    assert said("COPY") == ["--from=build /opt/perplexica /opt/perplexica"]
    assert not [rest for word, rest in steps() if word == "ADD"]


def test_every_install_checks_hashes() -> None:
    """But that of the wheel that was just built, which brings nothing along."""
    commands = [part for word, rest in steps() if word == "RUN" for part in rest.split("&&")]
    installs = [part.strip() for part in commands if "pip install" in part]
    checked = [part for part in installs if CHECKED.search(part)]
    own = [part for part in installs if re.search(r"--no-deps /dist/\*\.whl$", part)]
    assert len(checked) == 2
    assert sorted(checked + own) == sorted(installs)
    assert not [part for part in commands if re.search(r"curl|wget|apt|https?://(?!127)", part)]


def test_it_holds_no_secret() -> None:
    """Neither by a variable or argument, nor out of the folder that it is built in."""
    told = [rest for word, rest in steps() if word in {"ENV", "ARG", "LABEL"}]
    assert not [rest for rest in told if SECRET.search(rest)]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert all(any(fnmatch.fnmatch(name, each) for each in ignored) for name in KEPT_OUT)


def test_readme_runs_it_with_a_root_that_is_read_only() -> None:
    """Without rights, and on the loopback address."""
    text = (ROOT / "README.md").read_text("utf-8")
    [command] = re.findall(r"`(docker run [^`]*)`", text)
    assert not [flag for flag in FLAGS if flag not in command]
