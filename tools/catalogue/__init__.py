"""The catalogue of facts about models: checked, extended by one's own table, and what it covers."""
