"""Reads the topic's offsets with the jobs' settings, which proves address, user, password and rights."""

from lake.offsets import Topic
from lake.settings import Settings

topic = Topic(Settings.from_environment())
print(topic.name, topic.identity(), *topic.all())
