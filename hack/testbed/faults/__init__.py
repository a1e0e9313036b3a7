"""The fault campaign: servers are killed, frozen and filled up under load, and no event may be lost or doubled."""
