"""The fault campaign: everything is killed, frozen or filled up under load, and nothing may be lost or doubled."""
