"""The application as gunicorn loads it."""

from game_api import create_app
from game_api.kafka_log import KafkaLog
from game_api.settings import Settings

app = create_app(KafkaLog(Settings.from_environment()))
