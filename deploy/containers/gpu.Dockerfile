# The prediction APIs and their page on an NVIDIA GPU:
#   docker build -f deploy/containers/gpu.Dockerfile -t plate-apis:gpu .
#   docker run --gpus all … (NVIDIA Container Toolkit)
# onnxruntime-gpu, CUDA and cuDNN go together, whatever constraints.txt says: change the three at once.
ARG BASE=nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04

FROM ${BASE} AS build
ARG ONNXRUNTIME_GPU=1.22.0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The base pins the distribution's release; its archive keeps no older versions to pin.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python3 -m venv /opt/apis
ENV PATH=/opt/apis/bin:$PATH
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir cloud_apis && touch cloud_apis/__init__.py \
    && sed --in-place '/^onnxruntime-gpu==/d' constraints.txt \
    && pip install -c constraints.txt ".[gpu]" "onnxruntime-gpu==${ONNXRUNTIME_GPU}" "boto3>=1.36" "rich>=13" "tqdm>=4.66" \
    && pip uninstall --yes plate-dashcam && rm -r cloud_apis
COPY config config
COPY deploy deploy
COPY cloud_apis cloud_apis
RUN pip install -c constraints.txt --no-deps . \
    && python -m deploy.containers.gpu_settings /opt/apis/gpu.yaml \
    && pip uninstall --yes pip \
    && find /opt/apis -name __pycache__ -prune -exec rm -r {} +

FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 apis \
    && useradd --system --uid 10001 --gid apis --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin apis \
    && install --directory --owner=apis --group=apis /models
COPY --from=build /opt/apis /opt/apis
ENV PATH=/opt/apis/bin:$PATH \
    PLATE_MODEL_CACHE=/models \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "deploy.containers.healthy"]
ENTRYPOINT ["cloud-apis"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--config", "/opt/apis/gpu.yaml"]
