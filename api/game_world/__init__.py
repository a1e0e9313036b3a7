"""The world: the state of players and guilds that the events add up to, kept in a store and rebuilt from the topic."""
