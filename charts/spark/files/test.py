"""Reads the topic's offsets with the jobs' own settings: address, user, password and rights are good."""

from offsets import Topic
from settings import Settings

topic = Topic(Settings.from_environment())
print(topic.name, topic.identity(), *topic.all())
