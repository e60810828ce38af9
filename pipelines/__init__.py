"""What happens to data, stage by stage. No Dagster here, no clock, no environment: time and places are arguments."""
