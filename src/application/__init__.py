"""Use cases: functions that orchestrate the domain over ports; they know no framework."""
