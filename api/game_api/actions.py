"""What players can do: one action, one entry. It knows neither HTTP's server nor Kafka."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from game_events import EVENT_TYPES, Field

Draw = Callable[[Random], int]


@dataclass(frozen=True)
class Action:
    """A request to `path` is answered with `answer` and becomes an event of `event_type`.

    `draws` are the event's fields that chance decides. The event type's other own fields are query parameters.
    """

    path: str
    event_type: str
    answer: str
    description: str = ""
    draws: Mapping[str, Draw] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[Field, ...]:
        return tuple(own for own in EVENT_TYPES[self.event_type].fields if own.name not in self.draws)


def strength(random: Random) -> int:
    """Draw an integer of mean 5 and sigma 4, clipped to 0..10."""
    # Not gauss(), which may give two threads the same number.
    return min(10, max(0, round(random.normalvariate(5, 4))))


_STRENGTH = {"strength": strength}

ACTIONS = (
    Action("/", "default", "This is the default response!"),
    Action("/purchase_a_sword", "purchase_sword", "Sword Purchased!", "large sword", _STRENGTH),
    Action("/purchase_an_axe", "purchase_axe", "Axe Purchased!", "battle axe", _STRENGTH),
    Action("/purchase_a_shield", "purchase_shield", "Shield Purchased!", "round shield", _STRENGTH),
    Action("/join_a_guild", "join_guild", "Guild Joined!"),
    Action("/declare_a_war", "declare_war", "War Declared!"),
    Action("/declare_peace", "declare_peace", "Peace Declared!", "lastful peace"),
)
