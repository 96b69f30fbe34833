"""What the project costs, measured against something that does less."""
