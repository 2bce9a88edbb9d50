"""The long drive: a film with its GPS log through a gap in the network, and a report of what came of it."""
