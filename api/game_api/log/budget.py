"""How much may be on its way to Kafka at once."""

from threading import Lock


class Budget:
    """So many records and bytes; what does not fit as a whole is not taken."""

    def __init__(self, records: int, size: int) -> None:
        self._records = records
        self._size = size
        self._lock = Lock()

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
