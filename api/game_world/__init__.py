"""The world: what the events have made of players and guilds, kept in a store and rebuilt from the topic."""
