"""How `gunicorn crimeops.wsgi` serves the admin; its command line goes before all of it."""

bind = "127.0.0.1:8080"  # not 8000: there the Laravel back end usually listens
threads = 4
control_socket_disable = True  # it would leave a socket in the user's home
