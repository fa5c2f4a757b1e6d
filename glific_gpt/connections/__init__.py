"""How an organization's waiting flows are reached: its way into Glific, kept encrypted and verified when saved."""
