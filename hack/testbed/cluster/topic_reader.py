"""Prints the records of the topic. Runs in a pod of the jobs' image, with their settings and access rights.

`partitions`: their numbers. `window PARTITION`: its first offset, and the one after its last. `read PARTITION START
END`: a line for each record, its offset, its timestamp, and its key and value, each as `=` and Base64, or `-` for none.
"""

import base64
import sys

from game_kafka.reader import TopicReader
from lake.settings import GROUPS, Settings


def main() -> None:
    command, *arguments = sys.argv[1:]
    with TopicReader(Settings.from_environment().kafka, f"{GROUPS}topic-reader") as reader:
        if command == "partitions":
            print(*reader.partitions())
        elif command == "window":
            window = reader.window(int(arguments[0]))
            print(window.start, window.stop)
        else:
            partition, start, end = map(int, arguments)
            for messages in reader.read(partition, range(start, end)):
                for message in messages:
                    print(message.offset(), message.timestamp()[1], _text(message.key()), _text(message.value()))


def _text(content: bytes | None) -> str:
    return "-" if content is None else f"={base64.b64encode(content).decode()}"


if __name__ == "__main__":
    main()
