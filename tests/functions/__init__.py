"""What is offered to webhooks by name, built in and installed."""
