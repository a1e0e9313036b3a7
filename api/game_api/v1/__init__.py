"""Version 1 of the API: `/v1/…`, beside the paths of the first version. Rules, checks and log are the same."""
