"""Ways to carry frames from the streams to the detector and answers back."""
