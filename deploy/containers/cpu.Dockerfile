# The prediction APIs and their page on a CPU:
#   docker build -f deploy/containers/cpu.Dockerfile -t plate-apis .
# Name the base by digest (--build-arg BASE=python@sha256:…) where builds must be repeatable to the byte.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /opt/apis
ENV PATH=/opt/apis/bin:$PATH
# What changes seldom comes first: the requirements are a layer of their own.
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir cloud_apis && touch cloud_apis/__init__.py \
    && pip install -c constraints.txt ".[cloud]" "boto3>=1.36" "rich>=13" "tqdm>=4.66" \
    && pip uninstall --yes plate-dashcam && rm -r cloud_apis
COPY config config
COPY deploy deploy
COPY cloud_apis cloud_apis
RUN pip install -c constraints.txt --no-deps . \
    && pip uninstall --yes pip setuptools \
    && find /opt/apis -name __pycache__ -prune -exec rm -r {} +

FROM ${BASE}
RUN groupadd --system --gid 10001 apis \
    && useradd --system --uid 10001 --gid apis --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin apis \
    && install --directory --owner=apis --group=apis /models
COPY --from=build /opt/apis /opt/apis
ENV PATH=/opt/apis/bin:$PATH \
    PLATE_MODEL_CACHE=/models \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "deploy.containers.healthy"]
ENTRYPOINT ["cloud-apis"]
# Any address but loopback needs a key: give --api-key-file FILE, or CLOUD_APIS_KEY.
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
