"""What `doctor` checks, one side a file; each check answers with findings and never raises for what it looks for."""
