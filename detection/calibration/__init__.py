"""What officers' verdicts teach about confidences and thresholds. Pure."""
