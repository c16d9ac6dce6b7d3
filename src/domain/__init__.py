"""The rules of the business: entities, values and events that know no framework, database or clock."""
