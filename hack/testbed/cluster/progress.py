"""Progress messages with the seconds since the start."""

import time


class Progress:
    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        print(f"[{self.seconds:5.1f} s] {text}", flush=True)
