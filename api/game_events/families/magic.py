"""Magic: fireballs, healing and the stars."""

from game_events.chance import Normal, Uniform
from game_events.event_type import OTHER_PLAYER, EventType
from game_events.rules import ALIVE, OPPONENT, TARGET_KNOWN, Contest, Result, gain, has, hit, takes

EVENT_TYPES = (
    EventType(
        "cast_fireball",
        "magic",
        "/cast_a_fireball",
        Result(
            "Your fireball scorches {target}.",
            (hit("health", Normal(-25, 8, -50, -5)), gain("experience", 12)),
            {"ruby": -1},
        ),
        (OTHER_PLAYER,),
        preconditions=(*OPPONENT, has("item:ruby", 1, "A fireball takes a ruby"), takes(3)),
        contest=Contest(
            Uniform(1, 20),
            Uniform(1, 12),
            Result("Your fireball fizzles out.", (gain("experience", 2),), {"ruby": -1}),
            against_player=True,
        ),
    ),
    EventType(
        "cast_heal",
        "magic",
        "/cast_a_healing_spell",
        Result("{target} feels better.", (hit("health", Normal(30, 8, 10, 50)), gain("experience", 6)), {"herb": -1}),
        (OTHER_PLAYER,),
        preconditions=(ALIVE, TARGET_KNOWN, has("item:herb", 1, "A healing spell takes a herb"), takes(2)),
    ),
    EventType(
        "read_stars",
        "magic",
        "/read_the_stars",
        Result("The stars speak, and you are wiser.", (gain("experience", Normal(5, 3, 1, 12)),)),
        preconditions=(ALIVE, takes(2)),
    ),
)
