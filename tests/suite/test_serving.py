"""The reference server is started, named, and always stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from gonogo import serving
from gonogo.errors import TargetError, UsageError

PATIENCE = 60.0  # seconds after which a hanging process is killed


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=PATIENCE):
            return True
    except urllib.error.URLError:
        return False


@pytest.mark.usefixtures("measured_processes")
def test_the_server_listens_within_the_block_and_not_after_it() -> None:
    with serving.reference_server("scripted", engine="scripted") as url:
        assert is_up(url)
    assert not is_up(url)


def test_the_server_is_stopped_on_an_error_too() -> None:
    urls = []

    def use() -> None:
        with serving.reference_server(engine="scripted") as url:
            urls.append(url)
            raise RuntimeError("of the caller")

    with pytest.raises(RuntimeError, match="of the caller"):
        use()

    assert not is_up(urls[0])


@pytest.mark.usefixtures("measured_processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_server_behind(number: signal.Signals) -> None:
    code = (
        "import signal, sys\n"
        "from gonogo import serving\n"
        "for each in (signal.SIGINT, signal.SIGTERM): signal.signal(each, signal.default_int_handler)\n"
        "with serving.reference_server(engine='scripted') as url:\n"
        "    print(url, flush=True)\n"
        "    signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        before = is_up(url)
        process.send_signal(number)
        process.wait(PATIENCE)

    assert before
    assert not is_up(url)


def test_a_server_that_cannot_start_is_reported_with_its_last_output() -> None:
    with (
        pytest.raises(TargetError, match=r"(?s)exited with status \d before it was ready: .*no-such-engine"),
        serving.reference_server(engine="no-such-engine"),
    ):
        pass


def test_a_server_that_starts_too_slowly_is_stopped_and_reported() -> None:
    with (
        pytest.raises(TargetError, match="was not ready within 0 s"),
        serving.reference_server(engine="scripted", start_limit=0.0),
    ):
        pass


def test_without_the_server_extra_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_NEEDED", ("gonogo_has_no_such_module",))

    with pytest.raises(UsageError, match=r'pip install "gonogo\[server\]"'):
        serving.serve([])
