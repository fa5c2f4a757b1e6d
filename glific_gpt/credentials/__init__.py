"""The keys of an organization at its providers: kept encrypted, verified, switched on and off."""
