"""Functions that webhooks call by name, built in and from plugins."""
