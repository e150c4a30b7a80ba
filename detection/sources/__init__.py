"""Ways to get pictures: cameras over RTSP, MJPEG over HTTP, and files played in real time."""
