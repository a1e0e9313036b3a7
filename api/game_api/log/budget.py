"""The limit of records and bytes in flight to Kafka."""

from threading import Lock


class Budget:
    """A number of records and bytes, taken as a whole or not at all."""

    def __init__(self, records: int, size: int) -> None:
        self._records = records
        self._most = records
        self._size = size
        self._lock = Lock()

    @property
    def taken(self) -> int:
        """The number of records in flight."""
        return self._most - self._records

    def take(self, records: int, size: int) -> bool:
        with self._lock:
            if records > self._records or size > self._size:
                return False
            self._records -= records
            self._size -= size
            return True

    def give_back(self, records: int, size: int) -> None:
        with self._lock:
            self._records += records
            self._size += size
