"""The import of files of events, such as the history of an older game, into the table `events`."""
