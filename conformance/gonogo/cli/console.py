"""rich's console, for colours and tables; plain lines use `gonogo.cli.printing`."""

import sys

import rich.console

from gonogo.cli.printing import send_to_nowhere


class Console(rich.console.Console):
    """A console whose pipe may close early (`| head`): the rest is dropped, and the exit status is unchanged."""

    def on_broken_pipe(self) -> None:
        """Discard the rest of the output."""
        send_to_nowhere(sys.stderr if self.stderr else sys.stdout)
