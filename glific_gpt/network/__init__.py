"""HTTP connections to outside services, the hosts that they may reach, and addresses of clients."""
