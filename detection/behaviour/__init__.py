"""What people do with each other, as numbers: pure functions of pictures, boxes and time."""
