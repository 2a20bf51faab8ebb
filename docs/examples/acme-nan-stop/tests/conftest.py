"""What the tests share: the fixtures of glowplug's kit for authors of plugins."""

pytest_plugins = ["glowplug.testing"]
