"""Numbers over calls, for people: how they went, what needs the organization, what is left to set up."""
