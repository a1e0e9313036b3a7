"""The pages for browsers: the game and the dashboard."""
